"""Flows as a slower or faster network would have shown them, and as a poorer witness would have told them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.models.candidate import Floats, Lesson
from training.models.crowd import busier
from training.models.parts import Parts


@dataclass(frozen=True, slots=True)
class Variation:
    """How much a copy of the train rows differs from them.

    `spread` is that of a flow's log normal slowdown, `noise` the standard deviation of Gaussian noise
    on standardised inputs, `lack` the share of rows that lose their first packets, and independently
    the share that lose their context. `busy` is how many times an attack may be run harder.
    """

    spread: float
    noise: float
    lack: float
    busy: float = 1.0


def varied(lesson: Lesson, preprocessing: Preprocessing, variation: Variation, seed: int) -> Floats:
    """Return (n, k) preprocessed inputs of a copy of the train rows: stretched, busier, lacking parts, with noise.

    Noise touches no zero of first packets and context: what is not there stays so.
    """
    parts = Parts.of(lesson.train.feature_names)
    slower = stretch(lesson.train.features, lesson, variation.spread, seed)
    raw = lacking(busier(slower, lesson, variation.busy, seed), parts, variation.lack, seed)
    inputs = preprocessing.apply(raw)
    blurred = blur(inputs, variation.noise, seed)
    empty = raw == 0
    empty[:, parts.stat] = False
    return np.where(empty, inputs, blurred)


def stretch(rows: Floats, lesson: Lesson, spread: float, seed: int) -> Floats:
    """Return (n, k) a copy of raw features in which each flow runs at another speed.

    One factor a flow, log normal with `spread`, multiplies its durations and gaps and divides its
    rates; what does not depend on time stays. A flow that lasts longer than the active timeout is
    left longer than it: nothing is cut. The lab's speed is one; other networks have others.
    """
    factor = np.exp(np.random.default_rng(seed).normal(0.0, spread, len(rows)))
    slower = rows.copy()
    slower[:, lesson.times] = rows[:, lesson.times] * factor[:, None]
    slower[:, lesson.rates] = rows[:, lesson.rates] / factor[:, None]
    return np.asarray(slower, dtype=np.float32)


def lacking(rows: Floats, parts: Parts, share: float, seed: int) -> Floats:
    """Return (n, k) a copy of raw features in which a share of the rows has no first packets, and one no context."""
    rng = np.random.default_rng(seed + 2)
    poorer = rows.copy()
    for columns in (parts.sequence.ravel(), parts.context):
        lost: npt.NDArray[np.int64] = np.flatnonzero(rng.random(len(rows)) < share)
        poorer[np.ix_(lost, columns)] = 0
    return poorer


def blur(inputs: Floats, noise: float, seed: int) -> Floats:
    """Return (n, k) preprocessed inputs with Gaussian noise; a column of constants stays one."""
    drawn = np.random.default_rng(seed + 1).normal(0.0, noise, inputs.shape)
    varies = np.ptp(inputs, axis=0) > 0
    return np.asarray(inputs + drawn * varies, dtype=np.float32)
