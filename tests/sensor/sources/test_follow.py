"""A folder that fills is read like one capture, whatever its writer does."""

import errno
import gzip
import os
import shutil
import subprocess
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from sensor.errors import NettrusionError
from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources import Source, folder
from sensor.sources.follow import FollowSource
from tests.packets import BASE_NS, MS, Timed, connection, pcap
from tests.sensor.sources.reading import Reader

HEAD_BYTES = 24
# 40 connections that overlap: 10 ms between their beginnings, 110 ms long.
PACKETS = sorted(
    (
        packet
        for number in range(40)
        for packet in connection("10.0.0.1", "10.0.0.2", (2000 + number, 80), BASE_NS + number * 10 * MS)
    ),
    key=lambda packet: packet.time_ns,
)


@pytest.fixture(autouse=True)
def look_always(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder, "RESCAN_S", 0.0)
    monkeypatch.setattr(folder, "SETTLE_S", 0.0)


def horizon_ns(reader: Reader) -> int:
    found = reader.source.horizon_ns
    assert found is not None
    return found


def split(parts: int) -> list[list[Timed]]:
    """Return the packets in so many runs."""
    ends = [len(PACKETS) * part // parts for part in range(parts + 1)]
    return [PACKETS[begin:end] for begin, end in pairwise(ends)]


def whole_flows():
    data = pcap(PACKETS)
    engine = FlowEngine(PROFILES["wire"])
    engine.feed(data, Framing.sniff(data[:4]))
    engine.finish()
    return engine.take()


def follow(path: Path, **options: bool) -> Reader:
    source: Source = FollowSource(path, **options)
    assert (source.live, source.in_iface, source.framing, dict(source.counters)) == (True, None, "capture", {})
    return Reader(source)


def test_flows_that_span_files_go_on(tmp_path: Path):
    for number, part in enumerate(split(7)):
        (tmp_path / f"{number}.pcap").write_bytes(pcap(part))
    reader = follow(tmp_path)
    reader.until(lambda: reader.packets == len(PACKETS))
    assert reader.source.begun == 7
    assert reader.source.name == str(tmp_path / "6.pcap")
    assert (reader.flows() == whole_flows()).all()
    assert reader.notices == []


def test_a_file_that_grows_byte_by_byte_is_read_as_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sensor.sources.follow.WAIT_S", 0.0)
    data = pcap(PACKETS[:6])
    reader = follow(tmp_path)
    with (tmp_path / "a").open("wb", buffering=0) as file:
        for at in range(0, len(data), 13):
            file.write(data[at : at + 13])
            reader.step()
    reader.until(lambda: reader.packets == 6)
    assert reader.source.begun == 1
    assert reader.source.position == len(data)


def test_silence_is_an_empty_window_in_time_and_time_goes_on(tmp_path: Path):
    reader = follow(tmp_path)
    assert reader.source.horizon_ns is None, "no clock before a packet"
    begin = time.monotonic()
    assert reader.source.more()
    assert time.monotonic() - begin < 1
    (tmp_path / "a").write_bytes(pcap(PACKETS)[:-1])
    reader.until(lambda: reader.packets == len(PACKETS) - 1)
    reader.until_silent()
    first = horizon_ns(reader)
    reader.until_silent()
    second = horizon_ns(reader)
    assert PACKETS[-2].time_ns - 10 * 10**9 <= first < second < PACKETS[-2].time_ns


def test_the_rest_of_a_file_is_read_after_a_newer_one_has_begun(tmp_path: Path):
    first, second = split(2)
    data = pcap(first)
    (tmp_path / "a").write_bytes(data[:-500])
    reader = follow(tmp_path)
    reader.until_silent()
    with (tmp_path / "a").open("ab") as file:
        file.write(data[-500:])
    (tmp_path / "b").write_bytes(pcap(second))
    reader.until(lambda: reader.packets == len(PACKETS))
    assert (reader.flows() == whole_flows()).all()


def test_a_record_that_a_file_cuts_short_is_said_when_it_is_done_with(tmp_path: Path):
    first, second = split(2)
    (tmp_path / "a").write_bytes(pcap(first)[:-5])
    reader = follow(tmp_path)
    reader.until_silent()
    assert reader.notices == []
    (tmp_path / "b").write_bytes(pcap(second))
    reader.until(lambda: reader.packets == len(PACKETS) - 1)
    rest_bytes = 16 + len(first[-1].frame) - 5
    assert reader.notices == [f"{tmp_path / 'a'}: ends {rest_bytes} bytes into a record"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_compressed_files_stand_among_the_others(pack, tmp_path: Path):
    first, second, third = split(3)
    (tmp_path / "a").write_bytes(pcap(first))
    (tmp_path / "b.packed").write_bytes(pack(pcap(second)))
    (tmp_path / "c").write_bytes(pcap(third))
    reader = follow(tmp_path)
    reader.until(lambda: reader.packets == len(PACKETS))
    assert (reader.flows() == whole_flows()).all()


def test_a_compressed_file_that_ends_early_is_said(tmp_path: Path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(pcap(PACKETS))[:-20])
    reader = follow(tmp_path)
    reader.until(lambda: bool(reader.notices))
    assert reader.notices == [f"{tmp_path / 'a.gz'}: the gzip data ends early"]


def test_a_file_that_is_removed_is_read_to_its_end(tmp_path: Path):
    first, second = split(2)
    path = tmp_path / "a"
    path.write_bytes(pcap(first))
    reader = follow(tmp_path)
    reader.step()
    path.unlink()
    (tmp_path / "b").write_bytes(pcap(second))
    reader.until(lambda: reader.packets == len(PACKETS))
    assert (reader.flows() == whole_flows()).all()
    assert reader.notices == [f"{path}: was removed while it was read; it was read to its end"]


def test_a_file_that_is_cut_is_read_again(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(pcap(PACKETS))
    reader = follow(tmp_path)
    reader.until_silent()
    path.write_bytes(pcap(PACKETS[:5]))
    reader.until(lambda: reader.packets == len(PACKETS) + 5)
    assert reader.source.begun == 2
    assert reader.notices == [f"{path}: was cut while it was read; it is read again from its beginning"]


def test_damage_ends_one_file_and_not_the_reading(tmp_path: Path):
    first, second = split(2)
    (tmp_path / "a").write_bytes(pcap(first) + b"\xff" * 1000 + pcap(PACKETS))
    (tmp_path / "b").write_bytes(pcap(second))
    reader = follow(tmp_path)
    reader.until(lambda: reader.packets == len(PACKETS))
    assert (reader.flows() == whole_flows()).all()
    assert reader.notices == [f"{tmp_path / 'a'}: is damaged: no record can begin where the next one should"]


def test_only_the_newest_is_read_where_that_is_wished(tmp_path: Path):
    for number, part in enumerate(split(4)):
        (tmp_path / f"{number}.pcap").write_bytes(pcap(part))
    reader = follow(tmp_path, existing=False)
    reader.until_silent()
    assert reader.packets == len(split(4)[-1])


def test_closing_ends_a_wait_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sensor.sources.follow.WAIT_S", 60.0)
    source = FollowSource(tmp_path)
    threading.Timer(0.05, source.close).start()
    begin = time.monotonic()
    assert not source.more()
    assert time.monotonic() - begin < 30
    assert not source.more()


def test_what_is_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(NettrusionError, match="cannot follow this folder"):
        FollowSource(tmp_path / "missing")


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="needs the program tcpdump")
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_what_tcpdump_writes_by_size_is_one_capture(compress: bool, tmp_path: Path):
    """tcpdump -C numbers its files x, x1, x2, ...; -z compresses each when it is full."""
    packets = [
        Timed(packet.time_ns + turn * 10**9, packet.frame) for turn in range(30) for packet in PACKETS for _ in "12"
    ]
    begin, out = tmp_path / "all.pcap", tmp_path / "out"
    begin.write_bytes(pcap(packets))
    out.mkdir()
    command = ["tcpdump", "-n", "-r", str(begin), "-C", "1", "-w", str(out / "x")]
    command += ["-Z", "root"] if not os.geteuid() else []
    command += ["-z", "gzip"] if compress else []
    reader = follow(out)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        reader.until(lambda: reader.packets == len(packets))
        assert process.wait(30) == 0
    assert reader.source.begun == len(list(out.iterdir())) > 3
    assert [line for line in reader.notices if "was removed" not in line] == []


@pytest.mark.parametrize("name", ["b", "b.gz"])
def test_a_file_that_is_gone_before_its_turn_is_skipped(name: str, tmp_path: Path):
    data = [pcap(part) for part in split(3)]
    (tmp_path / "a").write_bytes(data[0])
    (tmp_path / name).write_bytes(gzip.compress(data[1]) if name.endswith(".gz") else data[1])
    (tmp_path / "c").write_bytes(data[2])
    reader = follow(tmp_path)
    (tmp_path / name).unlink()
    reader.until(lambda: reader.packets == len(split(3)[0]) + len(split(3)[2]))
    (notice,) = reader.notices
    assert notice.startswith(f"{tmp_path / name}: cannot be opened")


def test_a_file_that_the_disk_no_longer_gives_is_left_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = split(2)
    (tmp_path / "a").write_bytes(pcap(first))
    reader = follow(tmp_path)
    reader.until_silent()

    def fail(*arguments: object) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as broken:
        broken.setattr("sensor.sources.follow.os.pread", fail)
        reader.step()
    (tmp_path / "b").write_bytes(pcap(second))
    reader.until(lambda: reader.packets == len(PACKETS))
    assert reader.notices == [f"{tmp_path / 'a'}: cannot be read any further: Stale file handle"]
