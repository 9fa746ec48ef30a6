"""Any detector on any labelled flows: every figure, before and after grouping.

    judged = judge(Detector.load(...), evidence)
    judged = judge(Subject.of_function("forest", predict, feature_set, "flow1"), evidence)

Figures by flow come from the reports that ended a flow; incidents from all reports, as the sensor makes them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensor.detector import Detector
from sensor.errors import NettrusionError
from training.datasets.labelled_captures import ATTACK
from training.evaluation import grouping
from training.evaluation.budget import operating_point, precision, upper_bound
from training.evaluation.decisions import Decided
from training.evaluation.evidence import BESIDE, Evidence
from training.evaluation.grouping import Incidents, Teller, Words
from training.evaluation.subject import Floats, Probability, Subject
from training.evaluation.weighing import FEWEST_GROUPS, Area, Side, alike, areas, mean_interval

if TYPE_CHECKING:
    from sensor.rulebook import Rulebook

Mask = npt.NDArray[np.bool_]
Interval = tuple[float, float] | None
RATES = (1e-2, 1e-3)
BASE_RATES = (1e-2, 1e-3, 1e-4, 1e-5)
EVEN = 1e-2
"""The share of attacks at which PR-AUC is told beside that of the data."""

_Chosen = tuple[str, float, float | None, bool, int, bool]
"""Name, threshold, rate, whether captures count alike in it, how many flows vouch for it, whether they are enough."""


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold and what it does to benign flows.

    Attributes:
        name: `own`, or the false-positive rate that it was set by, with `flows` or `captures` alike.
        threshold: the score.
        rate: what it was set to; None for the detector's own.
        alike: whether captures count alike in that rate, or flows.
        flows: how many equal benign flows vouch for it.
        certified: whether these are enough, 3 / rate.
        false_by_flow: false-positive rate, each flow counting alike.
        false_by_capture: each capture counting alike; None where captures are few.
        interval: of `false_by_capture`, or else of `false_by_flow`.
        bound: upper bound of `false_by_flow` at 95 %.
        macro_recall: mean over the families.
        mcc: Matthews' correlation of alerts and attacks, at the data's own share of attacks.
        macro_f1: mean F1 of benign and of the families that are classes of the detector; None where none is.
        precision: at base rates, from the macro recall and the rate (its bound for `own`).
        incidents: after grouping; None where there are no flow records.
    """

    name: str
    threshold: float
    rate: float | None
    alike: bool
    flows: int
    certified: bool
    false_by_flow: float
    false_by_capture: float | None
    interval: Interval
    bound: float
    macro_recall: float
    mcc: float
    macro_f1: float | None
    precision: dict[str, float]
    incidents: Incidents | None


@dataclass(frozen=True, slots=True)
class Recall:
    """What of a class is found at a point: share of its flows, mean of its captures' shares, interval of the former."""

    flows: float
    captures: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Class:
    """One class of attack, or one family of them. `called` is what most of its flows above the threshold are called."""

    name: str
    family: str
    captures: int
    flows: int
    roc_auc: float
    roc_auc_interval: Interval
    pr_auc: float
    called: str
    recall: dict[str, Recall]


@dataclass(frozen=True, slots=True)
class Quiet:
    """One kind of benign traffic at the detector's own threshold."""

    name: str
    captures: int
    flows: int
    alerts: int
    by_flow: float
    by_capture: float
    worst: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One detector on one body of data.

    `alike` says that captures of benign traffic count alike in ROC-AUC and PR-AUC; `base_rate` is the share of
    attacks that PR-AUC stands at, and `pr_auc_at_one_percent` has one attack in a hundred flows, families alike.
    `macro_roc_auc` is the mean over the families. `classes` has the labels that are not called as their family.
    """

    model: str
    data: str
    threshold: float
    alike: bool
    attack_flows: int
    benign_flows: int
    benign_captures: int
    base_rate: float
    roc_auc: float
    roc_auc_interval: Interval
    macro_roc_auc: float
    pr_auc: float
    pr_auc_at_one_percent: float
    points: list[Point]
    families: list[Class]
    classes: list[Class]
    benign: list[Quiet]
    left_out: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)

    def point(self, rate: float | None, *, captures_alike: bool | None = None) -> Point:
        """Return the point of a rate, the detector's own for None; by default as the data counts."""
        wanted = self.alike if captures_alike is None else captures_alike
        return next(one for one in self.points if one.rate == rate and (rate is None or one.alike == wanted))


