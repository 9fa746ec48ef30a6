"""The card's transfer matrix: a row a class, a column for each lesson, one table for each kind of data judged on."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluation.crossing import MEANS
from training.evaluation.matrix import ALL, CAPTURES, Cell, Matrix
from training.report.blocks import Block, Heading, Paragraph, Picture, Table
from training.selection import Spread


def section(matrix: Matrix, winner: str, shown: Mapping[str, Picture]) -> list[Block]:
    """Return the matrix of the detector that ships, and beside it every candidate's mean over classes."""
    lessons = list(matrix.cells[winner])
    blocks: list[Block] = [
        Heading("Transfer matrix"),
        Paragraph(
            f"Learnt from {_and(lessons)}; judged on {_and(list(matrix.asked))}. {winner}, every class alone against"
            " the benign flows of what it is judged on, thresholds moved to the given share of them, as calibrating"
            " there would. Captures count alike, whatever their size."
            if len(matrix.asked) > 1 or len(lessons) > 1
            else "One kind of data was learnt from and judged on: there is nothing to compare."
        ),
    ]
    for exam, asked in matrix.asked.items():
        blocks += [Heading(exam.capitalize(), 3), _table(matrix, winner, exam, lessons)]
        benign = asked.get("benign", 0)
        blocks.append(Paragraph(f"Against {benign:,} benign flows.{_certified(exam, benign, matrix.rates)}"))
    blocks += [_means(matrix), *(shown[name] for name in ("matrix",) if name in shown)]
    return blocks


def mean(cells: Sequence[Cell], place: int | None) -> list[float]:
    """Return the mean over classes of each seed: ROC-AUC for None, else recall at that rate of the matrix."""
    values = [list(one.auc.values()) if place is None else [r[place] for r in one.recall.values()] for one in cells]
    return [float(np.mean(one)) for one in values if one]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return median and range in words; a dash for no values."""
    if not values:
        return "-"
    found = Spread.of(values)
    if round(found.low, digits) == round(found.high, digits):
        return f"{found.median:.{digits}f}"
    return f"{found.median:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def _table(matrix: Matrix, winner: str, exam: str, lessons: Sequence[str]) -> Table:
    cells = {lesson: matrix.cells[winner][lesson][exam] for lesson in lessons}
    rows = []
    for name in (one for one in matrix.asked[exam] if one != "benign"):
        meaning = MEANS.get(name, name)
        known = {lesson: meaning in matrix.taught.get(lesson, ()) for lesson in lessons}
        rows.append(
            [
                name if meaning == name else f"{name} ({meaning})",
                str(matrix.asked[exam][name]),
                *(
                    spread([one.auc[name] for one in cells[lesson] if name in one.auc])
                    + ("" if known[lesson] else " †")
                    for lesson in lessons
                ),
                *(
                    spread([one.recall[name][place] for one in cells[lesson] if name in one.recall])
                    for place in range(len(matrix.rates))
                    for lesson in lessons
                ),
            ]
        )
    return Table(
        [
            "class",
            "flows",
            *(f"ROC-AUC: {lesson}" for lesson in lessons),
            *(f"recall at {rate:g}: {lesson}" for rate in matrix.rates for lesson in lessons),
        ],
        rows,
        "Median and range over seeds. †: no flow of that class was learnt.",
    )


def _means(matrix: Matrix) -> Table:
    """Return every candidate's mean over classes, learnt from all together."""
    exams = list(matrix.asked)
    rows = []
    for name, lessons in matrix.cells.items():
        if name == "constant":
            continue
        for lesson, row in lessons.items():
            places = (None, *range(len(matrix.rates)))
            rows.append([f"{name}: {lesson}", *(spread(mean(row[exam], place)) for exam in exams for place in places)])
    said = ("ROC-AUC", *(f"recall at {rate:g}" for rate in matrix.rates))
    return Table(
        ["candidate: learnt from", *(f"{exam}: {what}" for exam in exams for what in said)],
        rows,
        "Means over classes, each counting alike. "
        + (f"By what stands under {CAPTURES} nothing was chosen." if CAPTURES in exams else "")
        + f" {ALL.capitalize()}: the candidates that could ship.",
    )


def _certified(exam: str, flows: int, rates: Sequence[float]) -> str:
    """Return which rates cannot be vouched for by so many benign flows."""
    short = [f"{rate:g}" for rate in rates if flows < 3 / rate]
    return f" A rate of {_and(short)} cannot be certified with fewer than 3/rate." if short else ""


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
