"""The system: whether it is one that the sensor can capture on, and as who."""

import errno
import os
import socket
import sys
from collections.abc import Iterator

from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene

SLOW_GOVERNORS = frozenset({"powersave", "conservative"})


def check_system(scene: Scene) -> Iterator[Finding]:
    """Linux with packet sockets."""
    if sys.platform != "linux" or not hasattr(socket, "AF_PACKET"):
        if scene.config.capture.source == "ring":
            yield Finding("system", "fail", f"{sys.platform} has no packet sockets", "run with --source scapy")
        else:
            yield Finding("system", "ok", f"{sys.platform}, which {scene.config.capture.source} can do")
        return
    yield Finding("system", "ok", f"Linux {os.uname().release}, Python {sys.version.split()[0]}")
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            remedy = "modprobe af_packet; in a unit or a container, allow the address family AF_PACKET"
            yield Finding("packet sockets", "fail", "the kernel has none here", remedy)


def check_capability(scene: Scene) -> Iterator[Finding]:
    """The right to open a packet socket, in this very process."""
    if scene.may_capture:
        yield Finding("capability", "ok", "CAP_NET_RAW is effective")
        return
    names = scene.config.capture.interfaces or ("IFACE",)
    yield Finding(
        "capability",
        "fail",
        f"CAP_NET_RAW is not effective for user {os.geteuid()}",
        f"ask again with sudo; the service has it: systemctl start nettrusion@{names[0]}",
    )


def check_processors(scene: Scene) -> Iterator[Finding]:
    """Enough cores for the workers, not put to sleep; nothing dropped before a capture could see it."""
    capture = scene.config.capture
    cores, workers = len(os.sched_getaffinity(0)), capture.workers * max(1, len(capture.interfaces))
    found = f"{cores} cores for {workers} capture workers and one that scores"
    if workers > cores:
        yield Finding("processors", "warning", found, "make capture.workers smaller: more than cores gain nothing")
    else:
        yield Finding("processors", "ok", found)
    governor = scene.read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor in SLOW_GOVERNORS:
        remedy = "under load: cpupower frequency-set -g performance"
        yield Finding("clock rate", "note", f"the governor is {governor}", remedy)
    rows = [line.split() for line in (scene.read("/proc/net/softnet_stat") or "").splitlines()]
    dropped = sum(int(row[1], 16) for row in rows if len(row) > 1)
    if dropped:
        backlog = scene.number("/proc/sys/net/core/netdev_max_backlog") or 1000
        yield Finding(
            "backlog",
            "warning",
            f"the kernel dropped {dropped} packets before any capture since it started",
            f"sysctl -w net.core.netdev_max_backlog={backlog * 4}",
        )
