"""`nettrusion extract`, end to end through the command line."""

import csv
import gzip
import io
import struct
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sensor import cli
from sensor.cli import main
from sensor.features import FeatureSet
from sensor.features.published import IDENTITY

HOSTS = {7: bytes([10, 0, 0, 7]), 9: bytes([10, 0, 0, 9])}


def udp(src: int, dst: int, port: int, payload: bytes) -> bytes:
    """Return an Ethernet frame with a datagram between two hosts, from `port` to 53 or back."""
    ports = (port, 53) if src == 7 else (53, port)
    datagram = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0)
    return bytes(12) + b"\x08\x00" + header + HOSTS[src] + HOSTS[dst] + datagram


def pcap(*frames: tuple[int, bytes]) -> bytes:
    """Return a capture of (microsecond, frame) pairs."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for us, frame in frames:
        out += struct.pack("<IIII", us // 10**6, us % 10**6, len(frame), len(frame)) + frame
    return out


QUESTION, ANSWER = udp(7, 9, 4000, b"who?"), udp(9, 7, 4000, b"me, of course")
CAPTURE = pcap(
    (1_000_000, QUESTION),
    (1_000_250, ANSWER),
    (2_000_000, udp(7, 9, 4001, b"?")),
    (2_000_001, bytes(12) + b"\x08\x06" + bytes(46)),
)


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line know this command in a tree that is not installed, too."""
    point = EntryPoint("extract", "sensor.cli.extract", cli.GROUP)
    monkeypatch.setattr(cli, "commands", lambda: {"extract": point})


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "dns.pcap"
    path.write_bytes(CAPTURE)
    return path


