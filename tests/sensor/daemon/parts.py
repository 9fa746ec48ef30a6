"""A daemon made of known parts: a detector whose word is known, wires written down, sinks that keep."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sensor.config import Config
from sensor.daemon.daemon import Daemon, Origin
from sensor.daemon.requests import Request
from sensor.notify import Notifier
from sensor.rulebook import Rulebook
from sensor.scoring import Scoring
from sensor.sinks import Outputs
from tests.packets import connection
from tests.sensor.known import CLASSIFICATION, RULES, KeptSink, KnownDetector
from tests.sensor.wire import Wire

LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)
QUIET = connection("10.0.0.3", "10.0.0.2", (40001, 80), rounds=1)
ALL = frozenset({"alert", "anomaly", "flow", "stats"})


class Told(Notifier):
    """Keeps what the service manager would be told."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def _send(self, *lines: str) -> None:
        self.words += lines


def rulebook(folder: Path, text: str = RULES) -> Rulebook:
    folder.mkdir(exist_ok=True)
    (folder / "a.rules").write_text(text)
    (folder / "classification.config").write_text(CLASSIFICATION)
    return Rulebook.load(folder, {})


def daemon(folder: Path, wires: Sequence[Any], config: Config | None = None) -> tuple[Daemon, KeptSink]:
    config = config or Config()
    sink = KeptSink()
    outputs = Outputs([("kept", sink, ALL)])  # type: ignore[list-item]
    scoring = Scoring(config, KnownDetector(), rulebook(folder), outputs.write)  # type: ignore[arg-type]
    return Daemon(config, Origin(), list(wires), scoring, outputs), sink


def asked(*requests: Request) -> Callable[[float], Request | None]:
    """Return a source of requests: each once, then none; it waits for nothing."""
    left = list(requests)
    return lambda timeout_s: left.pop(0) if left else None


class Endless(Wire):
    """A wire that is silent once its windows are over, and never ends."""

    def more(self) -> bool:
        super().more()
        return True
