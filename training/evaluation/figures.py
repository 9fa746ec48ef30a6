"""Every figure of one detector on one part, in the order in which they are to be read."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.datasets.table import FlowTable
from training.evaluation.bootstrap import share_interval
from training.evaluation.budget import OperatingPoint, precision, upper_bound

BASE_RATES = (1e-2, 1e-3, 1e-4, 1e-5)
Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class AtBudget:
    """What one threshold does: recall by family and by label, and false alerts.

    `macro_recall` is the mean over the families that are learnt, each counting alike; precision is
    given at base rates, with the upper bound of the false-positive rate.
    """

    rate: float
    verdict: str
    threshold: float
    false_positive_rate: float
    false_positive_interval: Interval
    false_positive_bound: float
    recall: dict[str, float]
    recall_interval: dict[str, Interval]
    recall_by_label: dict[str, float]
    macro_recall: float
    precision: dict[str, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """A detector on one part of one split. `rows` counts benign rows and rows per family.

    PR-AUC is at the natural ratio of classes (weighted rows); accuracy is weighted too and last.
    Figures over classes are None for detectors that know none.
    """

    rows: dict[str, int]
    budgets: list[AtBudget]
    pr_auc: float
    roc_auc: float
    macro_f1: float | None
    mcc: float
    accuracy: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)

    def at(self, rate: float) -> AtBudget:
        """Return the figures at one of the budgets."""
        return next(found for found in self.budgets if found.rate == rate)


def judge(
    table: FlowTable,
    score: npt.NDArray[np.float64],
    points: list[OperatingPoint],
    probability: npt.NDArray[np.float64] | None = None,
) -> Figures:
    """Compute the figures of scores (n,) on the rows of a table; the last point gives MCC."""
    from sklearn.metrics import (
        accuracy_score,
        average_precision_score,
        f1_score,
        matthews_corrcoef,
        roc_auc_score,
    )

    attack = ~table.benign
    families = table.family
    alerted = score >= points[-1].threshold
    macro_f1 = None
    known = table.target >= 0
    if probability is not None:
        guessed = probability.argmax(axis=1)
        present = sorted(set(table.target[known].tolist()))
        macro_f1 = float(f1_score(table.target[known], guessed[known], labels=present, average="macro"))
    return Figures(
        rows={name: int((families == name).sum()) for name in sorted(set(families.tolist()))},
        budgets=[_at_budget(table, score, point) for point in points],
        pr_auc=float(average_precision_score(attack, score, sample_weight=table.weight)),
        roc_auc=float(roc_auc_score(attack, score)),
        macro_f1=macro_f1,
        mcc=float(matthews_corrcoef(attack, alerted)),
        accuracy=float(accuracy_score(attack, alerted, sample_weight=table.weight)),
    )


def _at_budget(table: FlowTable, score: npt.NDArray[np.float64], point: OperatingPoint) -> AtBudget:
    alerted = score >= point.threshold
    benign = table.benign
    families = table.family
    names = [name for name in sorted(set(families.tolist())) if name != CLASSES[0]]
    recall = {name: float(alerted[families == name].mean()) for name in names}
    learnt = [recall[name] for name in names if name in CLASSES]
    macro = float(np.mean(learnt)) if learnt else 0.0
    false = int(alerted[benign].sum())
    rate = false / max(1, int(benign.sum()))
    bound = upper_bound(false, int(benign.sum()))
    labels = np.array(table.labels)[table.label]
    return AtBudget(
        rate=point.rate,
        verdict=point.verdict,
        threshold=point.threshold,
        false_positive_rate=rate,
        false_positive_interval=share_interval(alerted[benign], table.pair_key[benign]),
        false_positive_bound=bound,
        recall=recall,
        recall_interval={
            name: share_interval(alerted[families == name], table.pair_key[families == name]) for name in names
        },
        recall_by_label={
            str(name): float(alerted[labels == name].mean()) for name in sorted(set(labels[~benign].tolist()))
        },
        macro_recall=macro,
        precision={f"{base:g}": precision(macro, bound, base) for base in BASE_RATES},
    )
