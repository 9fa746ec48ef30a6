"""Memory: what the configuration may come to need, against what there is."""

from collections.abc import Iterator

from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene
from sensor.flows import FLOW_DTYPE

BASE_BYTES = 150 << 20
"""The interpreter, NumPy, ONNX Runtime and a model."""
FLOW_BYTES = 1_200
"""An open flow in the table, its place in the index included."""
HOSTS_BYTES = 40 << 20
"""What a worker's engine remembers of hosts and pairs of hosts, when all of it is in use."""


def needed_bytes(scene: Scene) -> int:
    """Return the most that the configuration lets the sensor take, kernel's rings included."""
    config = scene.config
    capture = config.capture
    workers = capture.workers * max(1, len(capture.interfaces)) if capture.source == "ring" else 1
    rings = capture.ring_mb * workers if capture.source == "ring" else 0
    queues = sum(sink.queue_mb for sink in config.sinks.values()) or 16
    return (
        BASE_BYTES
        + config.flows.max_flows * FLOW_BYTES
        + workers * HOSTS_BYTES
        + config.daemon.waiting_flows * FLOW_DTYPE.itemsize
        + (rings + queues << 20)
    )


def check_memory(scene: Scene) -> Iterator[Finding]:
    """Compare that with what is free, and with what the machine or the control group has at all."""
    needed = needed_bytes(scene)
    available, total = _kilobytes(scene, "MemAvailable"), _kilobytes(scene, "MemTotal")
    limit = _limit(scene)
    most = min((size for size in (total, limit) if size is not None), default=None)
    found = f"{_mib(needed)} at most for flows, rings and queues"
    remedy = "make flows.max_flows, capture.ring_mb or capture.workers smaller"
    if most is not None and needed > most:
        yield Finding("memory", "fail", f"{found}, and there are {_mib(most)} in all", remedy)
    elif available is not None and needed > available:
        yield Finding("memory", "warning", f"{found}, and {_mib(available)} are free", remedy)
    elif available is None:
        yield Finding("memory", "note", f"{found}; what is free cannot be read")
    else:
        yield Finding("memory", "ok", f"{found}; {_mib(available)} are free")


def _kilobytes(scene: Scene, name: str) -> int | None:
    words = (scene.field("/proc/meminfo", name) or "").split()
    return int(words[0]) << 10 if words and words[0].isdigit() else None


def _limit(scene: Scene) -> int | None:
    """Return the limit of the control group, None where there is none or it cannot be known."""
    group = next((line[3:] for line in (scene.read("/proc/self/cgroup") or "").splitlines() if line[:3] == "0::"), "/")
    return scene.number(f"/sys/fs/cgroup{group.rstrip('/')}/memory.max")


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
