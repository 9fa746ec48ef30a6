"""What an operator would have been told: reports through the shipped rules, as incidents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensor.config import Config
from sensor.rulebook import ScoredFlows
from sensor.scoring import load_rulebook
from training.datasets.labelled_captures import ATTACK, BENIGN
from training.evaluation.evidence import Evidence

if TYPE_CHECKING:
    from sensor.rulebook import Rulebook

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """One alert: the row of the report that made it, and the incident's rule."""

    row: int
    rule: str


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a class of attack went on before the first alert on it, over the captures it was told of.

    Packets are all of the capture's from the first attack packet on, that one included; `at_end` counts captures
    in which the flow was reported only when the capture ended.
    """

    captures: int
    packets: float | None
    seconds: float
    seconds_worst: float
    at_end: int


@dataclass(frozen=True, slots=True)
class Incidents:
    """Alerts of one threshold, counted by what their flow was.

    Attributes:
        found: by class of attack: captures of it, those with an alert on an attack flow, and such alerts.
        false: alerts on benign flows.
        false_captures: captures of benign flows with such an alert, and how many of them there are.
        false_by_capture: false alerts a capture.
        false_by_day: false alerts a day of benign traffic; None where nobody knows how long it took.
        days: how long that was.
        beside: alerts on benign flows of captures of attacks.
        undecided: alerts on flows of which nobody knows what they are.
        delay: by class of attack that was told of.
    """

    found: dict[str, tuple[int, int, int]]
    false: int
    false_captures: tuple[int, int]
    false_by_capture: float
    false_by_day: float | None
    days: float
    beside: int
    undecided: int
    delay: dict[str, Delay]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Words:
    """What a detector says of n reports beside the score: (n,) int64 class index, its classes, (n,) budget rank."""

    class_index: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    rank: npt.NDArray[np.int64]


def shipped() -> "Rulebook":
    """Return the rules that come with the sensor, with its own settings."""
    return load_rulebook(Config())


def watched_days(evidence: Evidence) -> float:
    """Return for how many days benign traffic was watched."""
    quiet = (evidence.truth == BENIGN) & ~evidence.beside
    return evidence.days(np.isin(evidence.capture, np.unique(evidence.capture[quiet])))


def group(
    evidence: Evidence,
    score: npt.NDArray[np.float64],
    words: Words,
    threshold: float,
    rulebook: "Rulebook",
) -> Incidents:
    """Judge every capture by the rules and count the alerts.

    Args:
        evidence: reports with their flow records.
        score: (n,) of each report, 0 to 1, numbers that a float32 has.
        words: the classes that the detector gave them.
        threshold: the score from which a report may alert; the sensor's own is rounded to float32.
        rulebook: the rules (`shipped`); all of its incidents are closed afterwards.

    Raises:
        ValueError: the evidence has no flow records.
    """
    if evidence.flows is None:
        raise ValueError(f"{evidence.name} has no flow records that rules could look at")
    return Teller(evidence, rulebook).told(score, words, threshold)


class Teller:
    """The rules, and what of the evidence does not change with the threshold."""

    def __init__(self, evidence: Evidence, rulebook: "Rulebook") -> None:
        """Judge evidence that has flow records by rules."""
        self._evidence, self._rulebook = evidence, rulebook
        self._days = watched_days(evidence)

    def told(self, score: npt.NDArray[np.float64], words: Words, threshold: float) -> Incidents:
        """Return what would have been told at a threshold."""
        return count(self._evidence, alerts(self._evidence, score, words, threshold, self._rulebook), self._days)


def alerts(
    evidence: Evidence, score: npt.NDArray[np.float64], words: Words, threshold: float, rulebook: "Rulebook"
) -> list[Told]:
    """Return the alerts on all captures, in the order in which they are told; later words on one are no alerts."""
    assert evidence.flows is not None
    judged = ScoredFlows(
        flows=evidence.flows,
        score_permille=np.rint(score * 1000).astype(np.int64),
        above=score >= threshold,
        class_index=words.class_index,
        class_names=words.classes,
        budget_rank=words.rank,
        threshold_permille=round(threshold * 1000),
    )
    told: list[Told] = []
    for number in range(len(evidence.captures)):
        rows = np.flatnonzero(evidence.capture == number)
        if judged.above[rows].any():
            verdicts = rulebook.judge(judged.take(rows))
            told += [Told(int(rows[one.row]), one.rule.msg) for one in verdicts if not one.update]
            rulebook.close()
    return told


def count(evidence: Evidence, told: list[Told], days: float) -> Incidents:
    """Count alerts by what their flows were; `days` of benign traffic were watched."""
    rows = np.array([one.row for one in told], dtype=np.int64)
    truth, capture = evidence.truth, evidence.capture
    quiet = (truth == BENIGN) & ~evidence.beside
    false = rows[quiet[rows]]
    of_benign = np.unique(capture[quiet])
    hit = rows[truth[rows] == ATTACK]
    found = {}
    for name in sorted(set(evidence.family[evidence.attack].tolist())):
        own = np.unique(capture[evidence.attack & (evidence.family == name)])
        alerted = hit[evidence.family[hit] == name]
        found[name] = (len(own), len(np.unique(capture[alerted])), len(alerted))
    return Incidents(
        found=found,
        false=len(false),
        false_captures=(len(np.unique(capture[false])), len(of_benign)),
        false_by_capture=len(false) / max(1, len(of_benign)),
        false_by_day=len(false) / days if days > 0 else None,
        days=days,
        beside=int((evidence.beside[rows] & (truth[rows] == BENIGN)).sum()),
        undecided=len(rows) - len(hit) - int((truth[rows] == BENIGN).sum()),
        delay={name: _delay(evidence, hit, name) for name, (_, some, _) in found.items() if some},
    )


def _delay(evidence: Evidence, hit: npt.NDArray[np.int64], name: str) -> Delay:
    """Return how long it took from the first attack packet of each capture to the first alert on it."""
    assert evidence.flows is not None
    assert evidence.first_ns is not None
    mine = evidence.family == name
    first = _first_packets(evidence, (evidence.truth == ATTACK) & mine)
    packets, seconds, at_end = [], [], 0
    times = evidence.time_ns if evidence.time_ns is not None else evidence.flows["end_ns"]
    alerted: dict[int, int] = {}
    for row in hit[mine[hit]].tolist():
        alerted.setdefault(int(evidence.capture[row]), row)
    for number, row in alerted.items():
        seconds.append(max(0, int(times[row]) - first[number]) / SECOND_NS)
        if evidence.packet is not None:
            reached = evidence.packet_ns[number]
            packets.append(int(evidence.packet[row]) - int(np.searchsorted(reached, first[number])) + 1)
            at_end += int(evidence.packet[row]) == len(reached) - 1
    return Delay(
        captures=len(alerted),
        packets=float(np.median(packets)) if packets else None,
        seconds=float(np.median(seconds)),
        seconds_worst=max(seconds),
        at_end=at_end,
    )


def _first_packets(evidence: Evidence, rows: npt.NDArray[np.bool_]) -> Mapping[int, int]:
    """Return when the first attack packet of each capture was seen, ns."""
    assert evidence.first_ns is not None
    places = np.flatnonzero(rows)
    order = places[np.argsort(evidence.first_ns[places], kind="stable")]
    captures, at = np.unique(evidence.capture[order], return_index=True)
    return dict(zip(captures.tolist(), evidence.first_ns[order[at]].tolist(), strict=True))
