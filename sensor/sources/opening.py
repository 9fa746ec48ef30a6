"""Open what the configuration names: an interface by way of the kernel's ring, scapy or tshark."""

import socket
from pathlib import Path

from sensor.config import CaptureConfig
from sensor.sources import Source, open_capture
from sensor.sources.ring import open_rings
from sensor.sources.scapy_source import ScapyFile, ScapyInterface
from sensor.sources.tshark_source import TsharkFile, TsharkInterface


def open_live(name: str, capture: CaptureConfig) -> list[Source]:
    """Open an interface by the source that `[capture]` names; one source for each worker of a ring.

    scapy and tshark take a file's name as well; that source then has an end. They have one worker.

    Raises NettrusionError, with a remedy, for whatever keeps it from being captured.
    """
    if capture.source == "ring":
        return list(open_rings(name, capture))
    if capture.source == "scapy":
        if _is_file(name):
            return [ScapyFile(name)]
        return [
            ScapyInterface(
                name,
                capture_filter=capture.filter,
                promiscuous=capture.promiscuous,
                snap_bytes=capture.snap_bytes,
            )
        ]
    if _is_file(name):
        return [TsharkFile(name)]
    return [
        TsharkInterface(
            name,
            capture_filter=capture.filter,
            promiscuous=capture.promiscuous,
            snap_bytes=capture.snap_bytes,
            buffer_mb=capture.ring_mb,
        )
    ]


def open_file(name: str, source: str = "file") -> Source:
    """Open one capture by the source that is named: `file`, `scapy` or `tshark`.

    Raises NettrusionError, with a remedy, when that source cannot read it.
    """
    if source == "scapy":
        return ScapyFile(name)
    if source == "tshark":
        return TsharkFile(name)
    return open_capture(name)


def _is_file(name: str) -> bool:
    """Return whether a name is that of a file; an interface of the same name comes first."""
    return Path(name).is_file() and name not in {known for _, known in socket.if_nameindex()}
