"""The card's pictures: small PNGs, drawn without a display."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
_DASHES = ("-", "--", ":", "-.")
_INK = ("#1f4e79", "#c0504d", "#5b8c5a", "#8064a2", "#d08b2c", "#3a9fb0", "#7f7f7f", "#b05a8a")


@contextmanager
def _figure(path: Path, width: float = 7.0, height: float = 3.4) -> Iterator[Any]:
    """Yield an Agg figure and write it to `path` without date or version in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    yield figure
    figure.savefig(path, format="png", metadata={"Software": None})


def _inks() -> Iterator[tuple[str, str]]:
    """Yield colours with a dash each: every colour once solid, then once dashed, and so on."""
    return ((colour, dash) for dash in _DASHES for colour in _INK)


def _clean(axes: Any, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)


def curves(path: Path, histories: Sequence[Mapping[str, Sequence[float]]]) -> Path:
    """Draw loss (and accuracy, where there is one) by epoch: train and calibration, every seed."""
    keys = [key for key in ("loss", "accuracy") if key in histories[0]]
    with _figure(path, 3.8 * len(keys) + 0.2) as figure:
        for axes, key in zip(figure.subplots(1, len(keys), squeeze=False)[0], keys, strict=True):
            for number, history in enumerate(histories):
                epochs = np.arange(1, len(history[key]) + 1)
                shown = number == 0
                axes.plot(epochs, history[key], color=_INK[0], lw=1, label="train" * shown or None)
                axes.plot(
                    epochs,
                    history[f"val_{key}"],
                    color=_INK[1],
                    lw=1,
                    label="calibration" * shown or None,
                )
            _clean(axes, "epoch", key)
            axes.legend(frameon=False)
    return path


def confusion(path: Path, truth: npt.NDArray[np.int64], guessed: npt.NDArray[np.int64], names: Sequence[str]) -> Path:
    """Draw the share of each true class (row) that was called each class (column)."""
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (truth, guessed), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _figure(path, 6.2, 5.2) as figure:
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row in range(len(names)):
            for column in range(len(names)):
                if counts[row, column]:
                    axes.text(
                        column,
                        row,
                        f"{int(counts[row, column])}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="white" if shares[row, column] > 0.5 else "black",
                    )
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("called")
        axes.set_ylabel("is")
    return path


def distribution(path: Path, groups: Mapping[str, Scores], threshold: float, label: str) -> Path:
    """Draw how the scores of each group are spread, a strip a group, and where the threshold lies.

    A strip is as dark as the share of its group's rows that lie there, on a logarithmic scale.
    """
    everything = np.concatenate(list(groups.values()))
    edges = np.linspace(everything.min(), max(everything.max(), everything.min() + 1e-9), 81)
    shares = np.array([np.histogram(scores, bins=edges)[0] / max(1, len(scores)) for scores in groups.values()])
    shade = np.log10(np.maximum(shares, 1e-4))
    with _figure(path, 7.6, 1.0 + 0.3 * len(groups)) as figure:
        axes = figure.subplots()
        drawn = axes.imshow(
            shade, cmap="Blues", vmin=-4, vmax=0, aspect="auto", interpolation="nearest",
            extent=(edges[0], edges[-1], len(groups) - 0.5, -0.5),
        )  # fmt: skip
        axes.axvline(threshold, color=_INK[1], lw=1.2, ls="--")
        axes.text(threshold, -0.6, "threshold", color=_INK[1], fontsize=7, ha="center", va="bottom")
        axes.set_yticks(range(len(groups)), [f"{name} ({len(rows):,})" for name, rows in groups.items()], fontsize=8)
        axes.set_xlabel(label)
        bar = figure.colorbar(drawn, ax=axes, ticks=[-4, -3, -2, -1, 0], pad=0.02)
        bar.ax.set_yticklabels(["none", "0.001", "0.01", "0.1", "all"], fontsize=7)
        bar.set_label("share of the rows", fontsize=7)
    return path


