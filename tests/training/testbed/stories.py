"""Small stories for the tests of labels and virtual time: two acts, a server, two hosts."""

from collections.abc import Iterable
from pathlib import Path

from tests.training.testbed.frames import capture
from training.testbed import packets
from training.testbed.labels import Played, Story
from training.testbed.packets import Tuple5
from training.testbed.programs import Run
from training.testbed.sockets import Kind, Socket

A, B, C = "10.77.1.10", "10.77.9.10", "10.77.20.10"
SECOND = 10**9
LONG = 1 << 62


def story(*acts: tuple[int, str, int, int], end_ns: int = LONG) -> Story:
    """Return a story of acts (number, label, real start, virtual start) on A, each of one run, and server 1 on B."""
    played = {
        number: Played(number, f"kind{number}", label, "a", virtual, real, end_ns)
        for number, label, real, virtual in acts
    }
    runs = {number: Run(number, number, f"tool{number}", "a", "", 0, end_ns, 0) for number, *_ in acts}
    runs[1] = Run(1, 0, "serverd", "b", "", 0, LONG, 0)
    hosts = {"a": frozenset({A}), "b": frozenset({B}), "c": frozenset({C})}
    return Story(played, runs, {1: "service"}, hosts)


def line(micros: int, run: int, kind: Kind, protocol: str, src: str, sport: int, dst: str, dport: int) -> Socket:
    """Return a line of the socket log."""
    return Socket(micros * 1000, run, run, kind, Tuple5(protocol, src, sport, dst, dport))


def load(folder: Path, frames: Iterable[tuple[int, bytes]]) -> packets.Capture:
    """Return a capture of (time in microseconds, frame)."""
    return packets.load(capture(folder / "story.pcap", frames))
