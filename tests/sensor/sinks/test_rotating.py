"""The file behind a queue: periods, logrotate, a full disk, a writer that is killed."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from sensor.sinks import QueuedSink
from sensor.sinks.rotating import FileTransport
from tests.sensor.sinks.test_file import room
from tests.sensor.sinks.waiting import event, events, program, until

MIDNIGHT = 1_795_305_600  # 2026-11-22 00:00:00 UTC


class Clock:
    """A wall clock that stands where it is put."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def open_files(folder: Path) -> list[str]:
    """Return what this process has open in a folder."""
    links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    names = [os.readlink(link) for link in links if link.is_symlink()]
    return [name for name in names if name.startswith(f"{folder}/")]


def test_a_period_has_a_file_of_its_own_named_by_its_begin(tmp_path: Path):
    clock = Clock(MIDNIGHT - 1.5)
    transport = FileTransport(str(tmp_path / "eve-%Y%m%d-%H.json"), mode=0o600, rotate_s=3600, clock=clock)
    for now, line in ((MIDNIGHT - 1.5, 0), (MIDNIGHT - 0.5, 1), (MIDNIGHT, 2), (MIDNIGHT + 3599.9, 3)):
        clock.now = now
        assert not transport.send([event(line)]).rest
        assert len(open_files(tmp_path)) == 1
    clock.now = MIDNIGHT + 2 * 3600
    transport.close()
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert files == {
        "eve-20261121-23.json": event(0) + event(1),
        "eve-20261122-00.json": event(2) + event(3),
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_period_whose_file_cannot_be_opened_goes_to_the_old_one(tmp_path: Path, caplog):
    clock = Clock(MIDNIGHT - 1)
    (tmp_path / "21").mkdir()
    transport = FileTransport(str(tmp_path / "%d" / "eve.json"), rotate_s=86_400, clock=clock)
    transport.send([event(0)])
    clock.now = MIDNIGHT
    transport.send([event(1)])
    transport.send([event(2)])
    transport.close()
    assert (tmp_path / "21" / "eve.json").read_bytes() == b"".join(events(3))
    assert caplog.text.count("keeping the old file") == 1


def test_without_rotation_a_name_is_taken_as_it_is(tmp_path: Path):
    transport = FileTransport(str(tmp_path / "100%d.json"))
    transport.send([event(0)])
    transport.close()
    assert (tmp_path / "100%d.json").read_bytes() == event(0)


def test_periods_of_one_name_are_refused(tmp_path: Path):
    with pytest.raises(NettrusionError, match="needs a name with codes of strftime"):
        FileTransport(str(tmp_path / "eve.json"), rotate_s=3600)


def test_a_line_that_a_full_disk_cut_is_counted_when_its_file_is_left(tmp_path: Path):
    path = tmp_path / "eve.json"
    line = event(0)
    sink = QueuedSink("file", FileTransport(str(path)))
    with room(len(line) + 10):
        sink.write(events(3))
        until(lambda: sink.counters["failures"] >= 2)
        assert (sink.counters["lines"], sink.counters["connected"]) == (2, 0)
        sink.close(0)
    assert path.read_bytes() == line
    assert (sink.counters["lines"], sink.counters["dropped_lines"]) == (1, 2)


def test_a_full_disk_costs_nothing_while_the_queue_holds(tmp_path: Path, caplog):
    if os.geteuid():
        pytest.skip("mounting a small file system needs root")
    mount = program("mount")
    small = tmp_path / "small"
    small.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        ballast = small / "ballast"
        ballast.write_bytes(b"x" * 40_000)
        sink = QueuedSink("file", FileTransport(str(small / "eve.json")))
        sink.write(events(400))
        until(lambda: sink.counters["failures"] >= 3)
        assert sink.counters["connected"] == 0
        ballast.unlink()
        until(lambda: sink.counters["queued_lines"] == 0)
        until(lambda: "takes events again; 0 were dropped" in caplog.text)
        sink.write(events(10, 400))
        sink.close()
        assert (small / "eve.json").read_bytes() == b"".join(events(410))
        assert caplog.text.count("No space left on device") == 1
        assert sink.counters["dropped_lines"] == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_moving_the_file_away_under_constant_writing_loses_and_doubles_nothing(tmp_path: Path):
    path = tmp_path / "eve.json"
    sink = QueuedSink("file", FileTransport(str(path)))
    moved: list[Path] = []
    for begin in range(0, 20_000, 50):
        sink.write(events(50, begin))
        if begin % 4000 == 2000:
            until(path.exists, "a file anew")
            moved.append(path.rename(tmp_path / f"eve.json.{begin}"))
            sink.reopen()
    sink.close()
    assert len(moved) == 5
    assert b"".join(file.read_bytes() for file in [*moved, path]) == b"".join(events(20_000))


def test_logrotate_itself(tmp_path: Path):
    logrotate = program("logrotate")
    path = tmp_path / "eve.json"
    sink = QueuedSink("file", FileTransport(str(path)))
    rules = tmp_path / "rules"
    marker = tmp_path / "moved"
    rules.write_text(f"{path} {{\n rotate 3\n nocreate\n su root root\n postrotate\n touch {marker}\n endscript\n}}\n")
    rules.chmod(0o644)
    for round_number in range(3):
        sink.write(events(1000, round_number * 1000))
        until(lambda: sink.counters["queued_lines"] == 0 and path.exists())
        done = subprocess.run(
            [logrotate, "--force", "--state", str(tmp_path / "state"), str(rules)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"logrotate does not work here: {done.stderr.strip()}")
        assert marker.exists()
        sink.reopen()
        until(path.exists, "a file anew")
    sink.close()
    files = [path.with_name(f"eve.json.{age}") for age in (3, 2, 1)] + [path]
    assert b"".join(file.read_bytes() for file in files) == b"".join(events(3000))


WRITER = """
    import sys
    from sensor.sinks import QueuedSink
    from sensor.sinks.rotating import FileTransport
    from tests.sensor.sinks.waiting import events
    begin = int(sys.argv[2])
    sink = QueuedSink("file", FileTransport(sys.argv[1]), queue_bytes=64 << 20)
    batch = 500
    while True:
        while sink.counters["queued_lines"] > 20_000:
            pass
        sink.write(events(batch, begin))
        begin += batch
"""


def _is_longer(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


def test_a_writer_that_is_killed_leaves_no_torn_line_after_recovery(tmp_path: Path):
    path = tmp_path / "eve.json"
    begins = []
    for attempt in range(3):
        size = path.stat().st_size if path.exists() else 0
        begins.append(attempt * 10_000_000)
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(begins[-1])])
        until(partial(_is_longer, path, size + 500_000), "written events")
        process.send_signal(signal.SIGKILL)
        process.wait()
        with path.open("ab") as file:
            # The kernel rarely tears a line at a kill; a power cut does.
            file.write(b'{"timestamp":"2026-11')
    sink = QueuedSink("file", FileTransport(str(path)))
    sink.write([event(5)])
    sink.close()
    numbers = [json.loads(line)["flow_id"] for line in path.read_bytes().splitlines()]
    assert numbers.pop() == 5
    for begin in begins:
        own = [number for number in numbers if begin <= number < begin + 10_000_000]
        assert own == list(range(begin, begin + len(own)))


def test_a_pipe_without_a_reader_is_waited_for(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = QueuedSink("file", FileTransport(str(path)))
    until(lambda: sink.counters["connected"])
    os.close(reader)
    sink.write(events(5))
    until(lambda: sink.counters["failures"] >= 1)
    with path.open("rb") as pipe:
        assert [pipe.readline() for _ in range(5)] == events(5)
    sink.close()
    assert sink.counters["lines"] == 5


def test_a_pipe_whose_reader_stalls_holds_up_the_thread_alone(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sink = QueuedSink("file", FileTransport(str(path)), queue_bytes=200_000)
        while not sink.counters["dropped_lines"]:
            sink.write(events(1000))
        sink.close(0)
        assert sink.counters["queued_lines"] == 0
        before = sink.counters["dropped_lines"]
        sink.write(events(10))
        assert sink.counters["dropped_lines"] == before + 10
    finally:
        os.close(reader)
