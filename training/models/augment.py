"""Flows as a slower or faster network would have shown them."""

import numpy as np

from training.models.candidate import Floats, Lesson


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


def blur(inputs: Floats, noise: float, seed: int) -> Floats:
    """Return (n, k) preprocessed inputs with Gaussian noise; a column of constants stays one."""
    drawn = np.random.default_rng(seed + 1).normal(0.0, noise, inputs.shape)
    varies = np.ptp(inputs, axis=0) > 0
    return np.asarray(inputs + drawn * varies, dtype=np.float32)
