"""Score heads: from a network's output to score, class probabilities and contributions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from exporter.scoring import LossScale, Scoring
from exporter.sheet import Sheet

_NEVER: Final = np.float32(-1e30)
_SMALLEST_LOSS: Final = 1e-30


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
    c = len(scoring.classes)
    scaled = logits
    if scoring.temperature != 1:
        scaled = sheet.add("Mul", logits, sheet.number(1 / scoring.temperature))
    probabilities = sheet.add("Softmax", scaled, axis=1)
    attacks = np.ones((c, 1), np.float32)
    attacks[0] = 0
    total = sheet.add("MatMul", probabilities, sheet.constant(attacks))
    score = sheet.clip(sheet.add("Squeeze", total, sheet.constant(np.array([1]))), 0, 1)
    benign = np.zeros(c, np.float32)
    benign[0] = _NEVER
    best = sheet.add("ArgMax", sheet.add("Add", scaled, sheet.constant(benign)), axis=1, keepdims=0)
    margin = Margin(probabilities, best, c, scoring.temperature)
    return Outputs(score, probabilities, contributions(margin))


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


def autoencoder(sheet: Sheet, rows: str, rebuilt: str, width: int, scale: LossScale) -> Outputs:
    """Write an autoencoder's head over its input and output, both (N, k).

    Contributions are each feature's squared error over k: their sum is the loss, and the loss is
    mapped to the score by `scale`.
    """
    error = sheet.add("Sub", rows, rebuilt)
    inverse = sheet.number(1 / width)
    contributions = sheet.add("Mul", sheet.add("Mul", error, error), inverse)
    # Not ReduceSum: along a row it adds in an order that depends on where in memory the row lies.
    loss = sheet.add("MatMul", contributions, sheet.constant(np.ones((width, 1), np.float32)))
    safe = sheet.add("Max", loss, sheet.number(_SMALLEST_LOSS))
    middle = sheet.number(np.log(scale.middle))
    distance = sheet.add("Sub", sheet.add("Log", safe), middle)
    steep = sheet.add("Mul", distance, sheet.number(scale.exponent))
    anomaly = sheet.add("Sigmoid", steep)
    benign = sheet.add("Sub", sheet.number(1), anomaly)
    classes = sheet.add("Concat", benign, anomaly, axis=1)
    score = sheet.add("Squeeze", anomaly, sheet.constant(np.array([1])))
    return Outputs(score, classes, contributions)