def roc_and_pr(
    path: Path,
    benign: npt.NDArray[np.bool_],
    weight: Scores,
    scores: Mapping[str, Scores],
    budgets: Mapping[float, float],
    marked: str = "",
) -> Path:
    """Draw recall against false-positive rate (logarithmic) and precision against recall.

    `budgets` are false-positive rates with the thresholds that the candidate `marked` has for them:
    rates are dotted lines, and what its thresholds reach are dots, by the rates' order in size.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    with _figure(path, 8.4, 3.8) as figure:
        left, right = figure.subplots(1, 2)
        floor = 0.5 / max(1, int(benign.sum()))
        for (colour, dash), (name, score) in zip(_inks(), scores.items(), strict=False):
            wide = 2.0 if name == marked else 1.0
            false, true, _ = roc_curve(~benign, score)
            left.plot(np.maximum(false, floor), true, color=colour, ls=dash, lw=wide, label=name)
            precision, recall, _ = precision_recall_curve(~benign, score, sample_weight=weight)
            right.plot(recall, precision, color=colour, ls=dash, lw=wide)
            for rate, threshold in budgets.items() if name == marked else ():
                alerted = score >= threshold
                caught = alerted[~benign].mean()
                left.plot(max(alerted[benign].mean(), floor), caught, "o", color=colour, ms=5)
                true_share = weight[alerted & ~benign].sum() / max(weight[alerted].sum(), 1e-12)
                weighted = weight[alerted & ~benign].sum() / weight[~benign].sum()
                right.plot(weighted, true_share, "o", color=colour, ms=5)
                right.annotate(
                    f"{rate:g}", (weighted, true_share), textcoords="offset points", xytext=(5, 5), fontsize=7
                )
        for budget in budgets:
            left.axvline(budget, color="black", lw=0.8, ls=":")
        left.set_xscale("log")
        left.set_xlim(floor, 1)
        _clean(left, "false-positive rate", "recall")
        _clean(right, "recall", "precision at the natural ratio")
        left.legend(frameon=False, fontsize=6, ncols=1 + len(scores) // 9)
    return path


def grid(path: Path, values: Scores, rows: Sequence[str], columns: Sequence[str], label: str) -> Path:
    """Draw figures from 0 to 1, (rows, columns), as a shaded table; NaN is left white."""
    with _figure(path, 2.6 + 0.95 * len(columns), 1.2 + 0.42 * len(rows)) as figure:
        axes = figure.subplots()
        axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        for row, column in zip(*np.nonzero(np.isfinite(values)), strict=True):
            dark = values[row, column] > 0.6
            axes.text(
                column, row, f"{values[row, column]:.2f}", ha="center", va="center", fontsize=8,
                color="white" if dark else "black",
            )  # fmt: skip
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", fontsize=8)
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
        axes.set_xlabel(label)
    return path


def reliability(path: Path, score: Scores, attack: npt.NDArray[np.bool_], weight: Scores) -> Path:
    """Draw how often flows of a score are attacks, at the natural ratio; the diagonal is honest."""
    edges = np.linspace(0, 1, 11)
    place = np.clip(np.digitize(score, edges) - 1, 0, 9)
    total = np.bincount(place, weights=weight, minlength=10)
    true = np.bincount(place, weights=weight * attack, minlength=10)
    filled = total > 0
    with _figure(path, 4.4, 3.8) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        axes.plot((edges[:-1] + 0.05)[filled], true[filled] / total[filled], marker="o", color=_INK[0])
        _clean(axes, "score", "share of attacks")
    return path


def bars(path: Path, shares: Mapping[str, float], label: str) -> Path:
    """Draw one horizontal bar per name, shares from 0 to 1."""
    with _figure(path, 7.0, 0.6 + 0.28 * len(shares)) as figure:
        axes = figure.subplots()
        names = list(shares)[::-1]
        colours = [_INK[1] if name.startswith("benign") else _INK[0] for name in names]
        axes.barh(names, [shares[name] for name in names], color=colours)
        axes.set_xlim(0, 1)
        _clean(axes, label, "")
    return path
