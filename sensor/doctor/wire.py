"""The interfaces: there, up, readable, with a ring of the configured size, and what comes in."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from sensor.config import CaptureConfig
from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene
from sensor.errors import NettrusionError
from sensor.sources.addresses import addresses_of
from sensor.sources.interface import Interface, home_networks
from sensor.sources.libpcap import compile_filter
from sensor.sources.offloads import advice, offloads_of
from sensor.sources.ring import RingSource, open_rings

LOOK_AGAIN_S = 0.1
LOST = ("rx_missed_errors", "rx_fifo_errors")


def check_interfaces(scene: Scene) -> Iterator[Finding]:
    """Each interface: whether it is there and up, its frames, its filter, its offloads, its own losses."""
    names = scene.config.capture.interfaces
    if not names:
        yield Finding("interface", "note", "none was named, so none was checked", "name one: nettrusion doctor -i eth0")
    for name in names:
        yield from _check_interface(scene, name)
    yield _check_home(scene)


def check_rings(scene: Scene) -> Iterator[Finding]:
    """The rings of all interfaces at once, as the sensor allocates them, and what comes in for a moment."""
    capture = scene.config.capture
    names = [name for name in capture.interfaces if Interface.look(name) is not None]
    if capture.source != "ring" or not names:
        return
    size = f"{capture.workers} x {capture.ring_mb} MiB"
    if not scene.may_capture:
        for name in names:
            yield Finding(f"ring {name}", "note", f"{size} not checked: that needs CAP_NET_RAW")
        return
    with ExitStack() as opened:
        rings: dict[str, list[RingSource]] = {}
        for name in names:
            try:
                rings[name] = open_rings(name, capture)
            except NettrusionError as error:
                yield Finding(f"ring {name}", "fail", str(error))
                continue
            for ring in rings[name]:
                opened.callback(ring.close)
            said = [notice for ring in rings[name] for notice in ring.notices() if "ring" in notice]
            yield Finding(f"ring {name}", "warning" if said else "ok", "; ".join(said) or f"{size} allocated")
        yield from _traffic(rings, scene.look_s)


def _traffic(rings: dict[str, list[RingSource]], look_s: float) -> Iterator[Finding]:
    """Count packets, as the kernel does, until each interface has had some or the time is up."""
    until_s = time.monotonic() + look_s
    seen = dict.fromkeys(rings, 0)
    while time.monotonic() < until_s and not all(seen.values()):
        time.sleep(min(LOOK_AGAIN_S, look_s))
        for name, ours in rings.items():
            seen[name] = sum(ring.counters["kernel_packets"] for ring in ours)
    for name, packets in seen.items():
        if packets:
            yield Finding(f"traffic {name}", "ok", f"{packets} packets while looking")
        else:
            remedy = "if there should be some, see to the mirror port, the cable or capture.filter"
            yield Finding(f"traffic {name}", "note", f"no packet within {look_s:g} s", remedy)


def _check_interface(scene: Scene, name: str) -> Iterator[Finding]:
    capture = scene.config.capture
    if capture.source != "ring":
        yield Finding(f"interface {name}", "note", f"left to {capture.source}")
        return
    try:
        found = Interface.find(name)
        link_type = found.link_type
    except NettrusionError as error:
        yield Finding(f"interface {name}", "fail", str(error).removeprefix(f"{name}: "))
        return
    frames = "bare IP" if link_type == 101 else "loopback" if found.loopback else "Ethernet"
    words = f"{frames}, MTU {found.mtu}"
    if not found.up:
        remedy = f"capture begins when it is up: ip link set {name} up"
        yield Finding(f"interface {name}", "warning", f"is down, {words}", remedy)
    elif scene.read(f"/sys/class/net/{name}/carrier") == "0":
        yield Finding(f"interface {name}", "warning", f"is up without a carrier, {words}", "see to the cable")
    else:
        yield Finding(f"interface {name}", "ok", f"is up, {words}")
    yield from _check_filter(capture, name, link_type)
    yield from _check_offloads(scene, found)


def _check_filter(capture: CaptureConfig, name: str, link_type: int) -> Iterator[Finding]:
    if not capture.filter.strip():
        return
    try:
        program = compile_filter(capture.filter, name, link_type)
    except NettrusionError as error:
        yield Finding(f"filter {name}", "fail", str(error))
    else:
        yield Finding(f"filter {name}", "ok", f"{capture.filter}: {len(program)} instructions")


def _check_offloads(scene: Scene, found: Interface) -> Iterator[Finding]:
    name = found.name
    if found.loopback:
        return
    # What the machine itself sends passes here only if it has an address here.
    own = bool(addresses_of(name))
    joining = [offload for offload in offloads_of(name) if own or offload in ("gro", "lro")]
    if joining:
        yield Finding(f"offloads {name}", "warning", advice(name, joining).removeprefix(f"{name}: "))
    else:
        yield Finding(f"offloads {name}", "ok", "none joins packets before they are captured")
    lost = sum(scene.number(f"/sys/class/net/{name}/statistics/{counter}") or 0 for counter in LOST)
    if lost:
        remedy = f"give it more room: ethtool -g {name}, then ethtool -G {name} rx MAXIMUM"
        yield Finding(f"card {name}", "warning", f"it lost {lost} packets before the kernel had them", remedy)


def _check_home(scene: Scene) -> Finding:
    """Say what $HOME_NET is."""
    wanted = scene.config.sensor.home_net
    if wanted != "auto":
        return Finding("home_net", "ok", f"{wanted}, as configured")
    networks = home_networks(scene.config.capture.interfaces)
    if networks is None:
        remedy = "if other networks are yours, name them: sensor.home_net"
        return Finding("home_net", "ok", "private and link-local networks: no address on the interfaces", remedy)
    return Finding("home_net", "ok", f"{networks}, of the interfaces")
