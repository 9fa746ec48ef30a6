"""The configuration's source decides what opens a name, and its keys arrive."""

from pathlib import Path
from typing import Any

import pytest

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources import opening
from sensor.sources.opening import open_file, open_live
from sensor.sources.scapy_source import ScapyFile
from tests.packets import connection, pcap

KEYS: Any = {"filter": "tcp", "promiscuous": False, "snap_bytes": 128, "ring_mb": 8}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Put what notes its call in the place of all that opens."""
    noted: list[Any] = []
    for name in ("ScapyFile", "ScapyInterface", "TsharkFile", "TsharkInterface"):
        monkeypatch.setattr(opening, name, lambda what, name=name, **how: noted.append((name, what, how)))

    def rings(what: str, capture: CaptureConfig) -> list[Any]:
        noted.append(("rings", what, capture))
        return []

    monkeypatch.setattr(opening, "open_rings", rings)
    return noted


def test_a_ring_takes_the_whole_section(calls: list[Any]):
    capture = CaptureConfig(**KEYS)
    open_live("eth0", capture)
    assert calls == [("rings", "eth0", capture)]


def test_the_keys_reach_scapy(calls: list[Any]):
    open_live("eth0", CaptureConfig(source="scapy", **KEYS))
    assert calls == [("ScapyInterface", "eth0", {"capture_filter": "tcp", "promiscuous": False, "snap_bytes": 128})]


def test_the_keys_reach_tshark(calls: list[Any]):
    open_live("sshdump", CaptureConfig(source="tshark", **KEYS))
    expected = {"capture_filter": "tcp", "promiscuous": False, "snap_bytes": 128, "buffer_mb": 8}
    assert calls == [("TsharkInterface", "sshdump", expected)]


@pytest.mark.parametrize(("source", "kind"), [("scapy", "ScapyFile"), ("tshark", "TsharkFile")])
def test_a_file_is_read_as_one(source: str, kind: str, calls: list[Any], tmp_path: Path):
    path = tmp_path / "a.pcap"
    path.write_bytes(b"x")
    open_live(str(path), CaptureConfig(source=source))
    assert calls == [(kind, str(path), {})]


def test_an_interface_comes_before_a_file_of_its_name(
    calls: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("lo").write_bytes(b"x")
    open_live("lo", CaptureConfig(source="scapy"))
    assert calls[0][0] == "ScapyInterface"


def test_what_is_opened_is_a_source(tmp_path: Path):
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (1, 2))))
    (source,) = open_live(str(path), CaptureConfig(source="scapy"))
    assert isinstance(source, ScapyFile)
    source.close()


def test_what_cannot_be_opened_is_said():
    with pytest.raises(NettrusionError, match="nothing0"):
        open_live("nothing0", CaptureConfig(source="scapy"))


def test_a_file_is_opened_by_the_source_that_is_named(calls, tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (1, 2))))
    opened = open_file(str(path))
    assert (opened.name, opened.live) == (str(path), False)
    opened.close()
    open_file("a.erf", "scapy")
    open_file("a.snoop", "tshark")
    assert calls == [("ScapyFile", "a.erf", {}), ("TsharkFile", "a.snoop", {})]
