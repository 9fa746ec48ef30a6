"""A bundle's metadata: what the exporter writes is what the sensor reads."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sensor.detector.meta import read_meta
from tests.sensor.detector.made import PATH, TINY, identity, linear

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


def test_entries_are_sorted_and_their_json_is_canonical():
    properties = IDENTITY.properties(SCORING, "a network", "linear")
    assert list(properties) == sorted(properties)
    assert " " not in properties["nettrusion.training"]
    assert json.loads(properties["nettrusion.training"]) == IDENTITY.training


def test_a_figure_that_is_no_number_is_no_metadata():
    broken = replace(IDENTITY, training={"recall": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        broken.properties(SCORING, "a network", "linear")
