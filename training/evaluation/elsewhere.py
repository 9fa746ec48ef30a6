"""Figures of a bundle on captures of other origin, by class and by capture."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.bootstrap import share_interval
from training.evaluation.budget import operating_point
from training.evaluation.transfer import Elsewhere


@dataclass(frozen=True, slots=True)
class Group:
    """One class of attack, or one kind of benign traffic, at the bundle's threshold.

    `alerted` is the share of its flows, `alerted_by_capture` the mean of the captures' shares,
    `worst` the highest of them; `called` is the class most alerted flows were given.
    """

    group: str
    captures: int
    flows: int
    alerted: float
    alerted_by_capture: float
    worst: float
    called: str
    roc_auc: float | None


@dataclass(frozen=True, slots=True)
class Abroad:
    """The transfer column. `at_rate` has recall by class when `rates` of the benign flows alert."""

    attacks: list[Group]
    benign: list[Group]
    benign_flows: int
    false_positive_rate: float
    false_positive_rate_by_capture: float
    interval: tuple[float, float] | None
    rates: tuple[float, ...]
    at_rate: dict[str, list[float]]
    left_out: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def judge(
    flows: Elsewhere,
    score: npt.NDArray[np.float64],
    probability: npt.NDArray[np.float64] | None,
    classes: tuple[str, ...],
    threshold: float,
    rates: tuple[float, ...],
) -> Abroad:
    """Compute the transfer column from scores (n,) and class probabilities (n, C), if there are."""
    alerted = score >= threshold
    named = np.full(len(score), "-")
    if probability is not None:
        named = np.array(classes)[1 + probability[:, 1:].argmax(axis=1)]
    benign = ~flows.attack
    group = flows.group

    def summary(name: str, rows: npt.NDArray[np.bool_], auc: float | None) -> Group:
        shares = _by_capture(alerted[rows], flows.file[rows])
        calls = Counter(named[rows & alerted].tolist())
        return Group(
            name,
            len(shares),
            int(rows.sum()),
            float(alerted[rows].mean()),
            float(shares.mean()),
            float(shares.max()),
            calls.most_common(1)[0][0] if calls else "-",
            auc,
        )

    attacks = sorted(set(group[flows.attack].tolist()))
    quiet = sorted(set(group[benign].tolist()))
    points = [operating_point(score[benign], rate) for rate in rates]
    return Abroad(
        attacks=[
            summary(
                name,
                flows.attack & (group == name),
                _auc(score, benign, flows.attack & (group == name)),
            )
            for name in attacks
        ],
        benign=[summary(name, benign & (group == name), None) for name in quiet],
        benign_flows=int(benign.sum()),
        false_positive_rate=float(alerted[benign].mean()),
        false_positive_rate_by_capture=float(_by_capture(alerted[benign], flows.file[benign]).mean()),
        interval=share_interval(alerted[benign], flows.together[benign]),
        rates=rates,
        at_rate={
            name: [float((score[flows.attack & (group == name)] >= point.threshold).mean()) for point in points]
            for name in attacks
        },
        left_out=flows.left_out,
    )


def _by_capture(alerted: npt.NDArray[np.bool_], file: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the share of alerted flows of every capture."""
    _, member = np.unique(file, return_inverse=True)
    hits = np.bincount(member, weights=alerted.astype(np.float64))
    return np.asarray(hits / np.bincount(member))


def _auc(score: npt.NDArray[np.float64], benign: npt.NDArray[np.bool_], attack: npt.NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    rows = benign | attack
    return float(roc_auc_score(attack[rows], score[rows]))
