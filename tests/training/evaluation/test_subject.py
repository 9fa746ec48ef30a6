"""A subject scores evidence by a bundle, by a function, or by what was recorded."""

from dataclasses import replace

import numpy as np
import pytest

from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.scoring import MODEL
from tests.training import made
from training.evaluation import evidence
from training.evaluation.subject import Subject


@pytest.fixture(scope="module")
def rows():
    return evidence.of_tables("rows", {("cic2022", "cns22"): made.table(10)})


def test_a_bundle_scores_as_the_sensor_does(repo):
    rows = evidence.of_recordings([repo / "sensor" / "data"])  # of packets, which feed every feature set
    detector = Detector.load(MODEL, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    subject = Subject.of(detector)
    score, probability = subject.score(rows)
    expected = detector.score(rows.matrix(detector.feature_set, detector.meta.variant))
    assert (score.astype(np.float32) == expected.score).all()
    assert probability is not None
    assert (probability == expected.probability).all()
    assert subject.name == f"{detector.meta.name} {detector.meta.version}"
    assert subject.rank is not None
    assert (subject.rank(expected.score) == detector.budget_rank(expected.score)).all()


def test_a_function_gives_numbers_that_a_float32_has(rows):
    subject = Subject.of_function("third", lambda features: np.full(len(features), 1 / 3), made.feature_set(), "cns22")
    score, probability = subject.score(rows)
    assert (score == np.float64(np.float32(1 / 3))).all()
    assert probability is None


def test_recorded_scores_need_a_record(rows):
    with pytest.raises(NettrusionError, match="no scores were recorded"):
        Subject.as_recorded(0.5).score(rows)
    kept = replace(rows, recorded=np.linspace(0, 1, len(rows)))
    assert Subject.as_recorded(0.5).score(kept)[0] == pytest.approx(kept.recorded)


def test_what_is_known_is_not_asked_again(rows):
    def fail(_):
        raise AssertionError("asked")

    known = (np.zeros(len(rows)), None)
    assert Subject("one", fail).scored(known).score(rows) is known
