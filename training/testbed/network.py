"""The recorded network: hosts in network namespaces around a router, where the capture is taken.

`build` makes the world, `Network` makes it real, `Network.enter` moves the calling thread into a
host, and a program that it then starts is there too:

    with Network(build(), seed=1) as network, network.enter("desk"):
        subprocess.run(["curl", "http://web.home.test/"])

To try something by hand or in a test, `tests.training.testbed.bench` does this within an enclosure.
"""

import ctypes
import difflib
import json
import os
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from sensor.errors import NettrusionError
from training.testbed import nat, wire
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.world import Host, World, passwords

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
INSIDE4, INSIDE6 = "10.77", "fd77"
# Networks for benchmarks and examples: outside for every rule that knows private addresses.
OUTSIDE4, OUTSIDE6 = "198.18", "2001:db8"
# Distances as real captures show them: a network in the air, a provider's name server, sites on other continents.
HOSTS = (
    Host("desk", "inside", 1, delay_ms=0.6, jitter_ms=0.3),
    Host("laptop", "inside", 2, delay_ms=5.0, jitter_ms=4.0, loss=0.001, rate_mbit=80),
    Host("office", "inside", 3, delay_ms=1.5, jitter_ms=0.6),
    Host("phone", "inside", 4, delay_ms=16.0, jitter_ms=12.0, loss=0.004, rate_mbit=25),
    Host("camera", "inside", 5, delay_ms=7.0, jitter_ms=3.0, loss=0.001, rate_mbit=10),
    Host("web", "servers", 9, delay_ms=0.8, jitter_ms=0.3),
    Host("infra", "servers", 10, delay_ms=5.0, jitter_ms=3.0),
    Host("store", "servers", 11, delay_ms=0.5, jitter_ms=0.2),
    Host("dc", "servers", 12, delay_ms=0.6, jitter_ms=0.3),
    Host("internet", "outside", 100, extra=23, delay_ms=6.0, jitter_ms=3.0, loss=0.001, spread_ms=90.0, rate_mbit=40),
    Host("attacker", "outside", 101, extra=1, delay_ms=22.0, jitter_ms=4.0, loss=0.001, spread_ms=30.0, rate_mbit=40),
    Host("bots", "outside", 102, extra=11, delay_ms=15.0, jitter_ms=6.0, loss=0.003, spread_ms=110.0, rate_mbit=40),
)
# Offload would put frames of 64 KiB with unfinished checksums into the capture.
QUIET = ("tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx", "off", "sg", "off")
# A host that starts an interface asks around for routers and doubles; ours need not.
SYSCTLS = {"router_solicitations": "0", "accept_dad": "0", "dad_transmits": "0", "autoconf": "0"}


def build(settings: Mapping[str, Any] | None = None, seed: int = 1) -> World:
    """Return the world of a profile.

    Settings: `prefix4`, `prefix6` of hosts inside and servers, `outside4`, `outside6` of the
    others, `shift` (added to every network's number), `nat`, and `hosts`, a table of tables that
    sets any of a host's fields. Raises NettrusionError for a setting that is none.
    """
    known: dict[str, Any] = {
        "prefix4": INSIDE4,
        "prefix6": INSIDE6,
        "outside4": OUTSIDE4,
        "outside6": OUTSIDE6,
        "shift": 0,
        "nat": False,
        "hosts": {},
    }
    given = {**known, **_known("network", settings or {}, known)}
    tables = _known("network.hosts", given["hosts"], {host.name: None for host in HOSTS})
    hosts = {}
    for host in HOSTS:
        four, six = ("outside4", "outside6") if host.side == "outside" else ("prefix4", "prefix6")
        own = {"number": host.number + given["shift"], "prefix4": given[four], "prefix6": given[six]}
        allowed = {one.name: None for one in fields(Host) if one.name not in ("name", "side")}
        own |= _known(f"network.hosts.{host.name}", tables.get(host.name, {}), allowed)
        hosts[host.name] = replace(host, **own)
    nets = [(host.prefix4, host.number) for host in hosts.values()]
    if len(set(nets)) < len(nets) or not all(0 < number < 255 for _, number in nets):
        raise NettrusionError(f"network.hosts: each needs a number of its own from 1 to 254, not {nets}.")
    return World(hosts, passwords(random.Random(f"{seed} passwords")), bool(given["nat"]))


def _known(where: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}."
            raise NettrusionError(f"{where}: there is no `{key}`; {hint}")
    return given


def command(*words: str, stdin: str = "") -> str:
    """Run a command of the set-up and return what it printed; NettrusionError with its words if it fails."""
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise NettrusionError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inside(host: Host | str, words: Sequence[str]) -> list[str]:
    """Return the command that runs `words` in a host's namespace; `Network.enter` is cheaper."""
    return ["ip", "netns", "exec", host if isinstance(host, str) else host.name, *words]


