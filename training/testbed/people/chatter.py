"""What devices say to everybody on their link: multicast DNS, SSDP, and asking for an address.

Nobody on the link answers but the router, which does not take part; a gateway that captures sees
the same. Some of it has ports that belong to the purpose and not to the program, so that two
programs at once could not be told apart: a lock keeps it to one at a time, and who finds it taken
keeps quiet.
"""

from training.testbed.acts import Kind, Stage
from training.testbed.people.shell import pause_s
from training.testbed.world import RUN

AVAHI = """\
[server]
host-name={name}
allow-interfaces=at-{host}
enable-dbus=no
use-ipv4=yes
use-ipv6={six}
[publish]
publish-hinfo={hinfo}
publish-workstation={hinfo}
"""
SERVICE = """\
<?xml version="1.0" standalone="no"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name replace-wildcards="yes">%h</name>
<service><type>{kind}</type><port>{port}</port></service></service-group>
"""
# In a mount namespace of its own, because it insists on these places. It closes what it does not know, so
# the shell holds the lock, until it has said goodbye.
ANNOUNCE = """\
exec 9>{lock}; flock -n 9 || exit 0
mkdir -p /run/avahi-daemon; mount -t tmpfs tmpfs /run/avahi-daemon
mount --bind {folder}/services /etc/avahi/services
avahi-daemon -f {folder}/avahi.conf --no-drop-root --no-chroot --no-rlimits --no-proc-title &
trap "kill $!" TERM
wait $!; wait $!
"""
OFFERED = (("_ssh._tcp", 22), ("_ipp._tcp", 631), ("_airplay._tcp", 7000), ("_smb._tcp", 445), ("_http._tcp", 80))
SOUGHT = ("_ipp", "_googlecast", "_airplay", "_spotify-connect", "_homekit", "_printer", "_raop", "_companion-link")
TARGETS = (
    "ssdp:all",
    "upnp:rootdevice",
    "urn:schemas-upnp-org:device:MediaRenderer:1",
    "urn:dial-multiscreen-org:service:dial:1",
)


def discover(stage: Stage) -> None:
    """Look for devices by multicast DNS, or announce the host's own services and say goodbye later."""
    rng, host = stage.rng, stage.host.name
    if rng.random() < 0.6:
        names = rng.sample(SOUGHT, min(len(SOUGHT), int(rng.paretovariate(1.0))))
        for name in names:
            # Nobody there: dig says 9 when no answer came.
            ask = ["-p", "5353", "@224.0.0.251", f"{name}._tcp.local", "PTR"]
            stage.run("dig", "+short", "+tries=1", f"+time={rng.randint(1, 2)}", *ask, ok=(0, 9))
        return
    config = AVAHI.format(name=host, host=host, six=rng.choice(("yes", "no")), hinfo=rng.choice(("yes", "no")))
    (stage.folder / "avahi.conf").write_text(config)
    (stage.folder / "services").mkdir()
    for kind, port in rng.sample(OFFERED, rng.randint(1, 3)):
        (stage.folder / "services" / f"{kind}.service").write_text(SERVICE.format(kind=kind, port=port))
    script = ANNOUNCE.format(lock=RUN / f"mdns-{host}.lock", folder=stage.folder)
    daemon = stage.start("unshare", "--mount", "sh", "-c", script, limit_s=25)
    stage.pause(pause_s(stage, 5.0, 0.4, 14.0))
    daemon.stop()


def search(stage: Stage) -> None:
    """Look for devices by SSDP: the same question a few times, to everybody on the link."""
    words = ["gssdp-discover", "-i", f"at-{stage.host.name}", "-t", stage.rng.choice(TARGETS)]
    stage.run(*words, "-n", str(stage.rng.randint(2, 4)), limit_s=10, ok=None)


def ask_address(stage: Stage) -> None:
    """Ask for an address by broadcast, in vain, or the giver of addresses for what goes with the one there is."""
    rng, infra = stage.rng, stage.world.host("infra").v4
    if rng.random() < 0.35:
        ask = ["-i", f"at-{stage.host.name}", "-f", "-n", "-q", "-s", "/bin/true", "-x", f"hostname:{stage.host.name}"]
        ask += ["-t", str(rng.randint(1, 4)), "-T", str(rng.randint(1, 3)), "-A", "1"]
        stage.run("flock", "-n", str(RUN / "dhcp.lock"), "udhcpc", *ask, limit_s=20, ok=(0, 1))
        return
    mac = f"02:77:00:00:{stage.host.number:02x}:10"
    for _ in range(min(3, int(rng.paretovariate(2.0)))):
        inform = ["dhcping", "-i", "-t", "2", "-c", stage.host.v4, "-s", infra, "-h", mac]
        stage.run("flock", "-n", str(RUN / f"dhcp-{stage.host.name}.lock"), *inform, ok=(0, 1))
        stage.pause(pause_s(stage, 1.0, 0.6, 4.0))


MDNS = {"avahi-daemon": "avahi-daemon", "dig": "bind9-dnsutils", "flock": "util-linux", "unshare": "util-linux"}
DHCP = {"udhcpc": "udhcpc", "dhcping": "dhcping", "flock": "util-linux"}
KINDS = (
    Kind("mdns", "benign", discover, MDNS, lasts_s=3),
    Kind("ssdp", "benign", search, {"gssdp-discover": "gssdp-tools"}, lasts_s=3),
    Kind("dhcp", "benign", ask_address, DHCP, ("dhcp",), lasts_s=3),
)