def judge(
    model: Detector | Subject,
    evidence: Evidence,
    rates: Sequence[float] = RATES,
    rulebook: "Rulebook | None" = None,
    *,
    grouped: bool = True,
) -> Judged:
    """Compute every figure of a detector on labelled flows.

    Args:
        model: a bundle, or anything else that scores.
        evidence: the flows.
        rates: false-positive rates to set thresholds by, with hindsight.
        rulebook: the rules that make incidents; those that come with the sensor if None.
        grouped: whether to make incidents at all, which takes most of the time.

    Raises:
        NettrusionError: the data has no benign or no attack flow, or cannot be turned into the features.
    """
    subject = Subject.of(model) if isinstance(model, Detector) else model
    if not evidence.benign.any():
        raise NettrusionError(f"{evidence.name}: no benign flow; recall means nothing without false alerts beside it")
    if not evidence.attack.any():
        raise NettrusionError(f"{evidence.name}: no attack flow; there is nothing to find")
    score, probability = subject.score(evidence)
    bench = _Bench(subject, evidence, np.asarray(score, dtype=np.float64), probability)
    teller = Teller(evidence, rulebook or grouping.shipped()) if grouped and evidence.flows is not None else None
    points = bench.points(rates, teller)
    attack, benign = evidence.attack, evidence.benign
    kinds = _kinds(evidence)
    whole, *rest = bench.areas([attack, *(rows for _, _, rows in kinds)])
    found = [bench.named(kind, points, area) for kind, area in zip(kinds, rest, strict=True)]
    return Judged(
        model=subject.name,
        data=evidence.name,
        threshold=subject.threshold,
        alike=evidence.alike,
        attack_flows=int(attack.sum()),
        benign_flows=int(benign.sum()),
        benign_captures=len(np.unique(evidence.capture[benign])),
        base_rate=float(evidence.weight[attack].sum() / evidence.weight[attack | benign].sum()),
        roc_auc=whole.value,
        roc_auc_interval=whole.interval,
        macro_roc_auc=float(np.mean([one.roc_auc for one in found if one.name == one.family])),
        pr_auc=bench.average_precision(attack),
        pr_auc_at_one_percent=bench.even_precision(),
        points=points,
        families=[one for one in found if one.name == one.family],
        classes=[one for one in found if one.name != one.family],
        benign=bench.quiet(),
        left_out=dict(evidence.left_out),
    )


