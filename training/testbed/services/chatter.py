"""What answers to machines: SNMP agents, the log collector, a printer, the giver of addresses.

Hosts keep the addresses that they have. A host's broadcast for an address reaches the router and
gets no answer, as no relay runs there; what is answered is the unicast (DHCPINFORM) with which a
host asks for what goes with the address that it has.
"""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.world import World

SNMP = """\
agentAddress udp:{v4}:161,udp6:[{v6}]:161
rocommunity public
rocommunity6 public
sysLocation shelf {shelf}
sysContact ada@home.test
sysName {name}
sysServices 72
"""
DHCP = """\
port=0
no-resolv
user=root
listen-address={v4}
bind-interfaces
pid-file={folder}/pid
dhcp-leasefile={folder}/leases
log-dhcp
log-facility={folder}/log
dhcp-authoritative
no-ping
"""


def _furnish_snmp(world: World, rng: random.Random, name: str) -> None:
    host = world.host(name)
    folder = world.folder(f"snmp-{name}")
    folder.mkdir(parents=True, exist_ok=True)
    text = SNMP.format(v4=host.v4, v6=host.v6, shelf=rng.randint(1, 9), name=world.name(name))
    (folder / "snmpd.conf").write_text(text)


def _furnish_snmp_infra(world: World, rng: random.Random) -> None:
    _furnish_snmp(world, rng, "infra")


def _furnish_snmp_web(world: World, rng: random.Random) -> None:
    _furnish_snmp(world, rng, "web")


def _snmpd(world: World, name: str) -> Sequence[Sequence[str]]:
    folder = world.folder(f"snmp-{name}")
    words = ["env", f"SNMP_PERSISTENT_DIR={folder}", "snmpd", "-f", "-C", "-c", f"{folder}/snmpd.conf"]
    return [[*words, "-p", f"{folder}/pid", "-Lf", f"{folder}/log", "-I", "-smux,mteTrigger,mteTriggerConf"]]


def _snmp_infra(world: World) -> Sequence[Sequence[str]]:
    return _snmpd(world, "infra")


def _snmp_web(world: World) -> Sequence[Sequence[str]]:
    return _snmpd(world, "web")


def _furnish_nothing(world: World, rng: random.Random) -> None:
    pass


def _collector(world: World) -> Sequence[Sequence[str]]:
    return [["nc", "-u", "-l", "-k", world.host("infra").v4, "514"]]


def _printer(world: World) -> Sequence[Sequence[str]]:
    return [["nc", "-l", "-k", world.host("infra").v4, "9100"]]


def _furnish_dhcp(world: World, rng: random.Random) -> None:
    folder = world.folder("dhcp")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [DHCP.format(v4=world.host("infra").v4, folder=folder)]
    for host in world.hosts.values():
        if host.side != "outside":
            network = f"{host.prefix4}.{host.number}"
            lines.append(f"dhcp-range={network}.10,{network}.99,255.255.255.0,{rng.choice(('1h', '8h', '24h'))}\n")
    (folder / "dnsmasq.conf").write_text("".join(lines))


def _dhcp(world: World) -> Sequence[Sequence[str]]:
    return [["dnsmasq", "--keep-in-foreground", f"--conf-file={world.folder('dhcp')}/dnsmasq.conf"]]


SNMPD = {"snmpd": "snmpd"}
NC = {"nc": "netcat-openbsd"}
SERVICES = (
    Service("snmp", "infra", _furnish_snmp_infra, _snmp_infra, SNMPD, udp=(161,)),
    Service("snmp-web", "web", _furnish_snmp_web, _snmp_web, SNMPD, udp=(161,)),
    Service("syslog", "infra", _furnish_nothing, _collector, NC, udp=(514,)),
    Service("printer", "infra", _furnish_nothing, _printer, NC, tcp=(9100,)),
    Service("dhcp", "infra", _furnish_dhcp, _dhcp, {"dnsmasq": "dnsmasq-base"}, udp=(67,), logs=("log",)),
)
