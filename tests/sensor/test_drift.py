"""Drift stays low on flows like those of training, rises on others, and forgets."""

from dataclasses import replace

import numpy as np
import pytest

from exporter.calibration import table
from exporter.quantiles import Quantiles
from sensor.detector import BundleMeta
from sensor.detector.graph import parse
from sensor.detector.meta import read_meta
from sensor.drift import EAGER_FLOWS, LEAST_FLOWS, STRIDE, Drift
from sensor.features import FeatureSet
from tests.sensor.detector.made import PATH, good, identity, linear

K = 6
META = read_meta(PATH, "", parse(good()).metadata)


def flows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n, 6) and scores (n,): feature 2 mostly zero, 3 of three values, 4 constant."""
    rng = np.random.default_rng(seed)
    features = rng.lognormal(3, 2, (n, K)).astype(np.float32)
    features[rng.random(n) < 0.66, 2] = 0
    features[:, 3] = rng.choice([1, 2, 3], n, p=[0.2, 0.5, 0.3])
    features[:, 4] = 7
    return features, rng.beta(1, 6, n).astype(np.float32)


def trained(silent: tuple[int, ...] = ()) -> BundleMeta:
    """Return metadata of a bundle that was trained on 4000 such flows and calibrated on 3000 others."""
    made = replace(
        identity(flows(3000, seed=2)[1]),
        quantiles=Quantiles.of(flows(4000, seed=1)[0], np.isin(np.arange(K), silent)),
        calibration=table(flows(3000, seed=2)[1]),
    )
    return read_meta(PATH, "", made.properties(linear()[1], "a network", "linear"))


def watched(meta: BundleMeta, features: np.ndarray, scores: np.ndarray, batch: int = 1000, **options) -> Drift:
    drift = Drift(meta, **options)
    for start in range(0, len(scores), batch):
        drift.add(features[start : start + batch], scores[start : start + batch])
    return drift


@pytest.mark.parametrize("seed", range(3, 8))
def test_flows_like_those_of_training_lie_close(seed):
    drift = watched(trained(), *flows(60_000, seed))
    gauges = drift.gauges()
    assert drift.basis == "quantiles"
    assert set(gauges) == {"score", "features", "worst"}
    assert gauges["score"] < 0.05 and gauges["features"] < 0.04 and gauges["worst"] < 0.07


def test_other_scores_lie_far_and_features_do_not():
    features, scores = flows(40_000, 3)
    gauges = watched(trained(), features, 1 - scores).gauges()
    assert gauges["score"] > 0.8 and gauges["features"] < 0.05


@pytest.mark.parametrize(
    ("place", "change", "distance"),
    [
        (0, lambda values: values * 1000, 0.9),
        (0, lambda values: -values, 0.9),
        (1, lambda values: values * 3, 0.2),
        (2, lambda values: np.maximum(values, 1e-3), 0.66),
        (2, lambda values: values * 0, 0.34),
        # The value that half of the flows share, a little less: seen, though no decile lies between.
        (3, lambda values: np.where(values == 2, 1.9, values), 0.5),
        (4, lambda values: values + 1, 1.0),
        (4, lambda values: values - 0.01, 1.0),
        (5, lambda values: values * np.nan, 0.9),
    ],
)
def test_a_feature_that_moves_is_named_with_its_distance(place, change, distance):
    features, scores = flows(40_000, 3)
    features[:, place] = change(features[:, place])
    drift = watched(trained(), features, scores)
    (name, far), (_, next_far) = drift.worst(2)
    assert name == f"feature {place}"
    assert far == pytest.approx(distance, abs=0.08)
    assert drift.gauges()["worst"] == far and next_far < 0.07
    assert drift.gauges()["features"] == pytest.approx(far / K, abs=0.05)


def test_what_the_model_does_not_read_is_not_watched():
    features, scores = flows(40_000, 3)
    features[:, 1] = 0
    assert watched(trained(), features, scores).worst()[0][0] == "feature 1"
    drift = watched(trained(silent=(1,)), features, scores)
    assert drift.gauges()["worst"] < 0.07 and all(name != "feature 1" for name, _ in drift.worst(K))


def test_a_bundle_without_quantiles_tells_the_least_that_medians_prove():
    features, scores = flows(40_000, 3)
    meta = replace(trained(), quantiles=(), medians=tuple(np.median(flows(4000, 1)[0], axis=0).tolist()))
    drift = watched(meta, features, scores)
    assert drift.basis == "medians" and drift.gauges()["worst"] < 0.04
    features[:, 0] *= 1000
    features[:, 2] = 5
    moved = dict(watched(meta, features, scores).worst(2))
    assert moved == pytest.approx({"feature 0": 0.5, "feature 2": 0.5}, abs=0.02)


def test_nothing_is_told_of_too_few_flows():
    features, scores = flows(LEAST_FLOWS + 63, 3)
    drift = watched(trained(), features[: LEAST_FLOWS - 1], scores[: LEAST_FLOWS - 1])
    assert drift.gauges() == {} and drift.worst() == []
    drift.add(features[LEAST_FLOWS - 1 :], scores[LEAST_FLOWS - 1 :])
    assert drift.gauges() and drift.worst()


def test_an_empty_batch_changes_nothing():
    features, scores = flows(5000, 3)
    drift = watched(trained(), features, scores)
    before = drift.gauges()
    drift.add(features[:0], scores[:0])
    assert drift.gauges() == before


def test_what_is_past_is_forgotten_by_half_lives():
    usual, scores = flows(40_000, 3)
    strange = usual.copy()
    strange[:, 4] = 8
    drift = watched(trained(), strange, scores, half_life_flows=10_000)
    assert dict(drift.worst(1))["feature 4"] == 1.0
    for start in range(0, 20_000, 1000):
        drift.add(usual[start : start + 1000], scores[start : start + 1000])
    # Two half lives: a quarter of what is remembered is strange still.
    assert dict(drift.worst(1))["feature 4"] == pytest.approx(0.25, abs=0.03)


def test_the_cut_into_batches_changes_no_sample():
    features, scores = flows(20_000, 3)
    whole = [row for part in _looked_at(features, scores, 20_000) for row in part]
    pieces = [row for part in _looked_at(features, scores, 7) for row in part]
    assert whole == pieces
    later = len(features) - EAGER_FLOWS
    assert len(whole) == pytest.approx(EAGER_FLOWS + later / STRIDE, abs=1)


def _looked_at(features: np.ndarray, scores: np.ndarray, batch: int) -> list[list[float]]:
    """Return the values of feature 0 in the rows that a drift looks at."""
    seen: list[list[float]] = []

    class Recorder(np.ndarray):
        def __getitem__(self, key):
            if isinstance(key, list):
                seen.append(np.asarray(self)[key, 0].tolist())
            return super().__getitem__(key)

    watched(trained(), features.view(Recorder), scores, batch=batch)
    return seen


def test_a_huge_batch_is_counted_in_full():
    gauges = watched(trained(), *flows(300_000, 3), batch=300_000).gauges()
    assert gauges["worst"] < 0.07 and gauges["score"] < 0.05


def test_features_have_the_names_of_their_set():
    features = FeatureSet.load("cic2022").features
    k = len(features)
    meta = replace(trained(), feature_set="cic2022", quantiles=(), medians=(0.0,) * k)
    rows = np.zeros((2000, k), np.float32)
    rows[:, 5] = 1
    assert watched(meta, rows, np.zeros(2000, np.float32)).worst(1) == [(features[5].name, 0.5)]
