"""The queue's thread: nothing lost while the queue holds, write never waits, loss and return said once."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sensor.sinks import QueuedSink
from sensor.sinks import queued as module
from sensor.sinks.queued import LONGEST_PAUSE_S, pause_s
from tests.sensor.sinks.waiting import Memory, event, events, until


@contextmanager
def sink_to(memory: Memory, **options: Any) -> Iterator[QueuedSink]:
    sink = QueuedSink("test", memory, **options)
    try:
        yield sink
    finally:
        memory.open.set()
        sink.close(1)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between attempts be short, so that the tests are."""
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.01)


def test_lines_arrive_in_order_and_are_counted():
    memory = Memory()
    with sink_to(memory) as sink:
        for begin in range(0, 5000, 100):
            sink.write(events(100, begin))
        sink.write([])
    assert memory.got == events(5000)
    assert sink.counters == {
        "lines": 5000,
        "bytes": sum(map(len, memory.got)),
        "dropped_lines": 0,
        "failures": 0,
        "queued_lines": 0,
        "queued_bytes": 0,
        "connected": 0,
    }
    assert memory.events == ["connect", "close"]


def test_the_caller_may_use_its_list_again():
    memory = Memory()
    memory.open.clear()
    with sink_to(memory) as sink:
        lines = events(3)
        sink.write(lines)
        lines.clear()
    assert memory.got == events(3)


def test_a_stalled_place_costs_the_newest_lines_and_is_said_once(caplog):
    memory = Memory()
    memory.open.clear()
    line = event(1)
    with caplog.at_level(logging.INFO), sink_to(memory, queue_bytes=10 * len(line)) as sink:
        for number in range(50):
            sink.write([event(number)])
        until(lambda: "queue is full" in caplog.text)
        counters = sink.counters
        assert counters["dropped_lines"] + counters["queued_lines"] == 50
        memory.open.set()
        until(lambda: sink.counters["queued_lines"] == 0)
        until(lambda: "takes events again" in caplog.text)
        sink.write(events(3, 50))
    assert memory.got[-3:] == events(3, 50)
    assert memory.got[:8] == events(8)
    assert sink.counters["lines"] + sink.counters["dropped_lines"] == 53
    assert caplog.text.count("queue is full") == 1
    assert f"{sink.counters['dropped_lines']} were dropped meanwhile" in caplog.text


def test_lines_wait_for_a_place_that_is_not_there_yet(caplog):
    memory = Memory()
    memory.reachable = False
    with caplog.at_level(logging.INFO), sink_to(memory) as sink:
        sink.write(events(10))
        until(lambda: memory.events.count("connect") >= 3)
        assert sink.counters["connected"] == 0
        assert sink.counters["queued_lines"] == 10
        memory.reachable = True
        until(lambda: sink.counters["lines"] == 10)
        until(lambda: "takes events again; 0 were dropped" in caplog.text)
        assert sink.counters["connected"] == 1
    assert memory.got == events(10)
    assert caplog.text.count("Connection refused") == 1
    assert sink.counters["failures"] >= 3


def test_a_broken_connection_is_made_anew_and_nothing_is_lost():
    memory = Memory()
    memory.breaks_after = 4
    with sink_to(memory) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["lines"] == 10)
    assert memory.got == events(10)
    assert memory.events.count("connect") == 2


def test_a_full_place_keeps_its_connection():
    memory = Memory()
    memory.takes = 0
    with sink_to(memory) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["failures"] >= 3)
        assert sink.counters["connected"] == 0
        memory.takes = 3
        until(lambda: sink.counters["lines"] == 10)
    assert memory.got == events(10)
    assert memory.events == ["connect", "close"]


def test_refused_lines_are_dropped_and_said_once(caplog):
    memory = Memory()
    memory.too_long = 100
    long = b"x" * 100 + b"\n"
    with sink_to(memory) as sink:
        sink.write([event(0), long, event(1), long])
        until(lambda: sink.counters["lines"] == 2)
    assert memory.got == events(2)
    assert sink.counters["dropped_lines"] == 2
    assert sink.counters["bytes"] == sum(map(len, events(2)))
    assert caplog.text.count("too long") == 1


def test_an_error_nobody_thought_of_does_not_end_the_thread(caplog):
    memory = Memory()
    memory.raises = ZeroDivisionError("surprise")
    with sink_to(memory) as sink:
        sink.write(events(3))
        until(lambda: sink.counters["lines"] == 3)
    assert memory.got == events(3)
    assert "surprise" in caplog.text


def test_held_back_lines_go_together_and_a_flush_sends_them():
    memory = Memory()
    with sink_to(memory, hold_s=3600) as sink:
        until(lambda: sink.counters["connected"])
        sink.write(events(1))
        sink.write(events(1, 1))
        assert memory.got == []
        sink.flush()
        until(lambda: memory.got == events(2))
        sink.write(events(1, 2))
    assert memory.got == events(3)


def test_enough_lines_are_not_held_back():
    memory = Memory()
    with sink_to(memory, hold_s=3600) as sink:
        until(lambda: sink.counters["connected"])
        sink.write(events(30_000))
        until(lambda: len(memory.got) > 10_000)


def test_reopening_happens_in_the_thread_even_when_nothing_is_written():
    memory = Memory()
    with sink_to(memory) as sink:
        until(lambda: sink.counters["connected"])
        sink.reopen()
        until(lambda: "reopen" in memory.events)


def test_the_end_is_bounded_and_what_waits_then_is_counted(caplog):
    memory = Memory()
    memory.reachable = False
    sink = QueuedSink("test", memory)
    sink.write(events(7))
    sink.close(0.05)
    sink.close(0.05)
    sink.write(events(2))
    assert sink.counters["dropped_lines"] == 9
    assert sink.counters["queued_lines"] == 0
    assert "7 events were still waiting at the end" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name == "sink test"]


def test_pauses_double_up_to_a_bound(monkeypatch):
    monkeypatch.undo()
    for failures in range(1, 40):
        longest = min(LONGEST_PAUSE_S, 0.1 * 2 ** (failures - 1))
        assert longest / 2 <= pause_s(failures) <= longest