def reference(evidence: Evidence) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the rows that figures by flow are made of, and what each counts: captures alike where they are many."""
    rows = np.flatnonzero(evidence.attack | evidence.benign)
    weight = evidence.weight[rows].copy()
    if evidence.alike:
        benign = evidence.benign[rows]
        even = alike(evidence.capture[rows][benign], weight[benign])
        weight[benign] = even * benign.sum() / even.sum()
    return rows, weight


def _kinds(evidence: Evidence) -> list[tuple[str, str, Mask]]:
    """Return name, family and rows of every family of attacks, and of every label that is not called as its family."""
    attack = evidence.attack
    pairs = sorted(set(zip(evidence.family[attack].tolist(), evidence.label[attack].tolist(), strict=True)))
    families = sorted({family for family, _ in pairs})
    return [
        *((name, name, attack & (evidence.family == name)) for name in families),
        *(
            (label, family, attack & (evidence.family == family) & (evidence.label == label))
            for family, label in pairs
            if label != family
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Bench:
    """Scores of evidence, and how each figure follows from them."""

    subject: Subject
    evidence: Evidence
    score: Floats
    probability: Probability | None

    def points(self, rates: Sequence[float], teller: Teller | None) -> list[Point]:
        """Return the detector's own threshold, then those of the rates."""
        ev, benign = self.evidence, self.evidence.benign
        quiet, weight = self.score[benign], ev.weight[benign]
        own = float(np.float32(self.subject.threshold))  # The sensor compares float32 with float32.
        found: list[_Chosen] = [("own", own, None, False, int(benign.sum()), True)]
        for rate in rates:
            for same in (True, False) if ev.alike else (False,):
                point = operating_point(quiet, rate, alike(ev.capture[benign], weight) if same else weight)
                name = f"{rate:g}, {'captures' if same else 'flows'} alike"
                found.append((name, point.threshold, rate, same, point.flows, point.certified))
        return [self._point(one, teller) for one in found]

    def _point(
        self,
        given: _Chosen,
        teller: Teller | None,
    ) -> Point:
        name, threshold, rate, same, flows, certified = given
        ev, benign = self.evidence, self.evidence.benign
        false = self._above(threshold)[benign].astype(np.float64)
        weight, capture = ev.weight[benign], ev.capture[benign]
        even = alike(capture, weight)
        bound = upper_bound(int(false.sum()), int(benign.sum()))
        families = sorted(set(ev.family[ev.attack].tolist()))
        found = [float(self._above(threshold)[ev.attack & (ev.family == one)].mean()) for one in families]
        macro = float(np.mean(found))
        both = ev.attack | benign
        decided = Decided(ev.family[both], self._above(threshold)[both], self._calls()[both], ev.weight[both])
        by_flow = float(np.average(false, weights=weight))
        by_capture = float(np.average(false, weights=even)) if ev.alike else None
        said = bound if rate is None else max(rate, by_flow if not same else rate)
        return Point(
            name=name,
            threshold=threshold,
            rate=rate,
            alike=same,
            flows=flows,
            certified=certified,
            false_by_flow=by_flow,
            false_by_capture=by_capture,
            interval=mean_interval(false, even if ev.alike else weight, self._groups(benign)),
            bound=bound,
            macro_recall=macro,
            mcc=decided.mcc(),
            macro_f1=decided.macro_f1(self.subject.classes),
            precision={f"{base:g}": precision(macro, said, base) for base in BASE_RATES},
            incidents=None if teller is None else teller.told(self.score, self._words(), threshold),
        )

    def named(self, kind: tuple[str, str, Mask], points: Sequence[Point], area: Area) -> Class:
        """Return the figures of some attack flows."""
        name, family, rows = kind
        ev = self.evidence
        calls = self._called(rows & self._above(points[0].threshold))
        groups = self._groups(rows)
        recall = {}
        for point in points:
            hit = self._above(point.threshold)[rows].astype(np.float64)
            weight = ev.weight[rows]
            recall[point.name] = Recall(
                float(np.average(hit, weights=weight)),
                float(np.average(hit, weights=alike(ev.capture[rows], weight))),
                mean_interval(hit, weight, groups),
            )
        return Class(
            name=name,
            family=family,
            captures=len(np.unique(ev.capture[rows])),
            flows=int(rows.sum()),
            roc_auc=area.value,
            roc_auc_interval=area.interval,
            pr_auc=self.average_precision(rows),
            called=calls,
            recall=recall,
        )

    def quiet(self) -> list[Quiet]:
        """Return the kinds of benign traffic, those beside attacks last."""
        ev = self.evidence
        above = self._above(float(np.float32(self.subject.threshold)))
        found = []
        counted = ev.counts & (ev.truth != ATTACK)
        for name in sorted(set(ev.label[counted].tolist()), key=lambda one: (one == BESIDE, one)):
            rows = counted & (ev.label == name)
            _, member = np.unique(ev.capture[rows], return_inverse=True)
            shares = np.bincount(member, weights=above[rows]) / np.bincount(member)
            alerts, flows = int(above[rows].sum()), int(rows.sum())
            found.append(
                Quiet(name, len(shares), flows, alerts, alerts / flows, float(shares.mean()), float(shares.max()))
            )
        return found

    def areas(self, kinds: Sequence[Mask]) -> list[Area]:
        """Return the ROC-AUC of several kinds of attack flows against the benign ones."""
        benign = self.evidence.benign
        quiet = Side(self.score[benign], self._groups(benign), self._benign_weight())
        return areas(quiet, [Side(self.score[rows], self._groups(rows), self.evidence.weight[rows]) for rows in kinds])

    def average_precision(self, rows: Mask) -> float:
        """Return the area under precision over recall, at the data's own ratio of these rows to benign ones."""
        from sklearn.metrics import average_precision_score

        both = rows | self.evidence.benign
        return float(average_precision_score(rows[both], self.score[both], sample_weight=self.evidence.weight[both]))

    def even_precision(self) -> float:
        """Return the same with every family of attack counting alike, and together a hundredth of all flows."""
        from sklearn.metrics import average_precision_score

        ev = self.evidence
        attack, benign = ev.attack, ev.benign
        _, family = np.unique(ev.family[attack], return_inverse=True)
        loud = alike(family, ev.weight[attack])
        quiet = self._benign_weight()
        return float(
            average_precision_score(
                np.repeat([True, False], [len(loud), len(quiet)]),
                np.concatenate([self.score[attack], self.score[benign]]),
                sample_weight=np.concatenate([EVEN * loud / loud.sum(), (1 - EVEN) * quiet / quiet.sum()]),
            )
        )

    def _benign_weight(self) -> Floats:
        benign = self.evidence.benign
        weight = self.evidence.weight[benign]
        return alike(self.evidence.capture[benign], weight) if self.evidence.alike else weight

    def _groups(self, rows: Mask) -> npt.NDArray[np.uint64]:
        """Return what is redrawn as a whole: captures, or hosts where captures are too few to tell anything."""
        capture = self.evidence.capture[rows]
        if self.evidence.alike and len(np.unique(capture)) >= FEWEST_GROUPS:
            return capture.astype(np.uint64)
        return self.evidence.cluster[rows]

    def _above(self, threshold: float) -> Mask:
        return np.asarray(self.score >= threshold)

    def _called(self, rows: Mask) -> str:
        calls = Counter(self._calls()[rows].tolist()).most_common(1)
        return calls[0][0] if calls else "-"

    def _calls(self) -> npt.NDArray[np.str_]:
        return np.array(self.subject.classes)[self._words().class_index]

    def _words(self) -> Words:
        count = len(self.score)
        index = np.ones(count, dtype=np.int64)
        if self.probability is not None:
            index = 1 + self.probability[:, 1:].argmax(axis=1).astype(np.int64)
        rank = self.subject.rank
        ranks = np.zeros(count, dtype=np.int64) if rank is None else rank(self.score.astype(np.float32))
        return Words(index, self.subject.classes, ranks)