def run(*arguments: object) -> int:
    return main(["extract", *map(str, arguments)])


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_capture_becomes_a_table(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    out = tmp_path / "flows.csv"
    assert run(capture, "-o", out) == 0
    rows = {row["Src Port"]: row for row in read(out.read_text())}
    assert len(rows) == 2
    pair = rows["4000"]
    assert pair["Flow ID"] == "10.0.0.7-10.0.0.9-4000-53-17"
    assert pair["Timestamp"] == "1970-01-01 00:00:01"
    assert (pair["Flow Duration"], pair["Total Length of Bwd Packet"]) == ("250", "13")
    assert float(pair["Flow Bytes/s"]) == pytest.approx(17 / 250e-6)
    assert rows["4001"]["Flow Bytes/s"] == "Infinity"
    assert rows["4001"]["Flow IAT Mean"] == "NaN"
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second = shown.err.splitlines()
    assert first == "1 capture, 4 packets, 2 flows"
    assert second.startswith("packets in no flow: 1 ")


def test_standard_output(capture: Path, capsys: pytest.CaptureFixture):
    assert run(capture, "-o", "-") == 0
    assert len(read(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    ("arguments", "columns", "rows"),
    [
        (["--variant", "fork"], 94, 2),
        (["--variant", "legacy"], 84, 1),  # which leaves flows of one packet out
        (["--variant", "legacy", "--profile", "wire"], 84, 2),
        (["--variant", "legacy", "--headers", "cicids2017"], 85, 1),
        (["--features", "flow1"], 7 + 175 + 1, 2),
        (["--features", "iscx2012"], 32, 2),
    ],
)
def test_sets_variants_headers_and_profiles(
    capture: Path,
    capsys: pytest.CaptureFixture,
    arguments: list[str],
    columns: int,
    rows: int,
):
    assert run(capture, "-o", "-", *arguments) == 0
    table = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [len(row) for row in table] == [columns] * (rows + 1)


def test_features_under_their_own_names(capture: Path, capsys: pytest.CaptureFixture):
    assert run(capture, "--features", "flow1", "-o", "-") == 0
    rows = {row["Src Port"]: row for row in read(capsys.readouterr().out)}
    pair = rows["4000"]
    assert list(pair)[:9] == [*IDENTITY, "is_tcp", "is_udp"]
    assert list(pair)[7:-1] == list(FeatureSet.load("flow1").names)
    assert pair["Flow ID"] == "10.0.0.7-10.0.0.9-4000-53-17"
    assert (pair["is_udp"], pair["duration"], pair["bwd_payload"], pair["gap_mean"]) == ("1", "250.0", "13", "250.0")
    assert rows["4001"]["payload_per_s"] == "0.0"


def test_several_captures_are_told_apart(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    other = tmp_path / "other.pcap.gz"
    other.write_bytes(gzip.compress(CAPTURE))
    assert run(capture, other, "--with-file", "-o", "-") == 0
    shown = capsys.readouterr()
    rows = read(shown.out)
    assert [row["File"] for row in rows] == [str(capture)] * 2 + [str(other)] * 2
    assert list(rows[0])[-2:] == ["Label", "File"]
    assert shown.err.startswith("2 captures, 8 packets, 4 flows\n")


def test_no_flow_is_lost_when_many_end(tmp_path: Path, capsys: pytest.CaptureFixture):
    many = tmp_path / "many.pcap"
    gap_us = 200_000_000  # long enough for every flow to end before the next
    many.write_bytes(pcap(*((at * gap_us, QUESTION) for at in range(20_000))))
    assert run(many, "--profile", "wire", "-o", "-") == 0
    shown = capsys.readouterr()
    assert shown.err == "1 capture, 20,000 packets, 20,000 flows\n"
    assert len(shown.out.splitlines()) == 20_001


def test_a_capture_cut_short_gives_its_whole_packets(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "cut.pcap"
    path.write_bytes(CAPTURE[:-5])
    assert run(path, "-o", "-") == 0
    shown = capsys.readouterr()
    assert len(read(shown.out)) == 2
    assert f"warning: {path}: is cut short" in shown.err
    assert "3 packets, 2 flows" in shown.err


def test_no_flows_give_a_header(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap())
    assert run(path, "-o", "-") == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.startswith("Flow ID,Src IP,")
    assert rows == []


def test_parquet_reads_back(capture: Path, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the package pyarrow")
    out = tmp_path / "flows.parquet"
    assert run(capture, "-o", out) == 0
    columns = parquet.read_table(out).to_pydict()
    assert columns["Src Port"] == [4000, 4001] or columns["Src Port"] == [4001, 4000]
    assert FeatureSet.load("cic2022").from_columns(columns).shape == (2, 82)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--features", "cic2023"], "no feature set 'cic2023'; there are cic2022, flow1, iscx2012"),
        (["--variant", "master"], "no variant 'master'"),
        (["--headers", "cse2018"], "the headers of variant cns22 are cns22"),
        (["--features", "iscx2012", "--headers", "cns22"], "has no headers 'cns22'"),
        (["--features", "flow1", "--headers", "cns22"], "set flow1 has no headers 'cns22'"),
        (["--features", "flow1", "--variant", "cns22"], "set flow1 has no variant 'cns22'; say flow1"),
        (["--profile", "fast"], "no flow profile 'fast'; there are cns22, fork, legacy, wire"),
    ],
)
def test_wrong_arguments_end_before_any_output(
    capture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    arguments: list[str],
    message: str,
):
    out = tmp_path / "flows.csv"
    assert run(capture, "-o", out, *arguments) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_what_is_no_capture_is_named(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "notes.txt"
    path.write_text("not a capture at all")
    assert run(path, "-o", "-") == 1
    assert f"{path}: not a pcap or pcapng file" in capsys.readouterr().err


def test_a_capture_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "capture.csv"
    path.write_bytes(CAPTURE)
    assert run(path, "-o", path) == 1
    assert "is the output as well" in capsys.readouterr().err
    assert path.read_bytes() == CAPTURE


@pytest.mark.parametrize("wrong", ["typo.pcap", "."])
def test_what_cannot_be_read_spoils_no_table(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture, wrong: str):
    out = tmp_path / "flows.csv"
    out.write_text("of last week")
    assert run(capture, tmp_path / wrong, "-o", out) == 1
    assert "cannot open the capture" in capsys.readouterr().err
    assert out.read_text() == "of last week"
