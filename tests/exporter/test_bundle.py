"""A bundle: the same bytes from the same parts, and taken by the sensor."""

import numpy as np
import pytest

from exporter import bundle
from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.exporter.networks import CLASSIFIER, dense
from tests.sensor.detector.made import PATH, SETS, good, identity, linear

IDENTITY = identity(np.linspace(0, 1, 50, dtype=np.float32))


def test_the_canonical_bytes_of_a_keras_bundle_repeat():
    first = bundle.build(dense(), CLASSIFIER, IDENTITY)
    assert bundle.build(dense(), CLASSIFIER, IDENTITY) == first
    assert Detector.from_bytes(first, PATH, SETS).meta.contributions == "gradient"


def test_another_weight_is_another_bundle():
    import keras

    other = keras.models.clone_model(dense())
    weights = dense().get_weights()
    weights[0][0, 0] += 1e-3
    other.set_weights(weights)
    assert bundle.build(other, CLASSIFIER, IDENTITY) != bundle.build(dense(), CLASSIFIER, IDENTITY)


def test_names_of_a_framework_leave_no_trace():
    data = bundle.build(dense(), CLASSIFIER, IDENTITY)
    for word in (b"dense/", b"functional", b"ReadVariableOp", b"tf2onnx", b"/home", b"/tmp"):
        assert word not in data


def test_bundles_of_other_families_say_how_they_explain():
    assert Detector.from_bytes(good("linear"), PATH, SETS).meta.contributions == "linear"
    assert Detector.from_bytes(good("forest"), PATH, SETS).meta.contributions == "paths"


def test_a_feature_set_of_another_width_is_refused():
    network, scoring = linear()
    from dataclasses import replace

    wide = replace(IDENTITY, feature_set=FeatureSet.load("cic2022"))
    with pytest.raises(NettrusionError, match=r"cic2022 has \d+ features, the preprocessing 6"):
        bundle.build(network, scoring, wide)
