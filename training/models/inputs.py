"""Preprocessing of a lesson: statistics of its train rows, excluded features silenced."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.table import FlowTable
from training.models.candidate import Floats, Lesson


def fit_preprocessing(lesson: Lesson, *, plain: bool = False) -> Preprocessing:
    """Return preprocessing fitted on the lesson's train rows alone.

    A feature named in `lesson.excluded` gets scale 0: the network receives a constant for it and
    can learn nothing from it. `plain` is for trees: raw values, whose order the logarithm would not
    change, but whose last bit it would; see `silenced`.
    """
    rows = lesson.train.features
    if plain:
        return Preprocessing.plain(rows)
    fitted = Preprocessing.fit(rows)
    scale = np.where(_silent(lesson), 0, fitted.scale)
    return replace(fitted, scale=scale.astype(fitted.scale.dtype))


def silenced(lesson: Lesson, inputs: Floats) -> Floats:
    """Return (n, k) inputs to fit trees on: excluded features are constant, so no tree asks them."""
    return np.where(_silent(lesson), np.float32(0), inputs)


def _silent(lesson: Lesson) -> npt.NDArray[np.bool_]:
    return np.isin(np.array(lesson.train.feature_names), lesson.excluded)


def benign_medians(table: FlowTable) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Return (k,) float32 medians of the benign rows, in the units of the features."""
    return np.median(table.features[table.benign], axis=0).astype(np.float32)
