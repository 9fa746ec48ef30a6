"""The card's section on captures of other origin."""

from collections.abc import Mapping

from training.evaluation.elsewhere import Abroad
from training.report.blocks import Block, Heading, Paragraph, Picture, Table


def section(
    abroad: Abroad | None, others: Mapping[str, Abroad], winner: str, shown: Mapping[str, Picture]
) -> list[Block]:
    """Return the transfer column of the shipped model, and what its rivals would have done."""
    blocks: list[Block] = [Heading("Captures of other origin")]
    if abroad is None:
        return [*blocks, Paragraph("Not measured: the run was given no captures.")]
    blocks += [
        Paragraph(
            "Real captures from many other networks, through the sensor's own path, at the bundled"
            " threshold. No weight, threshold or candidate comes from them. Flows of one capture are not"
            " independent, and one flood can hold most flows of a class: read the column by"
            " capture, which counts every file alike."
        ),
        Table(
            ["attack", "captures", "flows", "found", "found, by capture", "called", "ROC-AUC"],
            [
                [
                    row.group,
                    str(row.captures),
                    str(row.flows),
                    share(row.alerted),
                    share(row.alerted_by_capture),
                    row.called,
                    "-" if row.roc_auc is None else f"{row.roc_auc:.3f}",
                ]
                for row in abroad.attacks
            ],
            "found: share of flows at or above the threshold. called: the class that most of the"
            " found flows were given. ROC-AUC: against all benign flows below, no threshold.",
        ),
        Table(
            ["benign", "captures", "flows", "false alerts", "rate", "rate, by capture", "worst"],
            [
                [
                    row.group,
                    str(row.captures),
                    str(row.flows),
                    str(round(row.alerted * row.flows)),
                    share(row.alerted),
                    share(row.alerted_by_capture),
                    share(row.worst),
                ]
                for row in abroad.benign
            ],
            f"All benign captures together: {share(abroad.false_positive_rate)} of"
            f" {abroad.benign_flows} flows, {share(abroad.false_positive_rate_by_capture)} when"
            f" each capture counts alike; 95 % interval over captures"
            f" {interval(abroad.interval)}.",
        ),
    ]
    if abroad.at_rate:
        blocks.append(
            Table(
                ["attack", *(f"found at {rate:g}" for rate in abroad.rates)],
                [[group, *(share(found) for found in shares)] for group, shares in abroad.at_rate.items()],
                "What the ranking is worth: thresholds moved so that this share of the benign flows"
                " above alerts. A diagnosis with hindsight, not a figure to expect.",
            )
        )
    blocks += rivals(others, winner)
    return [*blocks, *(shown[name] for name in ("transfer",) if name in shown)]


def rivals(others: Mapping[str, Abroad], winner: str) -> list[Block]:
    """Return what other candidates do elsewhere: told, never chosen by."""
    if not others:
        return []
    groups = [row.group for row in next(iter(others.values())).attacks]
    rows = []
    for name, abroad in others.items():
        found = {row.group: row.alerted_by_capture for row in abroad.attacks}
        rows.append(
            [
                name + (" (ships)" if name == winner else ""),
                share(abroad.false_positive_rate),
                share(abroad.false_positive_rate_by_capture),
                *(share(found[group]) for group in groups),
            ]
        )
    return [
        Table(
            ["candidate", "false alerts", "false, by capture", *groups],
            rows,
            "Every candidate here, its median seed at its own threshold for the same budget, by"
            " capture. Told because it says what the choice on the lab's own rows is worth; the"
            " choice was made without it.",
        )
    ]


def share(value: float | None) -> str:
    """Return a share as per cent, a dash for none."""
    return "-" if value is None else f"{100 * value:.1f} %"


def interval(value: tuple[float, float] | None) -> str:
    """Return an interval in words, a dash for none."""
    return "-" if value is None else f"{value[0]:.4f} to {value[1]:.4f}"
