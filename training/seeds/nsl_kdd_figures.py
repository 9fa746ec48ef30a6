"""Figures of a detector on NSL-KDD: at budgets set on held-out normal rows, and on the test's own curve."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.benchmark import Benchmark
from training.evaluation.budget import operating_point

BUDGETS = (0.01, 0.05, 0.10)
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What one threshold does on a test file; recall by kind of attack."""

    accuracy: float
    f1: float
    tpr: float
    fpr: float
    recall: dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One detector, one seed, one test file.

    `at_budget` has thresholds from held-out normal rows of the training file, so that the test's
    false-positive rate comes out near the budget and not at it. `tpr_at_exactly` is read off the
    test's own ROC curve: nobody who uses a detector can choose that threshold, it only makes
    detectors comparable. `seed_rule` is the threshold of the seed's own program, where it has one.
    """

    seed: int
    auc: float
    at_budget: dict[str, AtThreshold]
    tpr_at_exactly: dict[str, float]
    seed_rule: AtThreshold | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def judge(test: Benchmark, scores: Scores, held: Scores, seed: int, rule: float | None = None) -> Run:
    """Return the figures of scores (n,) of a test file; `held` are those of held-out normal rows."""
    from sklearn.metrics import roc_auc_score

    return Run(
        seed=seed,
        auc=float(roc_auc_score(test.attack, scores)),
        at_budget={f"{rate:g}": at(test, scores, operating_point(held, rate).threshold) for rate in BUDGETS},
        tpr_at_exactly={f"{rate:g}": tpr_at(scores[test.benign], scores[test.attack], rate) for rate in BUDGETS},
        seed_rule=None if rule is None else at(test, scores, rule),
    )


def at(test: Benchmark, scores: Scores, threshold: float) -> AtThreshold:
    """Return the figures at a threshold: a row is alerted when its score reaches it."""
    from sklearn.metrics import accuracy_score, f1_score

    alerted = scores >= threshold
    return AtThreshold(
        accuracy=float(accuracy_score(test.attack, alerted)),
        f1=float(f1_score(test.attack, alerted)),
        tpr=float(alerted[test.attack].mean()),
        fpr=float(alerted[test.benign].mean()),
        recall={
            str(kind): float(alerted[test.category == kind].mean()) for kind in np.unique(test.category[test.attack])
        },
    )


def tpr_at(benign: Scores, attacks: Scores, rate: float) -> float:
    """Return the share of attacks above the lowest threshold that at most `rate` of the benign scores reach."""
    return float((attacks >= operating_point(benign, rate).threshold).mean())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean, median, least and largest of the seeds' figures."""
    return {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "least": float(np.min(values)),
        "largest": float(np.max(values)),
    }


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Return every figure of several seeds as `spread` gives it."""
    found: dict[str, Any] = {"auc": spread([run.auc for run in runs])}
    for rate in (f"{rate:g}" for rate in BUDGETS):
        found[f"at {rate}"] = {
            name: spread([getattr(run.at_budget[rate], name) for run in runs])
            for name in ("tpr", "fpr", "accuracy", "f1")
        }
        kinds = runs[0].at_budget[rate].recall
        found[f"at {rate}"]["recall"] = {
            kind: spread([run.at_budget[rate].recall[kind] for run in runs]) for kind in kinds
        }
        found[f"tpr at exactly {rate} (test's own curve)"] = spread([run.tpr_at_exactly[rate] for run in runs])
    ruled = [run.seed_rule for run in runs if run.seed_rule is not None]
    if ruled:
        found["at the last training loss"] = {
            name: spread([getattr(rule, name) for rule in ruled]) for name in ("tpr", "fpr", "accuracy", "f1")
        }
    return found


def table(summaries: dict[str, dict[str, Any]]) -> str:
    """Return a Markdown table: a line a detector, TPR (and FPR reached) at each budget, means over seeds."""
    budgets = [f"{rate:g}" for rate in BUDGETS]
    heads = ["detector", "AUC"]
    heads += [f"TPR (FPR) at budget {float(rate):.0%}" for rate in budgets]
    heads += [f"TPR at exactly {float(rate):.0%}" for rate in budgets]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, found in summaries.items():
        cells = [name, f"{found['auc']['mean']:.3f}"]
        for rate in budgets:
            budget = found[f"at {rate}"]
            cells.append(f"{budget['tpr']['mean']:.3f} ({budget['fpr']['mean']:.3f})")
        for rate in budgets:
            exact = found[f"tpr at exactly {rate} (test's own curve)"]
            cells.append(f"{exact['mean']:.3f} [{exact['least']:.3f}, {exact['largest']:.3f}]")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
