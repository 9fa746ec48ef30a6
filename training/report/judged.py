"""What detectors do on labelled flows, as tables: several side by side, a row for each."""

from collections.abc import Sequence

from training.evaluation.budget import CERTIFYING
from training.evaluation.judged import BASE_RATES, EVEN, Class, Judged, Point, Recall
from training.report.abroad import share
from training.report.blocks import Block, Heading, Paragraph, Table

MEANS = ", and the mean of the captures' shares,"


def section(found: Sequence[Judged]) -> list[Block]:
    """Return heading and tables of one body of data; all of `found`, at least one, were judged on it."""
    first = found[0]
    left = "".join(f" Left out, {reason}: {count:,}." for reason, count in first.left_out.items() if count)
    blocks: list[Block] = [
        Heading(first.data[:1].upper() + first.data[1:]),
        Paragraph(
            f"{first.attack_flows:,} attack flows, {first.benign_flows:,} benign flows of"
            f" {_many(first.benign_captures, 'capture')}.{left}"
        ),
        _overall(found),
        _classes(found),
    ]
    if any(point.incidents for one in found for point in one.points):
        blocks += [_told(found), _quiet_told(found)]
    blocks += [_precision(found), _benign(found)]
    return blocks


def aligned(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with the cells of each table padded, so that it reads well in a terminal."""
    return [_padded(block) if isinstance(block, Table) else block for block in blocks]


def _overall(found: Sequence[Judged]) -> Table:
    first = found[0]
    counted = "benign captures count alike" if first.alike else "each flow counts as it is"
    return Table(
        [
            "model",
            "threshold",
            "ROC-AUC",
            "95 %",
            "mean of families",
            f"PR-AUC at {share(first.base_rate)}",
            f"at {share(EVEN)}",
            "macro-F1",
            "MCC",
            "false alerts",
            "by capture",
            "95 %",
        ],
        [
            [
                one.model,
                f"{one.threshold:.4f}",
                f"{one.roc_auc:.3f}",
                _span(one.roc_auc_interval),
                f"{one.macro_roc_auc:.3f}",
                f"{one.pr_auc:.3f}",
                f"{one.pr_auc_at_one_percent:.3f}",
                *_decided(one.point(None)),
                share(one.point(None).false_by_flow),
                share(one.point(None).false_by_capture),
                _span(one.point(None).interval, percent=True),
            ]
            for one in found
        ],
        f"ROC-AUC: {counted}. PR-AUC at the data's own share of attacks, and with {share(EVEN)} of attacks and the"
        " families alike. Macro-F1 (of benign and the families that are classes of the model) and MCC (of alerts and"
        " attacks) at the model's own threshold and the data's own share of attacks. False alerts: share of the benign"
        " flows at or above the model's own threshold. Intervals:"
        " captures redrawn, or pairs of hosts where captures are few.",
    )


def _classes(found: Sequence[Judged]) -> Table:
    points = _main(found[0])
    many = found[0].alike
    heads = [title for point in points for title in (f"found: {_title(point)}", *(["by capture"] if many else []))]
    rows = []
    for kind in _kinds(found[0]):
        for one in found:
            cells = _same(one, kind)
            rows.append(
                [
                    _name(kind),
                    *([one.model] if len(found) > 1 else []),
                    str(cells.captures),
                    f"{cells.flows:,}",
                    f"{cells.roc_auc:.3f}",
                    _span(cells.roc_auc_interval),
                    *(
                        share(value)
                        for point in _main(one)
                        for value in _shares(cells.recall[point.name], captures=many)
                    ),
                    _span(cells.recall[points[0].name].interval, percent=True),
                    cells.called,
                ]
            )
    return Table(
        [
            "attack",
            *(["model"] if len(found) > 1 else []),
            "captures",
            "flows",
            "ROC-AUC",
            "95 %",
            *heads,
            "95 % of the first",
            "called",
        ],
        rows,
        f"Before grouping, by flow record. found: share of the flows{MEANS if many else ''} at or above the threshold:"
        " the model's own; then, with hindsight, the one that so large a share of the benign flows"
        f" reaches{', every capture counting alike' if many else ''}. *: fewer than {CERTIFYING:g}/rate"
        " benign flows vouch for the rate, which cannot be certified.",
    )


def _told(found: Sequence[Judged]) -> Table:
    rows = []
    points = _main(found[0])
    for family in found[0].families:
        for one in found:
            own = one.point(None).incidents
            delay = own.delay.get(family.name) if own else None
            cells = []
            for point in _main(one):
                captures, some, alerts = point.incidents.found[family.name] if point.incidents else (0, 0, 0)
                cells += [f"{some} of {captures}", f"{alerts:,}"]
            rows.append(
                [
                    family.name,
                    *([one.model] if len(found) > 1 else []),
                    *cells,
                    "-" if delay is None or delay.packets is None else f"{delay.packets:,.0f}",
                    "-" if delay is None else f"{delay.seconds:,.1f}",
                    "-" if delay is None else f"{delay.seconds_worst:,.1f}",
                    "-" if delay is None else str(delay.at_end),
                ]
            )
    heads = [title for point in points for title in (f"captures told of: {_title(point)}", "alerts")]
    return Table(
        [
            "attack",
            *(["model"] if len(found) > 1 else []),
            *heads,
            "packets to the first",
            "seconds",
            "worst",
            "at the end",
        ],
        rows,
        "After grouping, through the shipped rules. Packets and seconds: from the first attack packet of a capture to"
        " the report that made its first alert, at the model's own threshold; the median of the captures that were"
        " told of, and the worst. at the end: captures in which that report came only when the capture ended.",
    )


def _quiet_told(found: Sequence[Judged]) -> Table:
    rows = []
    for one in found:
        for point in one.points:
            told = point.incidents
            if told is None:
                continue
            some, captures = told.false_captures
            rows.append(
                [
                    _long(point),
                    *([one.model] if len(found) > 1 else []),
                    f"{told.false:,}",
                    f"{some} of {captures}",
                    f"{told.false_by_capture:.2f}",
                    "-" if told.false_by_day is None else f"{told.false_by_day:,.1f}",
                    str(told.beside),
                    str(told.undecided),
                ]
            )
    days = next((p.incidents.days for p in found[0].points if p.incidents), 0.0)
    return Table(
        [
            "false incidents",
            *(["model"] if len(found) > 1 else []),
            "alerts",
            "captures with one",
            "a capture",
            "a day",
            "beside attacks",
            "undecided",
        ],
        rows,
        f"Alerts on benign flows after grouping, over {days:.2f} days of captures (silences over ten minutes left out)."
        " beside attacks: on benign flows of captures of attacks. undecided: on flows of which nobody says what"
        " they are.",
    )


def _precision(found: Sequence[Judged]) -> Table:
    return Table(
        [
            "threshold",
            *(["model"] if len(found) > 1 else []),
            "score",
            "vouched for by",
            "false alerts",
            "by capture",
            "mean recall",
            "macro-F1",
            "MCC",
            *(f"precision at {base:g}" for base in BASE_RATES),
        ],
        [
            [
                _long(point),
                *([one.model] if len(found) > 1 else []),
                f"{point.threshold:.4f}",
                f"{point.flows:,}" + ("" if point.certified else " *"),
                share(point.false_by_flow),
                share(point.false_by_capture),
                share(point.macro_recall),
                *_decided(point),
                *(f"{100 * point.precision[f'{base:g}']:.2f} %" for base in BASE_RATES),
            ]
            for one in found
            for point in one.points
        ],
        "Precision: the share of alerts on flows that are true when so large a share of all flows are attacks, from the"
        " mean recall of the families and the rate; for the model's own threshold from the upper bound of its false"
        " alerts. vouched for by: equal benign flows; *: too few, the rate cannot be certified.",
    )


def _benign(found: Sequence[Judged]) -> Table:
    return Table(
        [
            "benign",
            *(["model"] if len(found) > 1 else []),
            "captures",
            "flows",
            "false alerts",
            "rate",
            "by capture",
            "worst",
        ],
        [
            [
                row.name,
                *([one.model] if len(found) > 1 else []),
                str(row.captures),
                f"{row.flows:,}",
                f"{row.alerts:,}",
                share(row.by_flow),
                share(row.by_capture),
                share(row.worst),
            ]
            for place in range(len(found[0].benign))
            for one in found
            for row in [one.benign[place]]
        ],
        "At the model's own threshold, before grouping.",
    )


def _decided(point: Point) -> tuple[str, str]:
    """Return macro-F1 and MCC."""
    return "-" if point.macro_f1 is None else f"{point.macro_f1:.3f}", f"{point.mcc:.3f}"


def _main(one: Judged) -> list[Point]:
    """Return the points of the tables by class: the model's own, and the rates as the data counts."""
    return [point for point in one.points if point.rate is None or point.alike == one.alike]


def _kinds(one: Judged) -> list[Class]:
    """Return the families, each followed by its labels; a family of one label is told by that label alone."""
    rows: list[Class] = []
    for family in one.families:
        labels = [label for label in one.classes if label.family == family.name]
        rows += labels if len(labels) == 1 and labels[0].flows == family.flows else [family, *labels]
    return rows


def _shares(recall: Recall, *, captures: bool) -> tuple[float, ...]:
    return (recall.flows, recall.captures) if captures else (recall.flows,)


def _same(one: Judged, kind: Class) -> Class:
    return next(
        other for other in (*one.families, *one.classes) if (other.name, other.family) == (kind.name, kind.family)
    )


def _name(kind: Class) -> str:
    plain = kind.name == kind.family or kind.name.startswith(f"{kind.family}: ")
    return kind.name if plain else f"{kind.name} ({kind.family})"


def _title(point: Point) -> str:
    return "own" if point.rate is None else f"FPR {point.rate:g}" + ("" if point.certified else " *")


def _long(point: Point) -> str:
    return "own" if point.rate is None else f"FPR {point.name}"


def _span(value: tuple[float, float] | None, *, percent: bool = False) -> str:
    if value is None:
        return "-"
    if percent:
        return f"{100 * value[0]:.1f} to {100 * value[1]:.1f}"
    return f"{value[0]:.3f} to {value[1]:.3f}"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _padded(table: Table) -> Table:
    rows = [table.header, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.header))]
    padded = [
        [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return Table(padded[0], padded[1:], table.note)
