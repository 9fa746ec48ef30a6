"""The program that talks with many peers, and the peers."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.testbed import datagrams
from training.testbed.datagrams import SHARES, TAKEN, Ask, Plan, Stream, answers, character, media, question, schedule


def plan(
    asks: list[Ask] | None = None, streams: list[Stream] | None = None, until_s: float = 0.4, port: int = 0
) -> Plan:
    """Return a plan on the loopback."""
    return Plan(local=("127.0.0.1", port), until_s=until_s, seed="7", asks=asks or [], streams=streams or [])


def flow(to: tuple[str, int], **more: float) -> Stream:
    """Return a stream of four packets at once."""
    whole = {"at_s": 0.0, "size": 200, "every_s": 0.01, "jitter": 0.0, "count": 4, "burst": 1, "back": 1}
    return Stream(**{**whole, "to": to, "back_size": 100, "sure": True, **more})  # type: ignore[typeddict-item]


class Listener:
    """A socket on the loopback and what came to it within a moment."""

    def __init__(self) -> None:
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind(("127.0.0.1", 0))
        self.place = ("127.0.0.1", int(self.link.getsockname()[1]))

    def heard(self) -> list[tuple[bytes, tuple[str, int]]]:
        """Return all datagrams that have come."""
        self.link.settimeout(0.05)
        found = []
        try:
            while True:
                found.append(self.link.recvfrom(2048))
        except TimeoutError:
            return found


@pytest.fixture
def other() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.link.close()


@given(st.integers(0, 3_000))
def test_a_question_has_its_size_and_is_answered_by_its_number(size: int):
    asked = question(size, random.Random(size))
    assert len(asked) == max(20, min(size, 1400) // 4 * 4)
    (answer,) = answers(asked, random.Random(1))
    assert answer[:2] == b"\1\1" and answer[8:20] == asked[8:20]


@given(st.integers(0, 1_400), st.integers(0, 20), st.integers(0, 1_400))
def test_media_is_answered_as_it_wants(size: int, back: int, back_size: int):
    said = media(size, 3, back, back_size, random.Random(1))
    assert len(said) == max(datagrams.RTP_HEAD.size, size)
    given_back = answers(said, random.Random(1))
    assert len(given_back) == min(back, 8)
    assert all(
        len(one) == max(datagrams.RTP_HEAD.size, back_size) and not answers(one, random.Random(1)) for one in given_back
    )


@given(st.binary(max_size=60))
def test_what_is_neither_is_not_answered(said: bytes):
    if said[:1] != b"\x80" and said[4:8] != datagrams.COOKIE.to_bytes(4, "big"):
        assert answers(said, random.Random(1)) == []


def test_characters_have_their_shares_and_stay():
    drawn = [character("one", "198.18.0.1", port) for port in range(4_000)]
    assert drawn == [character("one", "198.18.0.1", port) for port in range(4_000)]
    counts = Counter(drawn)
    for name, share in SHARES.items():
        assert abs(counts[name] / 4_000 - share) < 0.03


def test_what_is_sent_again_is_planned_with_growing_waits():
    ask = Ask(at_s=1.0, to=("192.0.2.1", 9), size=20, again=3)
    times = sorted(one[0] for one in schedule(plan([ask]), random.Random(1)))
    assert times == [1.0, 1.5, 2.5, 4.5]


def test_a_burst_shares_one_moment_and_every_fourth_wants_a_report():
    queue = schedule(plan(streams=[flow(("192.0.2.1", 9), count=8, burst=4, back=0)]), random.Random(1))
    assert len({round(one[0], 6) for one in queue}) == 2
    wanted = [datagrams.RTP_HEAD.unpack_from(one[3])[4] for one in sorted(queue)]
    assert wanted == [0, 0, 0, 1, 0, 0, 0, 1]


def test_who_answered_is_not_asked_again_and_who_did_not_gets_no_stream(other: Listener):
    silent = Listener()
    asks = [Ask(at_s=0.0, to=one.place, size=20, again=1) for one in (other, silent)]
    streams = [flow(one.place, at_s=0.3, sure=False) for one in (other, silent)]

    def peer() -> None:
        said, who = other.link.recvfrom(2048)
        other.link.sendto(answers(said, random.Random(1))[0], who)

    thread = threading.Thread(target=peer)
    thread.start()
    count = datagrams.talk(plan(asks, streams, until_s=0.7))
    thread.join()
    said = [text[:1] for text, _ in other.heard()]
    assert count == 1 and said == [b"\x80"] * 4
    assert [text[:1] for text, _ in silent.heard()] == [b"\0", b"\0"]
    silent.link.close()


def test_who_asks_back_is_answered(other: Listener):
    free = Listener()
    port = free.place[1]
    free.link.close()
    thread = threading.Thread(target=datagrams.talk, args=(plan(until_s=0.5, port=port),))
    thread.start()
    until = time.monotonic() + 5.0
    found: list[tuple[bytes, tuple[str, int]]] = []
    while not found and time.monotonic() < until and thread.is_alive():
        other.link.sendto(question(40, random.Random(2)), ("127.0.0.1", port))
        found = other.heard()
    thread.join()
    assert found and found[0][0][:2] == b"\1\1" and found[0][1] == ("127.0.0.1", port)


def test_a_port_that_is_anothers_is_told(other: Listener, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan(port=other.place[1])))
    assert datagrams.main(["talk", str(file)]) == TAKEN
    assert "Address already in use" in capsys.readouterr().err
    file.write_text(json.dumps(plan(until_s=0.01)))
    assert datagrams.main(["talk", str(file)]) == 0


def test_it_needs_nothing_but_the_standard_library(repo: Path):
    words = [sys.executable, "-S", "-c", "import training.testbed.datagrams"]
    assert subprocess.run(words, cwd=repo, capture_output=True).returncode == 0
