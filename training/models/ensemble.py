"""The ensemble: a classifier of what attacks look like, and an autoencoder of what benign flows look like."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from exporter.scoring import TYPICAL_LOGIT, LossScale, Mixture
from training.datasets.labels import CLASSES
from training.datasets.table import BENIGN
from training.models.autoencoder import Autoencoder
from training.models.branched import Branched, attack_margin, softmax
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights
from training.models.dense import Dense

ANOMALY = "anomaly"
"""The class of a flow that is called for its novelty."""
RATIOS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""What surprise may weigh for a unit of the classifier's log-odds."""
TIE = 0.02
"""Recall that novelty may cost on what was learnt: less is chance, and what it is for was not learnt."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """One score of two networks over the same inputs: log-odds, and how far a flow is from benign ones.

    The autoencoder's loss is measured in what benign calibration flows show (`LossScale`), and only
    what lies above their median counts. Three numbers, fitted on calibration rows, weigh the two (see `mix`).

    Attributes:
        classifier: of what is known.
        novelty: the autoencoder.
        rate: of false positives, at which the two are weighed.
    """

    classifier: Branched = field(default_factory=Dense)
    novelty: Autoencoder = field(default_factory=Autoencoder)
    rate: float = 1e-3
    name: str = "ensemble"
    seeded: bool = True
    benign_only: bool = False

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train both networks, then weigh them on calibration rows."""
        from exporter.beside import beside

        known = self.classifier.fit(lesson, seed)
        new = self.novelty.fit(lesson, seed, known.preprocessing)
        held = lesson.calibration
        scale = LossScale.fit(np.exp(new.score(held.rows(held.benign).features)))

        def logits(rows: Floats) -> npt.NDArray[np.float64]:
            raw = known.network.predict(known.preprocessing.apply(rows), batch_size=8192, verbose=0)
            return np.asarray(raw, np.float64)

        def surprise(rows: Floats) -> npt.NDArray[np.float64]:
            logit = scale.exponent * (new.score(rows) - np.log(scale.middle))
            return np.asarray(np.maximum(logit - TYPICAL_LOGIT, 0))

        weights = balanced_weights(held.target)
        mixture = mix(logits(held.features), surprise(held.features), ~held.benign, weights, self.rate)

        def total(rows: Floats) -> npt.NDArray[np.float64]:
            margin = mixture.classifier * attack_margin(logits(rows))
            return np.asarray(margin + mixture.novelty * surprise(rows) + mixture.bias)

        def probability(rows: Floats) -> npt.NDArray[np.float64]:
            attack = 1 / (1 + np.exp(-total(rows)))
            full = np.zeros((len(rows), len(CLASSES)))
            full[:, [CLASSES.index(name) for name in known.classes[1:]]] = (
                softmax(logits(rows)[:, 1:]) * attack[:, None]
            )
            full[:, BENIGN] = 1 - attack
            return full

        return Fitted(
            self.name,
            "ensemble",
            seed,
            known.preprocessing,
            score=total,
            probability=probability,
            network=beside(known.network, new.network),
            history=known.history | {f"novelty {name}": curve for name, curve in new.history.items()},
            classes=(*known.classes, ANOMALY),
            loss_scale=scale,
            mixture=mixture,
        )


def mix(
    logits: npt.NDArray[np.float64],
    surprise: npt.NDArray[np.float64],
    attack: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    rate: float = 1e-3,
) -> Mixture:
    """Return the weights that find most on calibration rows where a share `rate` of benign ones is called.

    On attacks of classes that it has learnt a classifier is nearly always right: they show what novelty
    costs, hardly what it is worth. So surprise gets the highest of a few ratios to a unit of margin whose
    recall is within TIE of the best. A logistic regression then says what their sum is worth as log-odds.

    Args:
        logits: (n, C) of the classifier, benign first.
        surprise: (n,) of the autoencoder.
        attack: (n,) whether a row is one.
        weights: (n,) of the rows.
        rate: of false positives.
    """
    margin = attack_margin(logits)
    count = int(attack.sum())
    if not 0 < count < len(attack):
        return Mixture(1.0, 1.0, 0.0)

    def recall(ratio: float) -> float:
        total = margin + ratio * surprise
        level = np.quantile(total[~attack], 1 - rate, method="higher")
        return float(np.average(total[attack] > level, weights=weights[attack]))

    found = {ratio: recall(ratio) for ratio in RATIOS} if surprise.any() else {0.0: 0.0}
    ratio = max(ratio for ratio in found if found[ratio] >= max(found.values()) - TIE)
    return _scaled(margin + ratio * surprise, ratio, attack, weights)


def _scaled(
    total: npt.NDArray[np.float64], ratio: float, attack: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]
) -> Mixture:
    """Return the mixture of a ratio whose sum of evidence is a log-odds on calibration rows."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=500).fit(total[:, None], attack, sample_weight=weights)
    slope = float(model.coef_[0, 0])
    if slope <= 0:
        return Mixture(1.0, ratio, 0.0)
    return Mixture(slope, slope * ratio, float(model.intercept_[0]))
