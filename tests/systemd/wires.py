"""A wire inside a machine, the sensor on one end, and what goes over it."""

import json
from typing import Any

from tests.packets import ACK, RST, SYN, tcp
from tests.systemd.machine import Machine

UNIT = "nettrusion@wire.service"
LOG = "/var/log/nettrusion/eve.json"
RULES = "/etc/nettrusion/rules/own.rules"
RULE = """\
alert tcp any any -> any any (msg:"OWN scan"; flowbits:isset,ml.alert; \
    threshold:type limit, track by_src, count 1, seconds 300; sid:1000901; rev:1;)
"""
# Closed connections wait a second for stragglers, not five. All that is scored may alert, by a rule of its own: what
# is tried here is the service, and not what the model of the day makes of a few packets.
CONFIG = f"""\
[flows.timeouts]
linger_s = 1

[output]
flow_events = true

[detector]
threshold = 0.0

[rules]
directory = "{RULES.rpartition("/")[0]}"
"""
FILES = {"/etc/nettrusion/sensor.toml": CONFIG, RULES: RULE}
SEND = """\
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind((sys.argv[1], 0))
    for line in sys.stdin:
        wire.send(bytes.fromhex(line))
"""


def lay(machine: Machine, name: str = "wire") -> None:
    """Make a pair of interfaces, `name` and `name-far`."""
    machine.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
    for end in (name, f"{name}-far"):
        machine.run("ip", "link", "set", end, "up")


def send(machine: Machine, frames: list[bytes], name: str = "wire") -> None:
    """Send frames from the far end."""
    machine.run("python3", "-c", SEND, f"{name}-far", stdin="".join(f"{frame.hex()}\n" for frame in frames))


def scan(source: str, ports: int = 40) -> list[bytes]:
    """Return a scan that finds every port closed."""
    frames = []
    for port in range(1, ports + 1):
        frames.append(tcp(source, "10.0.0.1", (40000, port), SYN))
        frames.append(tcp("10.0.0.1", source, (port, 40000), RST | ACK))
    return frames


def greetings(source: str, ports: int) -> list[bytes]:
    """Return as many connections that were opened and not closed."""
    frames = []
    for port in range(1, ports + 1):
        frames.append(tcp(source, "10.0.0.1", (40000, port), SYN))
        frames.append(tcp("10.0.0.1", source, (port, 40000), SYN | ACK))
        frames.append(tcp(source, "10.0.0.1", (40000, port), ACK, b"hello"))
    return frames


def events(machine: Machine, kind: str, path: str = LOG) -> list[dict[str, Any]]:
    """Return the events of a kind that were written so far; every line must be one."""
    lines = [json.loads(line) for line in machine.read(path).splitlines()]
    return [event for event in lines if event["event_type"] == kind]
