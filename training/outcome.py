"""From trials to a folder: bundle, card, pictures and every figure as JSON."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sensor.errors import NettrusionError
from training.bundle import ship
from training.config import TrainConfig
from training.datasets.labels import CLASSES
from training.evaluation import elsewhere, transfer
from training.evaluation.elsewhere import Abroad
from training.evaluation.transfer import Elsewhere
from training.evaluation.trials import Trial
from training.experiment import Prepared, Results
from training.report import card, pictures
from training.report.blocks import markdown, page
from training.report.card import Card
from training.selection import median_seed

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves behind; `files` holds name -> content of the folder it writes."""

    files: dict[str, bytes]
    headline: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write every file below `folder`."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def finish(config: TrainConfig, prepared: Prepared, results: Results, command: str, say: Say) -> Outcome:
    """Export the chosen detector, test it elsewhere, and put everything into files."""
    rate = config.alert_rate
    trial = median_seed(results.same_day[results.choice.winner], rate)
    say(f"exporting {trial.fitted.candidate}, seed {trial.fitted.seed}")
    shipped = ship(trial, prepared, config, card.short(results.choice, prepared.manifest.about))
    flows = _captures(config, prepared, say)
    abroad, rivals = None, {}
    if flows is not None:
        abroad = elsewhere.judge(
            flows,
            shipped.score(flows.features),
            shipped.classes(flows.features),
            shipped.names,
            shipped.identity.threshold,
            config.budgets,
        )
        rivals = {
            name: _rival(flows, median_seed(runs, rate), rate)
            for name, runs in results.same_day.items()
            if name != "constant"
        }
    full = Card(config, prepared, results, trial, shipped, abroad, command, rivals)
    metrics = _metrics(full)
    files = {
        "model.onnx": shipped.data,
        "metrics.json": _json(metrics),
        "manifest.json": _json(prepared.manifest.as_dict()),
    }
    with TemporaryDirectory() as scratch:
        drawn = _draw(full, Path(scratch))
        blocks = card.write(full, drawn)
        files["model-card.md"] = markdown(blocks, "model-card").encode()
        files["model-card.html"] = page(blocks, f"Model card: {config.name}").encode()
        for path, _ in drawn:
            files[f"model-card/{path.name}"] = path.read_bytes()
    return Outcome(files, metrics["headline"])


def _captures(config: TrainConfig, prepared: Prepared, say: Say) -> Elsewhere | None:
    """Return the flows of the captures of other origin, when the settings name them."""
    named = config.transfer
    if not named.captures:
        return None
    if not (named.labels and named.flows):
        raise NettrusionError("captures need their labels: name --labels and --flow-labels as well")
    say("captures of other origin")
    return transfer.load(
        Path(named.captures),
        Path(named.labels),
        Path(named.flows),
        prepared.feature_set,
        config.data.variant,
    )


def _rival(flows: Elsewhere, trial: Trial, rate: float) -> Abroad:
    """Return what a candidate does on the captures, at the threshold of its own trial."""
    fitted = trial.fitted
    threshold = trial.test.at(rate).threshold
    return elsewhere.judge(flows, fitted.score(flows.features), None, fitted.classes, threshold, (rate,))


