"""The card's pictures: small PNGs, drawn without a display."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
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
    """Draw how the scores of each group are spread, and where the threshold lies."""
    everything = np.concatenate(list(groups.values()))
    bins = np.linspace(everything.min(), everything.max(), 60)
    with _figure(path) as figure:
        axes = figure.subplots()
        for colour, (name, scores) in zip(_INK, groups.items(), strict=False):
            axes.hist(scores, bins=list(bins), density=True, histtype="step", color=colour, label=name)
        axes.axvline(threshold, color="black", lw=1, ls="--", label="threshold")
        axes.set_yscale("log")
        _clean(axes, label, "density")
        axes.legend(frameon=False, fontsize=8, ncols=2)
    return path


def roc_and_pr(
    path: Path,
    benign: npt.NDArray[np.bool_],
    weight: Scores,
    scores: Mapping[str, Scores],
    budgets: Sequence[float],
) -> Path:
    """Draw recall against false-positive rate (logarithmic) and precision against recall."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    with _figure(path, 8.4, 3.8) as figure:
        left, right = figure.subplots(1, 2)
        floor = 0.5 / max(1, int(benign.sum()))
        for colour, (name, score) in zip(_INK, scores.items(), strict=False):
            false, true, _ = roc_curve(~benign, score)
            left.plot(np.maximum(false, floor), true, color=colour, lw=1.2, label=name)
            precision, recall, _ = precision_recall_curve(~benign, score, sample_weight=weight)
            right.plot(recall, precision, color=colour, lw=1.2)
        for budget in budgets:
            left.axvline(budget, color="black", lw=0.8, ls=":")
        left.set_xscale("log")
        left.set_xlim(floor, 1)
        _clean(left, "false-positive rate", "recall")
        _clean(right, "recall", "precision at the natural ratio")
        left.legend(frameon=False, fontsize=7)
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
