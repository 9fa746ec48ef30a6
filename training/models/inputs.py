"""Preprocessing of a lesson: statistics of its train rows, excluded features silenced."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.table import FlowTable
from training.models.candidate import Floats, Lesson
from training.models.parts import Parts


def fit_preprocessing(lesson: Lesson, *, plain: bool = False, packets_alike: bool = False) -> Preprocessing:
    """Return preprocessing fitted on the lesson's train rows alone.

    A feature named in `lesson.excluded` gets scale 0: the network receives a constant for it and
    can learn nothing from it. The statistics of first packets and context are those of the rows that
    have them. With `packets_alike` a channel has one scale in every packet and none is moved, as a
    convolution needs it: a packet that never came is 0 everywhere. `plain` is for trees: raw
    values, whose order the logarithm would not change, but whose last bit it would; see `silenced`.
    """
    rows = lesson.train.features
    if plain:
        return Preprocessing.plain(rows)
    fitted = Preprocessing.fit(rows)
    parts = Parts.of(lesson.train.feature_names)
    fitted = _refitted(fitted, rows, parts.context, parts.has_context(rows))
    fitted = _refitted(fitted, rows, parts.sequence.ravel(), parts.has_sequence(rows))
    if packets_alike:
        fitted = _alike(fitted, rows, parts)
    scale = np.where(_silent(lesson), 0, fitted.scale)
    return replace(fitted, scale=scale.astype(fitted.scale.dtype))


def silenced(lesson: Lesson, inputs: Floats) -> Floats:
    """Return (n, k) inputs to fit trees on: excluded features are constant, so no tree asks them."""
    return np.where(_silent(lesson), np.float32(0), inputs)


def benign_medians(table: FlowTable) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Return (k,) float32 medians of the benign rows, in the units of the features.

    Those of first packets and context are medians of the rows that have them, where any has.
    """
    rows = table.features[table.benign]
    medians = np.median(rows, axis=0).astype(np.float32)
    parts = Parts.of(table.feature_names)
    for columns, there in (
        (parts.sequence.ravel(), parts.has_sequence(rows)),
        (parts.context, parts.has_context(rows)),
    ):
        if there.any():
            medians[columns] = np.median(rows[np.ix_(there, columns)], axis=0)
    return medians


def _silent(lesson: Lesson) -> npt.NDArray[np.bool_]:
    return np.isin(np.array(lesson.train.feature_names), lesson.excluded)


def _refitted(
    fitted: Preprocessing, rows: Floats, columns: npt.NDArray[np.int64], there: npt.NDArray[np.bool_]
) -> Preprocessing:
    """Return the preprocessing with some columns' mean and scale taken from the rows that have them."""
    if there.all() or not there.any():
        return fitted
    own = Preprocessing.fit(rows[np.ix_(there, columns)])
    mean, scale = fitted.mean.copy(), fitted.scale.copy()
    mean[columns], scale[columns] = own.mean, own.scale
    return replace(fitted, mean=mean, scale=scale)


def _alike(fitted: Preprocessing, rows: Floats, parts: Parts) -> Preprocessing:
    """Return the preprocessing with a channel's root mean square over all packets that came as its scale."""
    packets = rows[:, parts.sequence].reshape(-1, parts.sequence.shape[1])
    packets = packets[packets[:, 0] != 0]
    if not len(packets):
        return fitted
    own = Preprocessing.fit(packets)
    spread = np.divide(1, own.scale, out=np.zeros_like(own.scale), where=own.scale > 0)
    size = np.sqrt(own.mean**2 + spread**2)
    scale = np.divide(1, size, out=np.zeros_like(size), where=own.scale > 0)
    mean, scales = fitted.mean.copy(), fitted.scale.copy()
    mean[parts.sequence] = 0
    scales[parts.sequence] = np.where(fitted.scale[parts.sequence] > 0, scale, 0)
    return replace(fitted, mean=mean, scale=scales)
