"""The chosen trial as one verified bundle: temperature, threshold, calibration, passport."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter import bundle, calibration, graph, verify
from exporter.identity import Identity
from exporter.quantiles import Quantiles
from exporter.scoring import LossScale, Scoring
from training.config import TrainConfig
from training.datasets.table import FlowTable
from training.evaluation import cost
from training.evaluation.trials import Trial
from training.experiment import Prepared
from training.models.candidate import Fitted
from training.models.inputs import benign_medians

TEMPERATURES = np.geomspace(1.0, 8.0, 31)
"""Tried in this order; none below 1, for well separated rows would sharpen every score to 0 or 1."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A bundle's bytes, what was measured while it was made, and its own scores.

    `score` runs the graph without metadata: the very numbers that the sensor computes. `names` are the
    classes that rows can be labelled with: an ensemble's anomaly, which no row is, is not among them.
    """

    data: bytes
    identity: Identity
    temperature: float
    parity: dict[str, Any]
    names: tuple[str, ...]
    model: Any

    def score(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return (n,) scores of raw features, by the graph that ships."""
        return np.asarray(graph.run(self.model, rows).score, dtype=np.float64)

    def classes(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return (n, C) probabilities of raw features, by the graph that ships; C as `names`."""
        return np.asarray(graph.run(self.model, rows).classes[:, : len(self.names)], dtype=np.float64)


def ship(trial: Trial, prepared: Prepared, config: TrainConfig, card: str) -> Shipped:
    """Calibrate the trial's detector on calibration rows, export it and verify the export.

    Args:
        trial: what was chosen; its network must be one that the exporter takes.
        prepared: its data.
        config: the alert budget and the model's name.
        card: a few lines for people, kept in the bundle.

    Raises:
        NettrusionError: the exporter refuses the network, or the export is not the network.
    """
    held = prepared.table.rows(prepared.split.calibration)
    scoring, temperature = scoring_of(trial.fitted, prepared, held)
    model = graph.assemble(trial.fitted.network, scoring)
    benign = graph.run(model, held.rows(held.benign).features).score
    threshold, budget = calibration.threshold(benign, config.alert_rate)
    identity = Identity(
        name=config.name,
        version=config.version,
        feature_set=prepared.feature_set,
        variant=config.data.variant,
        threshold=threshold,
        budget=budget,
        calibration=calibration.table(benign),
        training=_passport(trial, prepared),
        card=card,
        quantiles=_quantiles(prepared),
    )
    data = bundle.build(trial.fitted.network, scoring, identity)
    report = verify.check(data, trial.fitted.network, scoring, held.features)
    names = scoring.classes[:-1] if scoring.kind == "ensemble" else scoring.classes
    return Shipped(data, identity, temperature, report.as_dict(), names, model)


def price(fitted: Fitted, prepared: Prepared) -> float | None:
    """Return the microseconds that a flow costs in the sensor's session, None for what cannot be exported."""
    if fitted.network is None:
        return None
    held = prepared.table.rows(prepared.split.calibration)
    scoring, _ = scoring_of(fitted, prepared, held)
    return cost.microseconds(graph.assemble(fitted.network, scoring), held.features)


def scoring_of(fitted: Fitted, prepared: Prepared, held: FlowTable) -> tuple[Scoring, float]:
    """Return how the network's output becomes a score, and the temperature in it."""
    medians = benign_medians(prepared.table.rows(prepared.split.train))
    if fitted.kind == "autoencoder":
        losses = np.exp(fitted.score(held.rows(held.benign).features))
        scale = LossScale.fit(losses)
        scoring = Scoring("autoencoder", fitted.classes, fitted.preprocessing, medians, loss_scale=scale)
        return scoring, 1.0
    temperature = fit_temperature(fitted.score(held.features), ~held.benign)
    scoring = Scoring(
        "ensemble" if fitted.kind == "ensemble" else "classifier",
        fitted.classes,
        fitted.preprocessing,
        medians,
        temperature=temperature,
        loss_scale=fitted.loss_scale,
        mixture=fitted.mixture,
    )
    return scoring, temperature


def _quantiles(prepared: Prepared) -> Quantiles | None:
    """Return where the benign train rows lie in the features that a model may read."""
    train = prepared.table.rows(prepared.split.train)
    silent = np.isin(np.array(train.feature_names), prepared.course.excluded)
    return Quantiles.of(train.features[train.benign], silent)


def fit_temperature(margin: npt.NDArray[np.float64], attack: npt.NDArray[np.bool_]) -> float:
    """Return the divisor of the log-odds under which calibration rows are least surprising.

    Benign and attack weigh the same, so that a score of one half means nothing but the border
    between them. Without it nearly every score is 0 or 1 to seven digits, and thresholds are blunt.
    """
    weight = np.where(attack, 0.5 / max(1, attack.sum()), 0.5 / max(1, (~attack).sum()))
    signed = np.where(attack, -margin, margin)
    losses = [float((weight * np.logaddexp(0, signed / t)).sum()) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _passport(trial: Trial, prepared: Prepared) -> dict[str, Any]:
    """Return what the bundle says about its own training."""
    at = trial.test.budgets[-1]
    return {
        "candidate": trial.fitted.candidate,
        "files": {file.name: file.sha256 for file in prepared.manifest.files},
        "seed": trial.fitted.seed,
        "split": trial.split.column,
        "rows": {
            "train": len(trial.split.train),
            "calibration": len(trial.split.calibration),
            "test": len(trial.split.test),
        },
        "excluded": list(prepared.course.excluded),
        "figures": {
            "false_positive_rate": at.false_positive_rate,
            "recall": at.recall,
            "macro_recall": at.macro_recall,
        },
    }
