"""The file sink: modes, rotation, torn lines, full disks, and places that cannot be written."""

import logging
import os
import resource
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from sensor.sinks import FileSink

FIRST, SECOND = b'{"n":1}\n', b'{"n":2}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "eve.json"


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_lines_are_there_at_once_and_in_order(path):
    sink = FileSink(path)
    sink.write([FIRST, SECOND])
    assert path.read_bytes() == FIRST + SECOND
    sink.flush()
    sink.close()
    sink.close()
    assert sink.counters == {"lines": 2, "bytes": 16, "dropped_lines": 0, "failures": 0}


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664])
def test_a_new_file_has_the_mode_whatever_the_umask(path, mode):
    umask = os.umask(0o077)
    try:
        FileSink(path, mode=mode).close()
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_is_there_keeps_its_mode_and_its_lines(path):
    path.write_bytes(FIRST)
    path.chmod(0o604)
    sink = FileSink(path)
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == FIRST + SECOND
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_fresh_file_is_emptied_once(path):
    path.write_bytes(b"old\n")
    sink = FileSink(path, fresh=True)
    sink.write([FIRST])
    sink.reopen()
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == FIRST + SECOND


@pytest.mark.parametrize("before", [b"", FIRST, FIRST * 10_000])
def test_a_torn_last_event_is_removed_and_said(path, caplog, before):
    path.write_bytes(before + b'{"torn')
    sink = FileSink(path)
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == before + SECOND
    assert sink.counters["lines"] == 1
    assert "removed the last event, of which only 6 bytes had been written" in caplog.text


@pytest.mark.parametrize("before", [b"no event", b"{" + b"x" * 100_000])
def test_other_text_without_a_newline_is_kept(path, before):
    path.write_bytes(before)
    sink = FileSink(path)
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == before + b"\n" + SECOND


def test_a_torn_event_is_removed_when_a_file_is_opened_anew(path):
    sink = FileSink(path)
    path.write_bytes(FIRST + b'{"torn')
    sink.reopen()
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == FIRST + SECOND


def test_what_a_full_file_did_not_take_is_not_lost(path):
    sink = FileSink(path)
    with room(20):
        assert sink.take([FIRST, SECOND, FIRST, SECOND]) == 3
        assert sink.trouble == "File too large"
        assert sink.take([SECOND]) == 0
    assert sink.take([SECOND]) == 1
    assert sink.trouble == ""
    sink.close()
    assert path.read_bytes() == FIRST + SECOND + FIRST + SECOND
    assert sink.counters["dropped_lines"] == 0


def test_logrotate_moves_the_file_and_a_new_one_begins(path):
    sink = FileSink(path)
    sink.write([FIRST])
    moved = path.rename(path.with_suffix(".1"))
    sink.write([SECOND])
    sink.reopen()
    sink.write([FIRST])
    sink.close()
    assert moved.read_bytes() == FIRST + SECOND
    assert path.read_bytes() == FIRST
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_reopening_that_fails_keeps_the_old_file(tmp_path, caplog):
    folder = tmp_path / "log"
    folder.mkdir()
    sink = FileSink(folder / "eve.json")
    moved = folder.rename(tmp_path / "moved")
    with caplog.at_level(logging.ERROR):
        sink.reopen()
    sink.write([FIRST])
    sink.close()
    assert (moved / "eve.json").read_bytes() == FIRST
    assert "there is no directory" in caplog.text


def test_a_file_at_its_limit_holds_whole_lines_once_there_is_room(path):
    sink = FileSink(path)
    with room(20):
        sink.write([FIRST, SECOND, FIRST, SECOND])
        assert path.read_bytes() == FIRST + SECOND + FIRST[:4]
        sink.write([SECOND])
    sink.write([SECOND])
    sink.close()
    assert path.read_bytes() == FIRST + SECOND + FIRST + SECOND
    assert (sink.counters["lines"], sink.counters["dropped_lines"]) == (4, 2)


@pytest.mark.parametrize("end", ["close", "reopen"])
def test_a_line_that_never_found_room_is_taken_back(path, end):
    sink = FileSink(path)
    moved = path.with_suffix(".1")
    with room(20):
        sink.write([FIRST, SECOND, FIRST])
        path.rename(moved)
        getattr(sink, end)()
    assert moved.read_bytes() == FIRST + SECOND
    assert (sink.counters["lines"], sink.counters["dropped_lines"]) == (2, 1)
    if end == "reopen":
        sink.write([SECOND])
        sink.close()
        assert path.read_bytes() == SECOND


def test_a_full_file_system(tmp_path):
    if os.geteuid() or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root and the command mount")
    small = tmp_path / "small"
    small.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        ballast = small / "ballast"
        ballast.write_bytes(b"x" * 8192)
        sink = FileSink(small / "eve.json")
        line = b'{"text":"' + b"y" * 90 + b'"}\n'
        sink.write([line] * 200)
        assert 0 < sink.counters["lines"] < 200
        ballast.unlink()
        sink.write([FIRST])
        sink.close()
        lines = (small / "eve.json").read_bytes().splitlines(keepends=True)
        assert set(lines[:-1]) == {line}
        assert lines[-1] == FIRST
        assert sink.counters["lines"] == len(lines)
        assert sink.counters["lines"] + sink.counters["dropped_lines"] == 201
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(NettrusionError, match=r"there is no directory .*missing; make it"):
        FileSink(tmp_path / "missing" / "eve.json")


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(NettrusionError, match="it is a directory"):
        FileSink(tmp_path)


def test_a_link_to_nothing_is_named(tmp_path, path):
    path.symlink_to(tmp_path / "gone")
    with pytest.raises(NettrusionError, match=r"a link to .*gone"):
        FileSink(path)


def test_a_link_is_followed(tmp_path, path):
    target = tmp_path / "other.json"
    target.touch()
    path.symlink_to(target)
    sink = FileSink(path)
    sink.write([FIRST])
    sink.close()
    assert target.read_bytes() == FIRST


def test_a_file_that_may_not_be_written_is_named(path):
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    path.touch(mode=0o400)
    with pytest.raises(NettrusionError, match="may not"):
        FileSink(path)


def test_a_pipe_takes_lines_and_says_when_its_reader_is_gone(path):
    os.mkfifo(path)
    read: list[bytes] = []

    def reader() -> None:
        with path.open("rb") as pipe:
            read.append(pipe.readline())

    thread = threading.Thread(target=reader)
    thread.start()
    sink = FileSink(path, fresh=True)
    sink.write([FIRST])
    thread.join(timeout=10)
    assert read == [FIRST]
    with pytest.raises(BrokenPipeError):
        sink.write([SECOND])
    sink.close()