def _draw(full: Card, folder: Path) -> list[tuple[Path, str]]:
    """Draw the card's pictures into a folder; returns each with its caption."""
    prepared, trial, results = full.prepared, full.trial, full.results
    column = trial.split.column
    test = prepared.table.rows(trial.split.test)
    known = test.rows(test.target >= 0)
    drawn: list[tuple[Path, str]] = []
    networks = {n: t for n, t in results.same_day.items() if t[0].fitted.history}
    for name, runs in networks.items():
        stem = "curves" if name == trial.fitted.candidate else name.replace(" ", "-")
        drawn.append(
            (
                pictures.curves(folder / f"{stem}.png", [run.fitted.history for run in runs]),
                f"{name}: by epoch, one line a seed.",
            )
        )
    scores = {
        name: median_seed(runs, full.config.alert_rate).fitted.score(test.features)
        for name, runs in results.same_day.items()
        if name != "constant"
    }
    drawn.append(
        (
            pictures.roc_and_pr(folder / "roc.png", test.benign, test.weight, scores, full.config.budgets),
            f"{column.capitalize()}, all candidates; dotted: the alert budgets.",
        )
    )
    shipped = full.shipped.score(test.features)
    if trial.fitted.kind != "autoencoder":
        place = np.array([CLASSES.index(name) for name in full.shipped.names])
        called = place[full.shipped.classes(known.features).argmax(axis=1)]
        met = np.union1d(known.target, called)
        truth, guess = np.searchsorted(met, known.target), np.searchsorted(met, called)
        drawn.append(
            (
                pictures.confusion(folder / "confusion.png", truth, guess, [CLASSES[int(number)] for number in met]),
                f"{column.capitalize()}: which class (row) was called which (column), the likeliest"
                " class, without a threshold.",
            )
        )
    drawn.append(
        (
            pictures.reliability(folder / "reliability.png", shipped, ~test.benign, test.weight),
            "How often flows of a score were attacks, at the natural ratio of this data set.",
        )
    )
    groups = {name: shipped[test.family == name] for name in ("benign", *CLASSES[1:])}
    drawn.append(
        (
            pictures.distribution(
                folder / "scores.png",
                {name: values for name, values in groups.items() if len(values)},
                full.shipped.identity.threshold,
                "score",
            ),
            f"Scores of the shipped model by family, {column}.",
        )
    )
    drawn += _rebuilding(full, test.family, folder)
    if full.abroad is not None:
        shares = {row.group: row.alerted_by_capture for row in full.abroad.attacks}
        shares |= {f"benign: {row.group.removeprefix('benign-')}": row.alerted_by_capture for row in full.abroad.benign}
        drawn.append(
            (
                pictures.bars(folder / "transfer.png", shares, "share alerted, captures alike"),
                "Captures of other origin at the bundled threshold; red is benign.",
            )
        )
    return drawn


def _rebuilding(full: Card, family: Any, folder: Path) -> list[tuple[Path, str]]:
    """Draw the autoencoder's losses, when it was a candidate."""
    runs = full.results.same_day.get("autoencoder")
    if not runs:
        return []
    trial: Trial = median_seed(runs, full.config.alert_rate)
    loss = trial.fitted.score(full.prepared.table.rows(trial.split.test).features)
    groups = {name: loss[family == name] / np.log(10) for name in CLASSES}
    return [
        (
            pictures.distribution(
                folder / "reconstruction.png",
                {name: values for name, values in groups.items() if len(values)},
                trial.test.budgets[-1].threshold / np.log(10),
                "log10 of the autoencoder's loss",
            ),
            "How badly the autoencoder rebuilds each family; it has learnt benign flows alone.",
        )
    ]


def _metrics(full: Card) -> dict[str, Any]:
    """Return every figure as plain values."""
    rate = full.config.alert_rate
    at = full.trial.test.at(rate)
    identity = full.shipped.identity
    return {
        "headline": {
            "model": full.trial.fitted.candidate,
            "reason": full.results.choice.reason,
            "threshold": identity.threshold,
            "budget": rate,
            "verdict": at.verdict,
            "same_day": {"recall": at.recall, "false_positive_rate": at.false_positive_rate},
            "elsewhere": None
            if full.abroad is None
            else {
                "false_positive_rate": full.abroad.false_positive_rate,
                "false_positive_rate_by_capture": full.abroad.false_positive_rate_by_capture,
                "found_by_capture": {row.group: row.alerted_by_capture for row in full.abroad.attacks},
            },
        },
        "choice": full.results.choice.as_dict(),
        "audit": full.prepared.audit.as_dict(),
        "temperature": full.shipped.temperature,
        "parity": full.shipped.parity,
        full.trial.split.column: {
            name: [
                {"seed": run.fitted.seed, "choosing": run.choosing.as_dict(), "test": run.test.as_dict()}
                for run in runs
            ]
            for name, runs in full.results.same_day.items()
        },
        "leave one family out": {
            name: {
                family: [
                    {
                        "seed": run.fitted.seed,
                        "choosing": run.choosing.as_dict(),
                        "test": run.test.as_dict(),
                    }
                    for run in runs
                ]
                for family, runs in left_out.items()
            }
            for name, left_out in full.results.unseen.items()
        },
        "elsewhere": full.abroad.as_dict() if full.abroad else None,
        "elsewhere, every candidate": {name: abroad.as_dict() for name, abroad in full.rivals.items()},
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
