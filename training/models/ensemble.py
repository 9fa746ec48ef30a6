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

        own = np.array([known.classes.index(CLASSES[t]) if CLASSES[t] in known.classes else -1 for t in held.target])
        mixture = mix(logits(held.features), surprise(held.features), own, balanced_weights(held.target))

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
    own: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
) -> Mixture:
    """Return the weights under which calibration rows are least surprising (logistic regression).

    On attacks of classes that it has learnt a classifier is nearly always right, and novelty would weigh
    nothing. So each attack row counts twice, half each: as it is, and as if its class had not been
    learnt, by the log-odds of the other classes alone.

    Args:
        logits: (n, C) of the classifier, benign first.
        surprise: (n,) of the autoencoder.
        own: (n,) each row's class among the C, 0 benign, -1 one that was not learnt.
        weights: (n,) of the rows.
    """
    attack = own != BENIGN
    margin = attack_margin(logits)
    told = np.stack([margin, surprise], axis=1)
    rows, wanted, mass = [told], [attack], [np.where(attack & (own > 0), weights / 2, weights)]
    twice = np.flatnonzero(own > 0)
    if logits.shape[1] > 2 and len(twice):
        others = logits[twice].copy()
        others[np.arange(len(twice)), own[twice]] = -np.inf
        rows.append(np.stack([attack_margin(others), surprise[twice]], axis=1))
        wanted.append(attack[twice])
        mass.append(weights[twice] / 2)
    return _weighed(np.concatenate(rows), np.concatenate(wanted), np.concatenate(mass))


def _weighed(told: npt.NDArray[np.float64], attack: npt.NDArray[np.bool_], mass: npt.NDArray[np.float64]) -> Mixture:
    """Return the two weights and the bias; a weight that would be negative is 0 and the other fitted alone."""
    from sklearn.linear_model import LogisticRegression

    if attack.all() or not attack.any():
        return Mixture(1.0, 1.0, 0.0)
    for used in ([0, 1], [0], [1]):
        model = LogisticRegression(C=1.0, max_iter=500).fit(told[:, used], attack, sample_weight=mass)
        found = dict(zip(used, model.coef_[0].tolist(), strict=True))
        if min(found.values()) > 0:
            return Mixture(found.get(0, 0.0), found.get(1, 0.0), float(model.intercept_[0]))
    return Mixture(1.0, 0.0, 0.0)
