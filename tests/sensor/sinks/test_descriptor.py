"""Whole lines to a descriptor, on a disk that fills up in the middle of one."""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.sinks.descriptor import LineWriter

real_write = os.write


class Disk:
    """Stands for `os.write`: takes so many bytes, never more than `most` at once."""

    def __init__(self, room: int, most: int = 1 << 30, error: int = errno.ENOSPC) -> None:
        self.room, self.most, self.error = room, most, error
        self.taken = b""

    def write(self, descriptor: int, data: memoryview) -> int:
        count = min(len(data), self.room, self.most)
        if not count:
            raise OSError(self.error, os.strerror(self.error))
        self.room -= count
        self.taken += bytes(data[:count])
        return count


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Disk]]:
    def make(room: int, **options: int) -> Disk:
        made = Disk(room, **options)
        monkeypatch.setattr(os, "write", made.write)
        return made

    yield make
    monkeypatch.undo()


def test_short_writes_are_continued(disk):
    small = disk(1000, most=3)
    writer = LineWriter(-1, "here")
    writer.write([b"first\n", b"second\n"])
    assert small.taken == b"first\nsecond\n"
    assert writer.counts == {"lines": 2, "bytes": 13, "dropped_lines": 0, "failures": 0}


def test_no_lines_are_no_write(disk):
    full = disk(0)
    writer = LineWriter(-1, "here")
    writer.write([])
    assert full.taken == b""
    assert writer.counts["failures"] == 0


def test_a_line_that_was_begun_is_finished_before_the_next(disk):
    full = disk(9)
    writer = LineWriter(-1, "here")
    writer.write([b"first\n", b"second\n", b"third\n"])
    assert full.taken == b"first\nsec"
    writer.write([b"fourth\n"])
    full.room = 100
    writer.write([b"fifth\n"])
    assert full.taken == b"first\nsecond\nfifth\n"
    assert (writer.counts["lines"], writer.counts["dropped_lines"]) == (3, 2)
    assert writer.counts["bytes"] == len(full.taken)


def test_a_full_disk_is_logged_once_and_once_when_it_is_over(disk, caplog):
    full = disk(0)
    writer = LineWriter(-1, "eve.json")
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            writer.write([b"line\n"])
        full.room = 100
        writer.write([b"line\n"])
        writer.write([b"line\n"])
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "eve.json takes no more events" in said[0]
    assert "5 were dropped" in said[1]
    assert writer.counts["failures"] == 5


@pytest.mark.parametrize("code", [errno.EBADF, errno.EPIPE])
def test_what_is_no_fault_of_the_disk_is_raised(disk, code):
    disk(3, error=code)
    with pytest.raises(OSError) as caught:
        LineWriter(-1, "here").write([b"first\n"])
    assert caught.value.errno == code


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_quota_or_a_failing_disk_counts_as_full(disk, code):
    disk(3, error=code)
    writer = LineWriter(-1, "here")
    writer.write([b"first\n"])
    assert writer.counts["failures"] == 1


def test_the_device_that_is_always_full():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        writer = LineWriter(descriptor, "/dev/full")
        writer.write([b"line\n", b"line\n"])
        assert writer.counts["dropped_lines"] == 2
    finally:
        os.close(descriptor)


@given(st.lists(st.tuples(st.lists(st.integers(0, 40), max_size=5), st.integers(0, 60)), max_size=12))
def test_whatever_the_disk_takes_it_holds_whole_lines_and_the_count_is_true(batches):
    made = Disk(0)
    writer = LineWriter(-1, "here")
    offered = []
    os.write = made.write  # type: ignore[assignment]
    try:
        for number, (sizes, room) in enumerate(batches):
            made.room = room
            lines = [b"%d-%d" % (number, at) + b"x" * size + b"\n" for at, size in enumerate(sizes)]
            offered += lines
            writer.write(lines)
        made.room = 10_000
        assert writer.finish_line()
    finally:
        os.write = real_write
    written = made.taken.splitlines(keepends=True)
    remaining = iter(offered)
    assert all(line in remaining for line in written), "a torn, changed or misplaced line"
    assert writer.counts["lines"] == len(written)
    assert writer.counts["lines"] + writer.counts["dropped_lines"] == len(offered)
