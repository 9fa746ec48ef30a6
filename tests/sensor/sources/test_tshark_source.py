"""What tshark reads: its files, its refusals in its own words, and no process left behind."""

import builtins
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from sensor.sources import Source, tshark_source
from sensor.sources.tshark_source import TsharkFile, TsharkInterface
from tests.packets import BASE_NS, Timed, connection, pcap
from tests.sensor.sources.reading import Reader, flows_of

PACKETS = [Timed(one.time_ns + 7, one.frame) for one in connection("10.0.0.1", "10.0.0.2", (1000, 80))]

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs the program tshark")


def children() -> set[str]:
    """Return the children of this process that still run or wait to be asked for."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid():
            found.add(name)
    return found


@pytest.fixture(autouse=True)
def no_process_is_left():
    yield
    assert not children() & {"tshark", "dumpcap"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.pcap"
    found.write_bytes(pcap(PACKETS))
    return found


@needs_tshark
def test_a_file_is_a_source_with_an_end(path: Path):
    from sensor.sources import open_capture

    source: Source = TsharkFile(path)
    assert (source.live, source.begun, source.horizon_ns, source.in_iface) == (False, 1, None, None)
    assert source.size == path.stat().st_size
    found = flows_of(source)
    assert len(found) == 1
    assert (found == flows_of(open_capture(path))).all()
    assert source.fault is None


@needs_tshark
def test_nanoseconds_are_kept(path: Path):
    source = TsharkFile(path)
    assert source._records.first_ns == BASE_NS + 7
    source.close()


@needs_tshark
@pytest.mark.parametrize("form", ["snoop", "ngsniffer", "netmon2", "visual", "lz4"])
def test_formats_of_others_are_read(form: str, path: Path, tmp_path: Path):
    other = tmp_path / f"b.{form}"
    if form == "lz4":
        if shutil.which("lz4") is None:
            pytest.skip("needs the program lz4")
        subprocess.run(["lz4", "-q", str(path), str(other)], check=True, timeout=60)
    else:
        subprocess.run(["editcap", "-F", form, str(path), str(other)], check=True, capture_output=True, timeout=60)
    reader = Reader(TsharkFile(other))
    while reader.step():
        pass
    assert reader.packets == len(PACKETS)
    assert len(reader.flows()) == 1


@needs_tshark
def test_a_file_that_is_cut_short_is_read_up_to_there_and_said(path: Path):
    path.write_bytes(pcap(PACKETS)[:-3])
    source = TsharkFile(path)
    reader = Reader(source)
    while reader.step():
        pass
    assert reader.packets == len(PACKETS) - 1
    assert source.fault is not None
    assert "cut short in the middle of a packet" in source.fault
    source.close()


@needs_tshark
@pytest.mark.parametrize("data", [b"", b"these are notes, long enough to be looked at"])
def test_what_tshark_does_not_know_is_refused_in_its_words(data: bytes, path: Path):
    path.write_bytes(data)
    with pytest.raises(NettrusionError, match=r"a.pcap: (tshark cannot read it|is empty)") as caught:
        TsharkFile(path)
    assert "Running as user" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(NettrusionError, match="cannot open the capture: No such file"):
        TsharkFile(tmp_path / "missing")


@needs_tshark
def test_a_missing_interface_is_refused_with_the_command_that_lists_them():
    with pytest.raises(NettrusionError, match=r"nothing0: tshark cannot capture: .*; `tshark -D` lists what there is"):
        TsharkInterface("nothing0")


def program(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of ours in tshark's place."""
    script = tmp_path / "tshark"
    script.write_text(f"#!{sys.executable}\n{text}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_tshark_that_hangs_is_ended(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program(tmp_path, "import time\ntime.sleep(600)", monkeypatch)
    begin = time.monotonic()
    with pytest.raises(NettrusionError, match=r"tshark gave nothing for 0.2 s and was ended"):
        TsharkFile(path, stall_s=0.2)
    assert time.monotonic() - begin < 60


def test_a_tshark_that_will_not_end_is_killed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tshark_source, "END_S", 0.2)
    program(
        tmp_path,
        f"import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"sys.stdout.buffer.write({pcap(PACKETS)!r})\nsys.stdout.flush()\ntime.sleep(600)",
        monkeypatch,
    )
    source = TsharkFile(path)
    source.close()
    assert not source.more()


def test_a_tshark_that_talks_without_end_is_still_read(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program(
        tmp_path,
        f"import sys\nsys.stderr.write('tshark: words\\n' * 100_000)\nsys.stderr.flush()\n"
        f"sys.stdout.buffer.write({pcap(PACKETS)!r})",
        monkeypatch,
    )
    assert len(flows_of(TsharkFile(path))) == 1


LIVE = """
import os, sys, time
from pathlib import Path
turn = Path({turn!r})
number = int(turn.read_text() or 0) if turn.exists() else 0
turn.write_text(str(number + 1))
if number == 1:
    sys.exit("tshark: the interface is down.")
sys.stdout.buffer.write({data!r})
sys.stdout.flush()
if number:
    time.sleep(600)
sys.exit("tshark: the interface went down.")
"""


def test_a_live_tshark_that_ends_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tshark_source, "RETRY_S", (0.01, 0.02))
    program(tmp_path, LIVE.format(turn=str(tmp_path / "turn"), data=pcap(PACKETS)), monkeypatch)
    source: Source = TsharkInterface("wire0")
    assert (source.live, source.in_iface) == (True, "wire0")
    reader = Reader(source)
    reader.until(lambda: reader.packets == 2 * len(PACKETS))
    assert source.begun == 3
    reader.step()
    assert reader.notices == [
        "wire0: tshark ended (the interface went down); it is started again until it captures",
        "wire0: tshark captures again",
    ]
    reader.flows()
    assert not source.more()


def test_without_the_program_its_package_is_named(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NettrusionError, match="apt install tshark"):
        TsharkFile(path)


def test_without_pyshark_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyshark"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NettrusionError, match=r"pip install 'nettrusion\[tshark\]'"):
        TsharkFile(path)


def test_signals_that_the_daemon_keeps_from_its_threads_still_end_tshark(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    said = tmp_path / "said"
    program(
        tmp_path,
        f"import signal, sys\nopen({str(said)!r}, 'w').write(repr(signal.pthread_sigmask(signal.SIG_BLOCK, ())))\n"
        f"sys.stdout.buffer.write({pcap(PACKETS)!r})",
        monkeypatch,
    )
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        assert len(flows_of(TsharkFile(path))) == 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert said.read_text() == "set()"
