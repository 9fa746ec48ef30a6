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
from training.models.parts import Parts
from training.models.residual import Residual
from training.models.sequence import Sequence

ANOMALY = "anomaly"
"""The class of a flow that is called for its novelty."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """One score of two networks over the same inputs: log-odds, and how far a flow is from benign ones.

    The autoencoder's loss is measured in what benign calibration flows show (`LossScale`), and only
    what lies above their median counts. Three numbers, fitted on calibration rows, weigh the two; half of
    the attacks' weight stands for attacks whose class the classifier does not know (see `mix`).

    Attributes:
        classifier: where features have first packets.
        plain: where they have none.
        novelty: the autoencoder.
    """

    classifier: Branched = field(default_factory=Sequence)
    plain: Branched = field(default_factory=Residual)
    novelty: Autoencoder = field(default_factory=Autoencoder)
    name: str = "ensemble"
    seeded: bool = True
    benign_only: bool = False

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train both networks, then weigh them on calibration rows."""
        from exporter.beside import beside

        packets = Parts.of(lesson.train.feature_names).sequence.size > 0
        known = (self.classifier if packets else self.plain).fit(lesson, seed)
        new = self.novelty.fit(lesson, seed, known.preprocessing)
        held = lesson.calibration
        scale = LossScale.fit(np.exp(new.score(held.rows(held.benign).features)))

        def logits(rows: Floats) -> npt.NDArray[np.float64]:
            raw = known.network.predict(known.preprocessing.apply(rows), batch_size=8192, verbose=0)
            return np.asarray(raw, np.float64)

        def surprise(rows: Floats) -> npt.NDArray[np.float64]:
            logit = scale.exponent * (new.score(rows) - np.log(scale.middle))
            return np.asarray(np.maximum(logit - TYPICAL_LOGIT, 0))

        mixture = mix(logits(held.features), surprise(held.features), ~held.benign, balanced_weights(held.target))

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
) -> Mixture:
    """Return the weights under which calibration rows are least surprising (logistic regression).

    On attacks of classes that it has learnt a classifier is nearly always right, and novelty would weigh
    nothing. So each attack row counts twice, half each: as it is, and as an attack of a class that was
    not learnt, of which the classifier says what it says of some benign row.

    Args:
        logits: (n, C) of the classifier, benign first.
        surprise: (n,) of the autoencoder.
        attack: (n,) whether a row is one.
        weights: (n,) of the rows.
    """
    margin = attack_margin(logits)
    count = int(attack.sum())
    if not 0 < count < len(attack):
        return Mixture(1.0, 1.0, 0.0)
    unseen = np.random.default_rng(0).permutation(np.resize(margin[~attack], count))
    told = np.concatenate([np.stack([margin, surprise], axis=1), np.stack([unseen, surprise[attack]], axis=1)])
    wanted = np.concatenate([attack, np.ones(count, bool)])
    mass = np.concatenate([np.where(attack, weights / 2, weights), weights[attack] / 2])
    return _weighed(told, wanted, mass)


def _weighed(told: npt.NDArray[np.float64], attack: npt.NDArray[np.bool_], mass: npt.NDArray[np.float64]) -> Mixture:
    """Return the two weights and the bias; a weight that would be negative is 0 and the other fitted alone."""
    from sklearn.linear_model import LogisticRegression

    for used in ([0, 1], [0], [1]):
        model = LogisticRegression(C=1.0, max_iter=500).fit(told[:, used], attack, sample_weight=mass)
        found = dict(zip(used, model.coef_[0].tolist(), strict=True))
        if min(found.values()) > 0:
            return Mixture(found.get(0, 0.0), found.get(1, 0.0), float(model.intercept_[0]))
    return Mixture(1.0, 0.0, 0.0)
