"""Which pictures a card has, and what is drawn in them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from training.datasets.labels import CLASSES
from training.evaluation.crossing import MEANS
from training.evaluation.matrix import Cell
from training.evaluation.trials import Trial
from training.report import pictures
from training.report.card import Card
from training.selection import median_seed

Drawn = Iterator[tuple[Path, str]]


def draw(full: Card, folder: Path) -> list[tuple[Path, str]]:
    """Draw the card's pictures into a folder; returns each with its caption."""
    return [*_curves(full, folder), *_ranking(full, folder), *_shipped(full, folder), *_rebuilding(full, folder),
            *_transfer(full, folder)]  # fmt: skip


def _curves(full: Card, folder: Path) -> Drawn:
    """Draw the learning curves of every network."""
    for name, runs in full.results.same_day.items():
        if runs[0].answers.history:
            stem = "curves" if name == full.trial.answers.candidate else f"curves-{name.replace(' ', '-')}"
            yield (
                pictures.curves(folder / f"{stem}.png", [run.answers.history for run in runs]),
                f"{name}: by epoch, one line a seed.",
            )


def _ranking(full: Card, folder: Path) -> Drawn:
    """Draw ROC and precision-recall of every candidate, with the budgets of the one that ships."""
    split, rate = full.trial.split, full.config.alert_rate
    test = full.prepared.table.rows(split.test)
    scores = {
        name: median_seed(runs, rate).answers.of(split.test)
        for name, runs in full.results.same_day.items()
        if name != "constant"
    }
    budgets = {at.rate: at.threshold for at in full.trial.test.budgets}
    marked = full.trial.answers.candidate
    yield (
        pictures.roc_and_pr(folder / "roc.png", test.benign, test.weight, scores, budgets, marked),
        f"{split.column.capitalize()}, all candidates, the median seed of each. Dotted: the alert budgets; dots: what"
        f" the thresholds of {marked} for them reach on these flows.",
    )


def _shipped(full: Card, folder: Path) -> Drawn:
    """Draw what the bundle itself says of the test rows."""
    column = full.trial.split.column
    test = full.prepared.table.rows(full.trial.split.test)
    known = test.rows(test.target >= 0)
    if full.trial.answers.kind != "autoencoder":
        place = np.array([CLASSES.index(name) for name in full.shipped.names])
        called = place[full.shipped.classes(known.features).argmax(axis=1)]
        met = np.union1d(known.target, called)
        truth, guess = np.searchsorted(met, known.target), np.searchsorted(met, called)
        yield (
            pictures.confusion(folder / "confusion.png", truth, guess, [CLASSES[int(number)] for number in met]),
            f"{column.capitalize()}: which class (row) was called which (column), the likeliest class, without a"
            " threshold.",
        )
    score = full.shipped.score(test.features)
    yield (
        pictures.reliability(folder / "reliability.png", score, ~test.benign, test.weight),
        "How often flows of a score were attacks, at the natural ratio of this data set.",
    )
    groups = {name: score[test.family == name] for name in dict.fromkeys((*CLASSES, *test.family.tolist()))}
    yield (
        pictures.distribution(
            folder / "scores.png",
            {name: values for name, values in groups.items() if len(values)},
            full.shipped.identity.threshold,
            "score",
        ),
        f"Scores of the shipped model by family, {column}.",
    )


def _rebuilding(full: Card, folder: Path) -> Drawn:
    """Draw the autoencoder's losses, when it was a candidate."""
    runs = full.results.same_day.get("autoencoder")
    if not runs:
        return
    trial: Trial = median_seed(runs, full.config.alert_rate)
    family = full.prepared.table.family[trial.split.test]
    loss = trial.answers.of(trial.split.test)
    groups = {name: loss[family == name] / np.log(10) for name in CLASSES}
    yield (
        pictures.distribution(
            folder / "reconstruction.png",
            {name: values for name, values in groups.items() if len(values)},
            trial.test.budgets[-1].threshold / np.log(10),
            "log10 of the autoencoder's loss",
        ),
        "How badly the autoencoder rebuilds each family; it has learnt benign flows alone.",
    )


def _transfer(full: Card, folder: Path) -> Drawn:
    """Draw the transfer matrix of the detector that ships, and its captures of other origin."""
    matrix = full.results.matrix
    cells = matrix.cells[full.results.choice.winner]
    lines = [(lesson, exam) for exam in matrix.asked for lesson in cells]
    families = sorted({_family(name) for asked in matrix.asked.values() for name in asked} - {"benign"})
    if len(lines) > 1 and families:
        values = np.array([[_median(cells[lesson][exam], name) for name in families] for lesson, exam in lines])
        names = [f"{lesson} → {exam}" for lesson, exam in lines]
        yield (
            pictures.grid(folder / "matrix.png", values, names, families, "ROC-AUC"),
            "ROC-AUC by family: learnt from → judged on; the median seed, the mean of a family's classes.",
        )
    if full.abroad is not None:
        shares = {row.group: row.alerted_by_capture for row in full.abroad.attacks}
        shares |= {f"benign: {row.group.removeprefix('benign-')}": row.alerted_by_capture for row in full.abroad.benign}
        yield (
            pictures.bars(folder / "transfer.png", shares, "share alerted, captures alike"),
            "Captures of other origin at the bundled threshold; red is benign.",
        )


def _family(name: str) -> str:
    return MEANS.get(name, name)


def _median(cells: Sequence[Cell], family: str) -> float:
    """Return the median over seeds of the mean ROC-AUC of a family's classes; NaN without any."""
    found = [[auc for name, auc in one.auc.items() if _family(name) == family] for one in cells]
    return float(np.median([np.mean(one) for one in found])) if all(found) else float("nan")
