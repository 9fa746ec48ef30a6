"""What was learnt here and is worth there, as tables: a row a class, a column for each data set learnt from."""

from collections.abc import Sequence

from training.evaluation.crossing import MEANS, OWN, RATE, Crossing
from training.report.blocks import Block, Bullets, Heading, Paragraph, Table
from training.selection import Spread


def document(found: Crossing) -> list[Block]:
    """Return one section for each exam and learner."""
    first = next(iter(found.marks.values()))
    blocks: list[Block] = [
        Heading("What is learnt here and worth there", 1),
        Bullets([f"{name}: " + _listing(counts) for name, counts in found.learnt.items()]),
    ]
    for exam, counts in found.flows.items():
        blocks += [Heading(exam.capitalize()), Paragraph(f"Tested on {_listing(counts)}.")]
        for learner in found.marks:
            blocks += [Heading(learner, 3), _table(found, exam, learner, list(first))]
    return blocks


def _table(found: Crossing, exam: str, learner: str, lessons: Sequence[str]) -> Table:
    marks = {lesson: found.marks[learner][lesson][exam] for lesson in lessons}
    seeds = len(next(iter(marks.values())))
    rows = []
    for name in next(iter(marks.values()))[0].auc:
        meaning = MEANS.get(name, name)
        known = {lesson: found.learnt[lesson].get(meaning, 0) > 0 for lesson in lessons}
        rows.append(
            [
                name if meaning == name else f"{name} ({meaning})",
                *(
                    _spread([one.auc[name] for one in marks[lesson]]) + ("" if known[lesson] else " †")
                    for lesson in lessons
                ),
                *(_percent([one.recall[name] for one in marks[lesson]]) for lesson in lessons),
            ]
        )
    own = [f"{lesson} {_percent([one.false_positive_rate for one in marks[lesson]])}" for lesson in lessons]
    spread = f"Median and range over {seeds} seeds." if seeds > 1 else "Every seed gives the same detector."
    return Table(
        ["class", *(f"ROC-AUC: {lesson}" for lesson in lessons), *(f"found at FPR {RATE:g}: {n}" for n in lessons)],
        rows,
        f"{spread} †: no flow of that class was learnt. False alerts at the learner's own threshold of {OWN:g}:"
        f" {'; '.join(own)}.",
    )


def _listing(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def _spread(values: Sequence[float]) -> str:
    spread = Spread.of(values)
    if round(spread.low, 3) == round(spread.high, 3):
        return f"{spread.median:.3f}"
    return f"{spread.median:.3f} ({spread.low:.3f} to {spread.high:.3f})"


def _percent(values: Sequence[float]) -> str:
    spread = Spread.of([100 * value for value in values])
    if round(spread.low, 1) == round(spread.high, 1):
        return f"{spread.median:.1f} %"
    return f"{spread.median:.1f} % ({spread.low:.1f} to {spread.high:.1f})"
