"""What scapy reads: files of its formats, exactly, and without a trace on the user's side."""

import builtins
import gzip
import logging
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from sensor.sources import Source, scapy_source
from sensor.sources.scapy_source import ScapyFile, ScapyInterface, load_scapy
from tests.packets import BASE_NS, Timed, connection, pcap
from tests.sensor.sources.reading import Reader, flows_of

PACKETS = [Timed(one.time_ns + 7, one.frame) for one in connection("10.0.0.1", "10.0.0.2", (1000, 80))]
FCS = b"\xde\xad\xbe\xef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.pcap"
    found.write_bytes(pcap(PACKETS))
    return found


def expected():
    from sensor.flows import PROFILES, FlowEngine, Framing

    data = pcap(PACKETS)
    engine = FlowEngine(PROFILES["wire"])
    engine.feed(data, Framing.sniff(data[:4]))
    engine.finish()
    return engine.take()


def erf(packets: list[Timed]) -> bytes:
    """Return an ERF file: Ethernet with its check sequence, records padded to eight bytes."""
    found = b""
    for packet in packets:
        seconds, rest_ns = divmod(packet.time_ns, 10**9)
        stamp = seconds << 32 | -(-(rest_ns << 32) // 10**9)
        frame = packet.frame + FCS
        body = b"\0\0" + frame
        body += bytes(-len(body) % 8)
        found += struct.pack("<Q", stamp) + struct.pack(">BBHHH", 2, 4, 16 + len(body), 0, len(frame)) + body
    return found


def test_a_file_is_a_source_with_an_end(path: Path):
    source: Source = ScapyFile(path)
    assert (source.live, source.begun, source.horizon_ns, source.in_iface) == (False, 1, None, None)
    assert source.size == path.stat().st_size
    assert (flows_of(source) == expected()).all()
    assert source.position == source.size
    assert source.fault is None


def test_nanoseconds_are_kept(path: Path):
    source = ScapyFile(path)
    assert source._records.first_ns == BASE_NS + 7
    source.close()


def test_erf_loses_its_check_sequence_and_nothing_else(tmp_path: Path):
    path = tmp_path / "a.erf"
    path.write_bytes(erf(PACKETS))
    assert (flows_of(ScapyFile(path)) == expected()).all()


def test_a_check_sequence_that_a_capture_declares_is_left_out(path: Path):
    data = bytearray(pcap([Timed(one.time_ns, one.frame + FCS) for one in PACKETS]))
    data[20:24] = struct.pack("<I", 1 | 0x04000000 | 2 << 28)
    path.write_bytes(data)
    assert (flows_of(ScapyFile(path)) == expected()).all()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_packet_that_is_cut_short_is_left_out(pack, path: Path):
    path.write_bytes(pack(pcap(PACKETS)[:-3]))
    source = ScapyFile(path)
    reader = Reader(source)
    while reader.step():
        pass
    assert reader.packets == len(PACKETS) - 1
    source.close()


def test_what_scapy_leaves_unread_is_said(path: Path):
    from tests.sensor.sources.test_records import pcapng

    whole = pcapng()
    path.write_bytes(whole + b"\x06\0\0\0\x02\0\0\0" + whole)
    source = ScapyFile(path)
    reader = Reader(source)
    while reader.step():
        pass
    assert reader.packets == len(PACKETS)
    assert source.fault is not None
    assert source.fault.startswith(f"scapy read {len(whole) + 8} of its {path.stat().st_size} bytes")
    source.close()


@pytest.mark.parametrize("data", [b"", b"x", b"these are notes, long enough to be looked at"])
def test_what_scapy_does_not_know_is_refused(data: bytes, path: Path):
    path.write_bytes(data)
    with pytest.raises(NettrusionError, match="scapy does not know this file"):
        ScapyFile(path)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(NettrusionError, match="cannot open the capture: No such file"):
        ScapyFile(tmp_path / "missing")
    with pytest.raises(NettrusionError, match="is no file"):
        ScapyFile(tmp_path)


def test_a_missing_interface_is_refused():
    with pytest.raises(NettrusionError, match="nothing0: scapy cannot listen on it"):
        ScapyInterface("nothing0")


def test_no_right_is_said_with_what_gives_it(monkeypatch: pytest.MonkeyPatch):
    def refuse(**_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(load_scapy(), "L2listen", refuse)
    with pytest.raises(NettrusionError, match="CAP_NET_RAW"):
        ScapyInterface("eth0")


def test_without_scapy_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("scapy"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NettrusionError, match=r"pip install 'nettrusion\[scapy\]'"):
        ScapyFile(path)


LOAD = """
import sys
from sensor.sources.scapy_source import ScapyFile
source = ScapyFile(sys.argv[1])
source.close()
"""


def test_scapy_says_nothing_and_leaves_nothing_in_the_home(path: Path, tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | {"HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
    assert "XDG_CACHE_HOME" not in environment


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    with scapy_source._no_files():
        assert os.environ["XDG_DATA_HOME"] == os.devnull
    assert os.environ["XDG_CACHE_HOME"] == "/somewhere"
    assert "XDG_DATA_HOME" not in os.environ


def test_its_warnings_are_off():
    load_scapy()
    assert not logging.getLogger("scapy.runtime").isEnabledFor(logging.WARNING)
