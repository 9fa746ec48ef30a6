"""What a bundle does on labelled flows, as tables."""

from collections.abc import Sequence

from training.evaluation.budget import CERTIFYING
from training.evaluation.elsewhere import Abroad, Group
from training.report.abroad import interval, share
from training.report.blocks import Block, Heading, Paragraph, Table


def section(title: str, judged: Abroad, activities: Abroad | None = None) -> list[Block]:
    """Return heading, tables and false-positive rate of one kind of data; `activities` splits it finer."""
    blocks: list[Block] = [
        Heading(title),
        _attacks("attack", judged, judged.attacks),
        _benign("benign", judged.benign),
        Paragraph(
            f"False-positive rate at the bundle's threshold: {share(judged.false_positive_rate)} of"
            f" {judged.benign_flows} benign flows (95 % interval {interval(judged.interval)}),"
            f" {share(judged.false_positive_rate_by_capture)} when every capture counts alike."
            + "".join(f" {reason}: {flows} flows left out." for reason, flows in judged.left_out.items() if flows)
        ),
    ]
    if activities:
        blocks += [_attacks("attack: activity", activities, activities.attacks)]
        blocks += [_benign("benign: activity", activities.benign)]
    return blocks


def _attacks(name: str, judged: Abroad, rows: Sequence[Group]) -> Table:
    heads = [f"found at FPR {rate:g}" + _certified(judged.benign_flows, rate) for rate in judged.rates]
    return Table(
        [name, "captures", "flows", "ROC-AUC", "found", "found, by capture", "called", *heads],
        [
            [
                row.group,
                str(row.captures),
                str(row.flows),
                "-" if row.roc_auc is None else f"{row.roc_auc:.3f}",
                share(row.alerted),
                share(row.alerted_by_capture),
                row.called,
                *(share(found) for found in judged.at_rate[row.group]),
            ]
            for row in rows
        ],
        "found: share of flows at or above the bundle's threshold. ROC-AUC and the last columns: against the"
        " benign flows below, thresholds moved with hindsight so that this share of them alerts; *: fewer than"
        f" {CERTIFYING:g}/rate of them, which cannot certify the rate.",
    )


def _certified(flows: int, rate: float) -> str:
    return "" if flows >= CERTIFYING / rate else " *"


def _benign(name: str, rows: Sequence[Group]) -> Table:
    return Table(
        [name, "captures", "flows", "false alerts", "rate", "worst capture"],
        [
            [
                row.group,
                str(row.captures),
                str(row.flows),
                str(round(row.alerted * row.flows)),
                share(row.alerted),
                share(row.worst),
            ]
            for row in rows
        ],
    )
