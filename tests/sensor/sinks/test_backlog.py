"""The queue: bounded in bytes, in order, and a line stays until it is settled."""

from hypothesis import given
from hypothesis import strategies as st

from sensor.sinks.backlog import BATCH_BYTES, BATCH_LINES, Backlog
from tests.sensor.sinks.waiting import events


def test_lines_leave_only_when_they_are_settled():
    backlog = Backlog(1 << 20)
    lines = events(3)
    assert backlog.put(lines) == (True, False)
    batch = backlog.batch()
    assert list(batch) == lines
    assert (backlog.lines, backlog.bytes) == (3, sum(map(len, lines)))
    assert backlog.settle(batch, batch[1:]) == (1, len(lines[0]))
    assert list(backlog.batch()) == lines[1:]
    assert backlog.put(events(1, 3)) == (False, False)
    assert list(backlog.batch()) == events(3, 1)


def test_the_newest_lines_are_dropped():
    lines = events(10)
    backlog = Backlog(sum(map(len, lines[:4])) + 5)
    assert backlog.put(lines) == (True, True)
    assert list(backlog.batch()) == lines[:4]
    assert backlog.dropped == 6
    assert backlog.put(events(1)) == (False, True)
    assert backlog.dropped == 7


def test_a_batch_is_bounded_in_lines_and_in_bytes():
    backlog = Backlog(1 << 30)
    backlog.put(events(BATCH_LINES + 1))
    assert len(backlog.batch()) == BATCH_LINES
    backlog = Backlog(1 << 30)
    backlog.put([b"x" * (BATCH_BYTES // 2)] * 5)
    assert len(backlog.batch()) == 2
    backlog = Backlog(1 << 30)
    backlog.put([b"x" * (BATCH_BYTES * 2)] * 2)
    assert len(backlog.batch()) == 1


def test_what_comes_after_the_end_is_dropped():
    backlog = Backlog(1 << 20)
    backlog.put(events(2))
    batch = backlog.batch()
    assert backlog.close() == 2
    assert backlog.settle(batch, ()) == (0, 0)
    backlog.put(events(1))
    assert (backlog.lines, backlog.bytes, backlog.dropped) == (0, 0, 3)


@given(
    limit=st.integers(0, 300),
    steps=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 3), st.integers(0, 12)),
        max_size=40,
    ),
)
def test_every_line_is_there_once_in_order_or_counted(limit: int, steps: list[tuple[int, int, int]]):
    backlog = Backlog(limit)
    number = put = 0
    out: list[bytes] = []
    for count, width, taken in steps:
        lines = [b"%d " % (number + index) + b"x" * width + b"\n" for index in range(count)]
        number += count
        put += count
        backlog.put(lines)
        assert backlog.bytes <= limit
        batch = backlog.batch()
        out += batch[:taken]
        backlog.settle(batch, batch[taken:])
    out += backlog.batch()
    order = [int(line.split()[0]) for line in out]
    assert order == sorted(set(order))
    assert len(out) + backlog.dropped == put
