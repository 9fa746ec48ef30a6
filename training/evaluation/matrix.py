"""The transfer matrix: what is learnt from one kind of data, or from all, and worth on each.

A cell's false-positive rates are those of its own benign flows: thresholds are moved to where so many of
them alert, as an operator does who calibrates on his own traffic. Captures of other origin count alike,
whatever their size; a row of the data counts as many flows as it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.table import FlowTable
from training.evaluation.crossing import threshold_at
from training.evaluation.transfer import Elsewhere
from training.evaluation.trials import Answers
from training.splits.parts import Rows, Split
from training.splits.sources import Groups, calibration_of, reported_of

Floats = npt.NDArray[np.float64]
ALL = "all together"
CAPTURES = "captures of other origin"
RATES = (1e-2, 1e-3)


@dataclass(frozen=True, slots=True)
class Exam:
    """Flows to be judged on: `group` (n,) is their class, `benign` or an attack; `weight` (n,) counts benign ones."""

    group: npt.NDArray[np.str_]
    weight: Floats


@dataclass(frozen=True, slots=True)
class Cell:
    """By class: ROC-AUC against benign, and recall where `rates` of the benign flows alert."""

    auc: dict[str, float]
    recall: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Cells by candidate, by what was learnt from, by what was judged on: one a seed.

    `taught` names the families that each lesson holds, `asked` counts the flows of each exam by class,
    `benign_captures` how many captures there are benign flows of.
    """

    cells: dict[str, dict[str, dict[str, list[Cell]]]]
    taught: dict[str, list[str]]
    asked: dict[str, dict[str, int]]
    rates: tuple[float, ...] = RATES

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def of_rows(table: FlowTable, rows: Rows) -> Exam:
    """Return rows of a table as an exam, by family."""
    return Exam(table.family[rows], table.weight[rows])


def of_captures(flows: Elsewhere) -> tuple[Exam, npt.NDArray[np.bool_]]:
    """Return captures of other origin as an exam, and which of their flows are in it.

    Flows beside an attack that were not marked are no ground truth of benign traffic: left out.
    """
    group = flows.group
    kept = flows.attack | np.char.startswith(group, "benign-")
    benign = kept & ~flows.attack
    sizes = np.bincount(flows.file[benign], minlength=len(flows.captures))
    weight = 1.0 / np.maximum(sizes, 1)[flows.file]
    return Exam(np.where(benign, "benign", group)[kept], weight[kept]), kept


def cell(exam: Exam, score: Floats, rates: Sequence[float] = RATES) -> Cell:
    """Return what scores (n,) of an exam's flows are worth; empty without benign flows.

    ROC-AUC is the chance that an attack scores above a benign flow, ties counting half (Mann and
    Whitney), with the benign flows weighted.
    """
    benign = exam.group == "benign"
    if not benign.any():
        return Cell({}, {})
    quiet, weight = score[benign], exam.weight[benign]
    order = np.argsort(quiet, kind="stable")
    ranked, below = quiet[order], np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
    thresholds = [threshold_at(quiet, weight, rate) for rate in rates]
    auc, recall = {}, {}
    for name in sorted(set(exam.group[~benign].tolist())):
        own = score[exam.group == name]
        left, right = (np.searchsorted(ranked, own, side=side) for side in ("left", "right"))
        auc[name] = float((below[left] + below[right]).mean() / 2)
        recall[name] = [float((own > threshold).mean()) for threshold in thresholds]
    return Cell(auc, recall)


def build(
    table: FlowTable,
    base: Split,
    kinds: Groups,
    lessons: Mapping[str, Mapping[str, Sequence[Answers]]],
    flows: Elsewhere | None,
) -> Matrix:
    """Return the matrix of candidates' answers, by candidate and by what they learnt from (a kind, or ALL)."""
    exams = {name: (of_rows(table, rows), rows) for name, rows in _tests(base, table, kinds).items()}
    abroad = None if flows is None else of_captures(flows)
    cells: dict[str, dict[str, dict[str, list[Cell]]]] = {}
    for candidate, learnt in lessons.items():
        cells[candidate] = {}
        for lesson, answers in learnt.items():
            row = {name: [cell(exam, one.of(rows)) for one in answers] for name, (exam, rows) in exams.items()}
            if abroad is not None:
                row[CAPTURES] = [cell(abroad[0], one.elsewhere[abroad[1]]) for one in answers]
            cells[candidate][lesson] = row
    asked = {name: counts(exam.group) for name, (exam, _) in exams.items()}
    if abroad is not None:
        asked[CAPTURES] = counts(abroad[0].group)
    return Matrix(cells, {name: taught(table, base, kinds.get(name)) for name in (*kinds, ALL)}, asked)


def taught(table: FlowTable, base: Split, sources: Sequence[str] | None = None) -> list[str]:
    """Return the attack families that train holds rows of, of some sources or of all."""
    rows = base.train if sources is None else base.train[np.isin(table.origin[base.train], sources)]
    return sorted(set(table.family[rows].tolist()) - {"benign"})


def left_out_recall(
    table: FlowTable, base: Split, kinds: Groups, learnt: Mapping[str, Answers], rate: float
) -> tuple[float, float]:
    """Return one seed's mean recall on kinds of data that it did not learn from: families taught, and not taught.

    Calibration rows alone, at the threshold that `rate` of the benign ones there reach at most. Each
    pair of kinds counts alike; 0 where no pair has such a family.
    """
    known: list[float] = []
    strange: list[float] = []
    for kind, answers in learnt.items():
        lesson = taught(table, base, kinds[kind])
        for other, sources in kinds.items():
            rows = calibration_of(base, table, sources)
            if other == kind or not table.benign[rows].any():
                continue
            found = {name: one[0] for name, one in cell(of_rows(table, rows), answers.of(rows), (rate,)).recall.items()}
            for place, names in ((known, set(found) & set(lesson)), (strange, set(found) - set(lesson))):
                if names:
                    place.append(float(np.mean([found[name] for name in sorted(names)])))
    return (float(np.mean(known)) if known else 0.0, float(np.mean(strange)) if strange else 0.0)


def counts(names: npt.NDArray[np.str_]) -> dict[str, int]:
    """Return how often each name occurs, sorted by name."""
    found, count = np.unique(names, return_counts=True)
    return {str(name): int(number) for name, number in zip(found, count, strict=True)}


def _tests(base: Split, table: FlowTable, kinds: Groups) -> dict[str, Rows]:
    """Return each kind's test rows, of those that have benign ones."""
    rows = {name: reported_of(base, table, sources) for name, sources in kinds.items()}
    return {name: own for name, own in rows.items() if table.benign[own].any()}
