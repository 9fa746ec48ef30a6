"""The window of a live source: whole records only, and a clock that goes on."""

import threading

import pytest

from sensor.sources.window import Window
from tests.packets import BASE_NS, connection, pcap

DATA = pcap(connection("10.0.0.1", "10.0.0.2", (1000, 80)))


class Fed(Window):
    """A window that a test fills."""

    def more(self) -> bool:
        return True

    def close(self) -> None:
        self._release()

    def feed(self, data: bytes) -> None:
        self._append(data)

    def begin(self) -> None:
        self._begin()


@pytest.fixture
def fed() -> Fed:
    source = Fed("made", live=True, lag_s=2.0)
    source.begin()
    return source


def test_a_record_that_is_not_whole_stays_behind(fed: Fed):
    found = b""
    for at in range(0, len(DATA), 10):
        fed.feed(DATA[at : at + 10])
        found += bytes(fed.window)
        fed.advance(len(fed.window))
    assert found == DATA
    fed.feed(DATA[24:50])
    assert len(fed.window) == 0


def test_what_is_not_used_stays(fed: Fed):
    fed.feed(DATA)
    fed.advance(24)
    fed.feed(b"")
    fed.feed(DATA[24:])
    assert bytes(fed.window) == DATA[24:] * 2
    fed.advance(10**9)
    assert len(fed.window) == 0


def test_another_file_drops_the_rest_of_the_one_before(fed: Fed):
    fed.feed(DATA[:-1])
    fed.begin()
    assert fed.begun == 2
    fed.feed(DATA)
    assert bytes(fed.window) == DATA


def test_time_goes_on_from_the_last_packet_as_it_does_here(fed: Fed, monkeypatch: pytest.MonkeyPatch):
    now_ns = 5_000
    monkeypatch.setattr("sensor.sources.window.time.monotonic_ns", lambda: now_ns)
    fed.feed(DATA)
    last_ns = BASE_NS + 110_000_000
    assert fed.horizon_ns == last_ns - 2 * 10**9
    now_ns += 7 * 10**9
    fed.feed(b"")
    assert fed.horizon_ns == last_ns + 5 * 10**9
    fed.begin()
    assert fed.horizon_ns == last_ns + 5 * 10**9


def test_before_a_packet_there_is_no_time(fed: Fed):
    fed.feed(DATA[:24])
    assert fed.horizon_ns is None


def test_a_file_has_no_horizon():
    source = Fed("made", live=False)
    source.begin()
    source.feed(DATA)
    assert source.horizon_ns is None


def test_nothing_comes_of_damage(fed: Fed):
    fed.feed(DATA + b"\xff" * 100)
    assert bytes(fed.window) == DATA
    fed.advance(len(DATA))
    fed.feed(DATA)
    assert len(fed.window) == 0


def test_closing_ends_a_wait(fed: Fed):
    threading.Timer(0.01, fed.close).start()
    assert fed._closed.wait(60)
