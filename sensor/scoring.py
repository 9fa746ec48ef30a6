"""From finished flows to events: features -> scores -> verdicts -> lines, for a file and a wire alike.

scoring = Scoring(config, load_detector(config), load_rulebook(config), write)
scoring.score(flows, Place(pcap_filename="a.pcap"))
scoring.tick(now_ns)                  # incidents whose time is over say their last word
"""

import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sensor.calibration import calibration_path, read_calibration
from sensor.config import Config
from sensor.detector import Detector, Scores
from sensor.drift import Drift
from sensor.errors import NettrusionError
from sensor.eve import AnomalyLimiter, EventBuilder, Judgement, Reading, encode
from sensor.features import FeatureSet
from sensor.flows import Reason
from sensor.rulebook import MAX_INCIDENTS, Rulebook, ScoredFlows, Verdict, rule_variables

MODEL: Final = Path(__file__).parent / "data" / "model.onnx"
"""The bundle that comes with the sensor."""

REMEMBERED: Final = 4 * MAX_INCIDENTS
"""How many told flows are remembered with their place; an open incident has one, told anew now and then."""

Event = Mapping[str, Any]
Kind = Literal["alert", "flow", "stats", "anomaly"]
Write = Callable[[Kind, Sequence[bytes]], None]
Watch = Callable[[Sequence[Event]], None]
Observe = Callable[[NDArray[np.void], Sequence[int]], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch of flows was seen: an interface, or a capture file."""

    in_iface: str | None = None
    pcap_filename: str | None = None


@dataclass(slots=True)
class Said:
    """What was scored and told since the start.

    Attributes:
        flows: flow records scored, snapshots among them.
        snapshots: those of them that were of flows still open.
        above: those of them whose score reached the threshold.
        alerts: alert events, one for each incident as far as its rule is concerned.
        updates: further alert events of incidents that were told before.
        classes: alert events by the class that the detector gave the flow.
    """

    flows: int = 0
    snapshots: int = 0
    above: int = 0
    alerts: int = 0
    updates: int = 0
    classes: Counter[str] = field(default_factory=Counter)


class Scoring:
    """A detector and the rules in force, and what becomes of the flows that they judge. One thread uses it."""

    def __init__(self, config: Config, detector: Detector, rulebook: Rulebook, write: Write) -> None:
        """Join the parts. `write` is given lines by the kind of their event."""
        self.write = write
        self.on_alerts: Watch | None = None
        self.on_told: Observe | None = None
        self.said = Said()
        self._anomalies = AnomalyLimiter()
        self.drift: Drift | None = None
        self.drift_of = ""
        self._told: OrderedDict[int, Place] = OrderedDict()
        self.put_in_force(config, detector, rulebook)

    def put_in_force(self, config: Config, detector: Detector, rulebook: Rulebook) -> None:
        """Judge by these from the next batch on; what was counted so far stays.

        The incidents that are open go over as far as the new rulebook has taken them (`Rulebook.take_over`).
        Drift is measured on, from the beginning where the model is another.
        """
        if self.drift is not None and detector.meta.sha256 != self.drift_of:
            self.drift, self.drift_of = Drift(detector.meta), detector.meta.sha256
        self.config = config
        self.detector = detector
        self.rulebook = rulebook
        self.threshold = threshold(config, detector)
        self.basis = threshold_basis(config, detector)
        self._builders: dict[Place, EventBuilder] = {}

    def measure_drift(self) -> None:
        """Begin to compare what is scored with what the model was trained on."""
        self.drift, self.drift_of = Drift(self.detector.meta), self.detector.meta.sha256

    def score(self, flows: NDArray[np.void], place: Place) -> None:
        """Score, judge and write flows that have ended, or snapshots of open ones.

        Args:
            flows: FLOW_DTYPE, shape (n,); none do nothing.
            place: where all of them were seen.
        """
        if not len(flows):
            return
        meta = self.detector.meta
        features = self.detector.feature_set.extract(flows, meta.variant)
        scores = self.detector.score(features)
        if self.drift is not None:
            self.drift.add(features, scores.score)
        judged = self._judged(flows, scores)
        self.said.flows += len(flows)
        self.said.above += int(np.count_nonzero(judged.above))
        self.said.snapshots += int(np.count_nonzero(flows["reason"] == Reason.SNAPSHOT))
        verdicts = self.rulebook.judge(judged)
        told = [verdict for verdict in verdicts if not verdict.update]
        rows = [verdict.row for verdict in told]
        judgements = [
            Judgement(
                verdict,
                float(scores.score[verdict.row]),
                self.detector.explain(features[verdict.row], contributions, self.config.output.features),
            )
            for verdict, contributions in zip(told, self._contributions(features[rows]), strict=True)
        ]
        if judgements:
            self._send(self._builder(place).alerts(judged, judgements))
            self._remember(told, place)
            self.said.alerts += len(judgements)
            self.said.classes.update(verdict.class_name for verdict in told)
            if self.on_told is not None:
                self.on_told(flows, rows)
        self.write_updates([verdict for verdict in verdicts if verdict.update])
        if self.config.output.flow_events:
            self.write("flow", self._builder(place).flow_lines(judged, self._alerted(flows, rows)))

    def tick(self, now_ns: int) -> None:
        """Let packet time pass: incidents whose time is over say their last word."""
        self.write_updates(self.rulebook.tick(now_ns))

    def close_incidents(self) -> None:
        """End every incident, as at the end of a capture; packet time begins anew."""
        self.write_updates(self.rulebook.close())
        self._told.clear()

    def write_anomalies(self, counters: Mapping[str, int], now_ns: int, place: Place) -> None:
        """Write the anomalies that are due by an engine's counters."""
        due = self._anomalies.due(counters, now_ns)
        if due:
            builder = self._builder(place)
            self.write("anomaly", [encode(builder.anomaly(reason, now_ns)) for reason in due])

    def write_stats(self, reading: Reading, place: Place) -> None:
        """Write one `stats` event."""
        self.write("stats", [encode(self._builder(place).stats(reading))])

    def _judged(self, flows: NDArray[np.void], scores: Scores) -> ScoredFlows:
        return ScoredFlows(
            flows=flows,
            score_permille=np.rint(scores.score.astype(np.float64) * 1000).astype(np.int64),
            threshold_permille=round(self.threshold * 1000),
            above=scores.score >= np.float32(self.threshold),
            class_index=scores.class_index,
            class_names=self.detector.meta.classes,
            budget_rank=self.detector.budget_rank(scores.score),
            score_ppm=millionths(scores.score),
            model=model_mark(self.detector.meta.sha256),
        )

    def _alerted(self, flows: NDArray[np.void], rows: Sequence[int]) -> NDArray[np.bool_]:
        """Return which flows an alert was written for, by this record or by an earlier one of the same flow."""
        alerted: NDArray[np.bool_] = np.zeros(len(flows), dtype=bool)
        alerted[rows] = True
        again = np.flatnonzero(flows["part"])
        alerted[again] |= np.fromiter((int(one) in self._told for one in flows["flow_id"][again]), bool, len(again))
        return alerted

    def _contributions(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the features of the flows to be told of contributed, (n, k); nothing for none."""
        return self.detector.contributions(features) if len(features) else features

    def write_updates(self, updates: Sequence[Verdict]) -> None:
        """Write later words on incidents: the flow that was told of, where it was seen, and how many there were."""
        by_place: dict[Place, list[Verdict]] = {}
        for verdict in updates:
            by_place.setdefault(self._told.get(int(verdict.flow["flow_id"]), Place()), []).append(verdict)
        for place, verdicts in by_place.items():
            self._send(self._builder(place).updates(verdicts))
        self.said.updates += len(updates)

    def _remember(self, told: Sequence[Verdict], place: Place) -> None:
        """Keep where flows were seen that were told of, as long as the rulebook may have a later word on them."""
        for verdict in told:
            self._told[int(verdict.flow["flow_id"])] = place
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _send(self, alerts: Sequence[Event]) -> None:
        self.write("alert", [encode(alert) for alert in alerts])
        if self.on_alerts is not None:
            self.on_alerts(alerts)

    def _builder(self, place: Place) -> EventBuilder:
        """Return the builder of events seen at a place; one is kept, as captures follow each other."""
        if place not in self._builders:
            if len(self._builders) >= 64:
                self._builders.clear()
            meta = self.detector.meta
            self._builders[place] = EventBuilder(
                sensor=self.config.sensor.name or os.uname().nodename,
                model=f"{meta.name} {meta.version}",
                threshold=self.threshold,
                in_iface=place.in_iface,
                pcap_filename=place.pcap_filename,
            )
        return self._builders[place]


def threshold(config: Config, detector: Detector) -> float:
    """Return the score, 0 to 1, from which on a flow may alert.

    A number from the configuration, the bundle's own, that of the operator's calibration, or the lowest
    score of the bundle's calibration that at most `budget_per_million` of a million benign flows reach. A budget
    below what that can tell gives the highest score that it has seen.
    """
    wanted = config.detector.threshold
    if isinstance(wanted, float):
        return wanted
    meta = detector.meta
    if wanted == "model":
        return meta.threshold
    if wanted == "calibrated":
        if detector.calibration is None:
            raise NettrusionError('detector.threshold = "calibrated": the model was loaded without a calibration')
        return detector.calibration.threshold
    share = config.detector.budget_per_million / 1e6
    within = [score for score, fraction in meta.calibration if fraction <= share]
    return min(within, default=meta.calibration[0][0])


def threshold_basis(config: Config, detector: Detector) -> str:
    """Return in words where the threshold comes from."""
    wanted = config.detector.threshold
    if wanted == "calibrated" and detector.calibration is not None:
        return detector.calibration.sentence
    if wanted == "budget":
        return f"for {config.detector.budget_per_million:g} benign flows in a million"
    return "the model's" if wanted == "model" else "as configured"


def millionths(score: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return scores, 0 to 1, in whole millionths: as finely as events tell them."""
    return np.rint(score.astype(np.float64) * 1e6).astype(np.int64)


def model_mark(sha256: str) -> int:
    """Return the first 32 bits of a model's hash, by which events say whose score they carry."""
    return int(sha256[:8], 16)


def load_detector(config: Config) -> Detector:
    """Load the model that a configuration names, or the one that comes with the sensor.

    With `detector.threshold = "calibrated"` its calibration is loaded too.
    Raises NettrusionError when either is refused.
    """
    path = Path(config.detector.model) if config.detector.model else MODEL
    signers = Path(config.detector.signers) if config.detector.signers else None
    sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    detector = Detector.load(path, sets, allowed_signers=signers)
    if config.detector.threshold != "calibrated":
        return detector
    own = read_calibration(calibration_path(config.detector), detector.meta.sha256)
    return replace(detector, calibration=own)


def load_rulebook(config: Config, home_net: str | None = None) -> Rulebook:
    """Load the rules that a configuration names, or those that come with the sensor.

    Args:
        config: the configuration.
        home_net: what `auto` stands for as the home network, None for private and link-local networks.
    """
    return Rulebook.load(rules_folder(config), rule_variables(config, home_net))


def rules_folder(config: Config) -> Path:
    """Return the folder of rules that a configuration names, or that of the sensor."""
    given = config.rules.directory
    return Path(given) if given else Path(str(files("rules")))