def setns(handle: int) -> None:
    """Move the calling thread, and no other, into the network namespace of an open file."""
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "setns")


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Move the calling thread into a named network namespace, and back at the end.

    A program or thread that it starts meanwhile is and stays there.
    """
    with ExitStack() as stack:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, before)
        there = os.open(NAMESPACES / name, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, there)
        setns(there)
        stack.callback(setns, before)
        yield


class Network:
    """The hosts, their links and the router; made on entry, taken down on exit, error or not.

    A host with a delay, loss or speed hangs on a `training.testbed.wire`, or on a veth pair with
    netem where the kernel has that and one distance will do for all of the host's addresses; the
    others hang on a plain veth pair. The router is the namespace
    that enters this. No host has a default route: there is nothing beyond the world. With
    `World.nat` the hosts inside hang on the namespace `gateway` instead, see `training.testbed.nat`.
    """

    def __init__(self, world: World, seed: int) -> None:
        """Prepare; nothing is made before the network is entered."""
        self.world = world
        self._seed = seed
        self._gateway = nat.gateway(world) if world.nat else None
        self._nets = {host.prefix4: host.prefix6 for host in world.hosts.values()}
        self._wires: dict[str, subprocess.Popen[str]] = {}
        self._netem: bool | None = None
        self._made: list[str] = []
        self._translations: nat.Translations | None = None

    def __enter__(self) -> "Network":
        """Make the namespaces and links."""
        try:
            command("ip", "link", "set", "lo", "up")
            _forward()
            for host in self._hosts():
                self._open(host)
            for host in self._hosts():
                self._join(host)
            self._address_web()
            if self._gateway:
                self._translate(self._gateway)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the wires and remove the namespaces with all that is in them."""
        self._remove()

    @contextmanager
    def enter(self, host: Host | str) -> Iterator[None]:
        """Move the calling thread into a host's network; programs that it starts there stay there."""
        with entered(host if isinstance(host, str) else host.name):
            yield

    def capture_links(self) -> dict[str, tuple[str, ...]]:
        """Return the router's links, each with the router's own addresses on it: MAC, then IP.

        Every packet between two of them arrives on exactly one. With `World.nat` there is one link
        for all hosts inside, and what they say to each other passes none.
        """
        links: dict[str, tuple[str, ...]] = {}
        for host in self._hosts():
            if self._router_of(host) is None:
                link_local = f"fe80::77:ff:fe00:{host.number:x}01"
                own = (f"{_mac(host)}:01", f"{_net4(host)}.1", f"{_net6(host)}::1", link_local)
                links[f"to-{host.name}"] = own
        return links

    def translations(self) -> list[nat.Translation]:
        """Return what the gateway has translated until now, in order of time; empty without NAT."""
        return self._translations.so_far() if self._translations else []

    def losses(self) -> dict[str, int]:
        """Return for each host how many frames its link's ends dropped because nobody fetched them in time."""
        lost = {}
        for host in self._hosts():
            at = self._router_of(host)
            show = ["ip", "-s", "-j", "link", "show", "dev"]
            near = command(*(inside(at, show) if at else show), f"to-{host.name}")
            far = command(*inside(host, show), f"at-{host.name}")
            ends = [json.loads(said)[0]["stats64"]["tx"]["dropped"] for said in (near, far)]
            lost[host.name] = sum(ends)
        return lost

    def _hosts(self) -> list[Host]:
        gateway = [self._gateway] if self._gateway else []
        return [*gateway, *self.world.hosts.values()]

    def _router_of(self, host: Host) -> Host | None:
        """Return on which host's namespace a host's link ends; None: the router's."""
        return self._gateway if host.side == "inside" and host is not self._gateway else None

    def _open(self, host: Host) -> None:
        """Make a host's namespace and start what carries its frames."""
        command("ip", "netns", "add", host.name)
        self._made.append(host.name)
        with self.enter(host):
            for key, value in SYSCTLS.items():
                Path("/proc/sys/net/ipv6/conf/default", key).write_text(value)
        near, far = f"to-{host.name}", f"at-{host.name}"
        line = self._line(host)
        if line.is_plain or self._by_netem(line):
            command("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        else:
            self._wires[host.name] = subprocess.Popen(
                wire.words(near, far, line), cwd=SOURCE_TREE, stdout=subprocess.PIPE, text=True
            )

    def _join(self, host: Host) -> None:
        """Connect a host with the router or the gateway: addresses and routes at both ends."""
        if host.name in self._wires and stdout_line(self._wires[host.name].stdout) != "ready":
            raise NettrusionError(f"the wire to {host.name} did not start; is /dev/net/tun usable?")
        near, far, at = f"to-{host.name}", f"at-{host.name}", self._router_of(host)
        line = self._line(host)
        command("ip", "link", "set", far, "netns", host.name)
        if at:
            command("ip", "link", "set", near, "netns", at.name)
        router = [f"{_net4(host)}.1/24", f"{_net6(host)}::1/64"]
        own = [f"{one}/24" for one in host.all_v4] + [f"{one}/64" for one in host.all_v6]
        for place, link, end, addresses in ((at, near, "01", router), (host, far, "10", own)):
            prefix = inside(place, []) if place else []
            command(*prefix, "ethtool", "-K", link, *QUIET)
            lines = [f"link set {link} address {_mac(host)}:{end}"]
            lines += [f"address add {one} dev {link}{' nodad' * (':' in one)}" for one in addresses]
            lines += [f"link set {link} txqueuelen 10000 up"]
            if place is host:
                lines += ["link set lo up"]
                for four, six in self._nets.items():
                    lines += [f"route add {four}.0.0/16 via {_net4(host)}.1"]
                    lines += [f"route add {six}::/{16 * len(six.split(':'))} via {_net6(host)}::1"]
                # Multicast and broadcast go out on the only link there is.
                lines += [f"route add 224.0.0.0/4 dev {link}", f"route add 255.255.255.255/32 dev {link}"]
            command(*prefix, "ip", "-batch", "-", stdin="\n".join(lines) + "\n")
            if self._by_netem(line):
                command(*prefix, *wire.netem(link, line))

    def _line(self, host: Host) -> wire.Line:
        """Return what a host's link does to frames."""
        addresses = (*host.all_v4, *host.all_v6)
        how = (host.delay_ms, host.jitter_ms, host.loss, host.rate_mbit, host.spread_ms)
        return wire.Line(*how, addresses, self._seed)

    def _by_netem(self, line: wire.Line) -> bool:
        """Whether the kernel's netem does what this line does."""
        if line.is_plain or line.spread_ms:
            return False
        if self._netem is None:
            # On the loopback of the host that was made last, which has nothing to carry yet.
            probe = inside(self._made[-1], wire.netem("lo", line))
            self._netem = not subprocess.run(probe, capture_output=True).returncode
            if self._netem:
                command(*inside(self._made[-1], ["tc", "qdisc", "delete", "dev", "lo", "root"]))
        return self._netem

    def _address_web(self) -> None:
        """Give the host `web` its spare address, and the router neighbours that stay silent."""
        web = self.world.host("web")
        command(*inside(web, ["ip", "address", "add", f"{self.world.spare}/24", "dev", "at-web"]))
        # The host gets the packets for this address, is no router, and so drops them in silence.
        mac = f"{_mac(web)}:10"
        command("ip", "neighbour", "add", self.world.silent, "lladdr", mac, "dev", "to-web")
        mac = f"{_mac(self.world.host('internet'))}:10"
        gone = [one for pair in self.world.gone for one in pair]
        lines = [f"neighbour add {one} lladdr {mac} dev to-internet" for one in gone]
        command("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def _translate(self, gateway: Host) -> None:
        with self.enter(gateway):
            _forward()
            command("nft", "-f", "-", stdin=nat.rules(f"at-{gateway.name}"))
            self._translations = nat.Translations()
            self._translations.start()
        for host in self.world.hosts.values():
            if host.side == "inside":
                command("ip", "route", "add", f"{_net6(host)}::/64", "via", gateway.v6)

    def _remove(self) -> None:
        if self._translations:
            self._translations.stop()
        for one in self._wires.values():
            one.kill()
            one.communicate()
        # A link goes with its namespace, but a moment later; its name is to be free now.
        for name in self._made:
            subprocess.run(["ip", "link", "delete", f"to-{name}"], capture_output=True)
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
        self._wires.clear()
        self._made.clear()


def _forward() -> None:
    """Make the namespace of the calling thread a router."""
    for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        Path("/proc/sys/net", key).write_text("1")


def _mac(host: Host) -> str:
    """Return the first five bytes of the MAC addresses at both ends of a host's link."""
    return f"02:77:00:00:{host.number:02x}"


def _net4(host: Host) -> str:
    return host.v4.rpartition(".")[0]


def _net6(host: Host) -> str:
    return host.v6.partition("::")[0]


def stdout_line(stream: IO[str] | None) -> str:
    """Return the first line that a program wrote, without its end; empty if it ended instead."""
    return stream.readline().strip() if stream else ""
