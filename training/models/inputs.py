"""Preprocessing of a lesson: statistics of its train rows, excluded features silenced."""

from dataclasses import replace

import numpy as np

from exporter.preprocessing import Preprocessing
from training.datasets.table import FlowTable
from training.models.candidate import Lesson


def fit_preprocessing(lesson: Lesson) -> Preprocessing:
    """Return preprocessing fitted on the lesson's train rows alone.

    Trees get the same: it changes no order within a feature. A feature named in `lesson.excluded` gets scale
    0: the network receives a constant for it and can learn nothing from it.
    """
    fitted = Preprocessing.fit(lesson.train.features)
    silent = np.isin(np.array(lesson.train.feature_names), lesson.excluded)
    return replace(fitted, scale=np.where(silent, 0, fitted.scale).astype(fitted.scale.dtype))


def benign_medians(table: FlowTable) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Return (k,) float32 medians of the benign rows, in the units of the features."""
    return np.median(table.features[table.benign], axis=0).astype(np.float32)
