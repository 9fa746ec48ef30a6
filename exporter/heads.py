"""Score heads: from a network's output to score, class probabilities and contributions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from exporter.scoring import TYPICAL_LOGIT, LossScale, Scoring
from exporter.sheet import Sheet
from sensor.errors import NettrusionError

_NEVER: Final = np.float32(-1e30)
_SMALLEST: Final = 1e-30


@dataclass(frozen=True, slots=True)
class Outputs:
    """The names on a sheet of a bundle's three outputs."""

    score: str
    classes: str
    contributions: str


@dataclass(frozen=True, slots=True)
class Margin:
    """A classifier's decision on a sheet: `best` int64 (N,), the likeliest attack class."""

    probabilities: str
    best: str
    classes: int
    temperature: float

    def gradient(self, sheet: Sheet) -> str:
        """Write the gradient (N, C) of the margin, best attack logit minus benign, by the logits."""
        steps = np.eye(self.classes, dtype=np.float32) / np.float32(self.temperature)
        steps = steps - steps[0]
        return sheet.add("Gather", sheet.constant(steps), self.best, axis=0)


def classifier(sheet: Sheet, logits: str, scoring: Scoring, contributions: Callable[[Margin], str]) -> Outputs:
    """Write a classifier's head over logits (N, C).

    The score is the sum of the attack classes' probabilities, 1 - p(benign) without its rounding.
    `contributions` writes those of the margin and is told which class it is about.
    """
    attack, margin = _decide(sheet, logits, len(scoring.classes), scoring.temperature)
    score = sheet.clip(_column(sheet, attack), 0, 1)
    return Outputs(score, margin.probabilities, contributions(margin))


def _decide(sheet: Sheet, logits: str, classes: int, temperature: float) -> tuple[str, Margin]:
    """Write the probability of any attack (N, 1) of logits (N, C), and the margin."""
    scaled = logits
    if temperature != 1:
        scaled = sheet.add("Mul", logits, sheet.number(1 / temperature))
    probabilities = sheet.add("Softmax", scaled, axis=1)
    attacks = np.ones((classes, 1), np.float32)
    attacks[0] = 0
    total = sheet.add("MatMul", probabilities, sheet.constant(attacks))
    benign = np.zeros(classes, np.float32)
    benign[0] = _NEVER
    best = sheet.add("ArgMax", sheet.add("Add", scaled, sheet.constant(benign)), axis=1, keepdims=0)
    return total, Margin(probabilities, best, classes, temperature)


def displaced(sheet: Sheet, gradient: str, rows: str, scoring: Scoring) -> str:
    """Write gradient times (row minus benign median), both as the network sees them."""
    medians = scoring.preprocessing.apply(scoring.medians[None, :])
    return sheet.add("Mul", gradient, sheet.add("Sub", rows, sheet.constant(medians)))


def chosen_parts(sheet: Sheet, margin: Margin, parts: str, width: int) -> str:
    """Write the parts (N, width) of the margin, given every class's (N, C, width or more)."""
    shape = sheet.constant(np.array([-1, margin.classes, 1]))
    weights = sheet.add("Reshape", margin.gradient(sheet), shape)
    weighted = sheet.add("Mul", parts, weights)
    chosen = sheet.add("ReduceSum", weighted, sheet.constant(np.array([1])), keepdims=0)
    return sheet.add("Gather", chosen, sheet.constant(np.arange(width)), axis=1)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A reconstruction on a sheet: each feature's squared error over k (N, k), and the logit (N, 1) of its score."""

    errors: str
    logit: str


def rebuilt(sheet: Sheet, rows: str, output: str, width: int, scale: LossScale) -> Rebuilt:
    """Write an autoencoder's loss over its input and output, both (N, k), and where `scale` puts it."""
    error = sheet.add("Sub", rows, output)
    errors = sheet.add("Mul", sheet.add("Mul", error, error), sheet.number(1 / width))
    # Not ReduceSum: along a row it adds in an order that depends on where in memory the row lies.
    loss = sheet.add("MatMul", errors, sheet.constant(np.ones((width, 1), np.float32)))
    logs = sheet.add("Log", sheet.add("Max", loss, sheet.number(_SMALLEST)))
    distance = sheet.add("Sub", logs, sheet.number(np.log(scale.middle)))
    return Rebuilt(errors, sheet.add("Mul", distance, sheet.number(scale.exponent)))


def autoencoder(sheet: Sheet, rebuilt: Rebuilt) -> Outputs:
    """Write an autoencoder's head.

    Contributions are each feature's squared error over k: their sum is the loss, and the loss is
    mapped to the score by its scale.
    """
    score, benign = _odds(sheet, rebuilt.logit)
    classes = sheet.add("Concat", benign, score, axis=1)
    return Outputs(_column(sheet, score), classes, rebuilt.errors)


def ensemble(
    sheet: Sheet, logits: str, rebuilt: Rebuilt, scoring: Scoring, contributions: Callable[[Margin], str]
) -> Outputs:
    """Write the head over a classifier's logits (N, C - 1) and a reconstruction; see `Mixture`.

    An attack class's part of the score goes by its own log-odds over benign, weighted, the anomaly's
    by the surprise, weighted: the largest names the alert. Contributions are those of the margin,
    which `contributions` writes, and each feature's part of the loss times the surprise, both weighted.
    """
    if scoring.mixture is None:
        raise NettrusionError("an ensemble has a mixture")
    weight, novelty = (w / scoring.temperature for w in (scoring.mixture.classifier, scoring.mixture.novelty))
    c = len(scoring.classes) - 1
    attack, margin = _decide(sheet, logits, c, 1.0)
    kept = sheet.add("Gather", margin.probabilities, sheet.constant(np.array([0])), axis=1)
    odds = sheet.add("Sub", _log(sheet, attack), _log(sheet, kept))
    surprise = sheet.add("Add", rebuilt.logit, sheet.number(-TYPICAL_LOGIT))
    new = sheet.add("Mul", sheet.add("Max", surprise, sheet.number(0)), sheet.number(novelty))
    known = sheet.add("Mul", odds, sheet.number(weight))
    bias = sheet.number(scoring.mixture.bias / scoring.temperature)
    score, benign = _odds(sheet, sheet.add("Add", sheet.add("Add", known, new), bias))
    over_benign = np.eye(c, dtype=np.float32)[:, 1:] * np.float32(weight)
    over_benign[0] = -weight
    each = sheet.add("Concat", sheet.add("MatMul", logits, sheet.constant(over_benign)), new, axis=1)
    named = sheet.add("Mul", sheet.add("Softmax", each, axis=1), score)
    # Each error over their sum, without a division: whole numbers divided by 0 would end the process.
    parts = sheet.add("Softmax", _log(sheet, rebuilt.errors), axis=1)
    raised = sheet.add("Mul", contributions(margin), sheet.number(weight))
    return Outputs(
        _column(sheet, score),
        sheet.add("Concat", benign, named, axis=1),
        sheet.add("Add", raised, sheet.add("Mul", parts, new)),
    )


def _odds(sheet: Sheet, logit: str) -> tuple[str, str]:
    """Write the probability of a logit, and that of its opposite, both exact where they are small."""
    return sheet.add("Sigmoid", logit), sheet.add("Sigmoid", sheet.add("Mul", logit, sheet.number(-1)))


def _log(sheet: Sheet, value: str) -> str:
    return sheet.add("Log", sheet.add("Max", value, sheet.number(_SMALLEST)))


def _column(sheet: Sheet, value: str) -> str:
    return sheet.add("Squeeze", value, sheet.constant(np.array([1])))
