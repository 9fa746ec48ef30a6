"""A bundle's metadata: what the exporter writes is what the sensor reads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from exporter.quantiles import Quantiles
from sensor.detector.meta import read_meta
from tests.sensor.detector.made import PATH, TINY, K, identity, linear, sample

IDENTITY = identity(np.linspace(0, 1, 50, dtype=np.float32))
SCORING = linear()[1]


def test_the_sensor_reads_what_is_written():
    properties = IDENTITY.properties(SCORING, "a network", "linear")
    meta = read_meta(PATH, "00" * 32, properties)
    assert (meta.name, meta.version, meta.variant) == ("made", "1.2", "cns22")
    assert (meta.threshold, meta.budget) == (IDENTITY.threshold, IDENTITY.budget)
    assert meta.calibration == IDENTITY.calibration
    assert (meta.feature_set, meta.feature_set_sha256) == (TINY.name, TINY.sha256)
    assert np.array_equal(np.array(meta.medians, np.float32), SCORING.medians)
    assert (meta.training, meta.card) == (IDENTITY.training, "made for a test")


def test_where_training_rows_lay_is_told_when_it_is_known():
    assert read_meta(PATH, "", IDENTITY.properties(SCORING, "a network", "linear")).quantiles == ()
    rows = sample()[0]
    known = replace(IDENTITY, quantiles=Quantiles.of(rows, np.arange(K) == 2))
    meta = read_meta(PATH, "", known.properties(SCORING, "a network", "linear"))
    assert [len(row) for row in meta.quantiles] == [9, 9, 0, 9, 1, 9]
    assert meta.quantiles[4] == ((7.0, 0.0, 1.0),)
    fifth = meta.quantiles[0][4]
    assert (fifth.below, fifth.within) == (199 / 400, 200 / 400)
    assert fifth.value == np.sort(rows[:, 0])[199]


def test_entries_are_sorted_and_their_json_is_canonical():
    properties = IDENTITY.properties(SCORING, "a network", "linear")
    assert list(properties) == sorted(properties)
    assert " " not in properties["nettrusion.training"]
    assert json.loads(properties["nettrusion.training"]) == IDENTITY.training


def test_a_figure_that_is_no_number_is_no_metadata():
    broken = replace(IDENTITY, training={"recall": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        broken.properties(SCORING, "a network", "linear")
