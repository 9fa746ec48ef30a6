"""The temperature, and what ships of a chosen trial."""

import json

import numpy as np
import pytest

from sensor.detector import Detector
from tests.training.runs import prepared_run
from training.bundle import fit_temperature


def test_too_sure_log_odds_are_cooled():
    rng = np.random.default_rng(0)
    margin = rng.normal(0, 2, 4000)
    attack = rng.random(4000) < 1 / (1 + np.exp(-margin))
    assert fit_temperature(margin, attack) == pytest.approx(1.0, abs=0.15)
    assert fit_temperature(margin * 4, attack) == pytest.approx(4.0, rel=0.15)


@pytest.mark.parametrize("winner", ["dense", "autoencoder", "gradient boosting"])
def test_what_ships_loads_in_the_sensor_and_scores_alike(winner, tmp_path):
    config, prepared, results, shipped = prepared_run(winner)
    path = tmp_path / "model.onnx"
    path.write_bytes(shipped.data)
    detector = Detector.load(path, {"cic2022": prepared.feature_set})
    rows = prepared.table.features[prepared.split.test]
    assert np.asarray(detector.score(rows).score) == pytest.approx(shipped.score(rows), abs=1e-6)
    held = prepared.table.rows(prepared.split.calibration)
    benign = shipped.score(held.features[held.benign])
    assert (benign >= shipped.identity.threshold).mean() <= config.alert_rate
    train = prepared.table.rows(prepared.split.train)
    for place, row in enumerate(detector.meta.quantiles):
        seen = train.features[train.benign][:, place]
        assert row and [edge.within for edge in row] == [(seen <= np.float32(edge.value)).mean() for edge in row]
    training = json.loads(json.dumps(detector.meta.training))
    assert training["files"] == {"made.csv": "0" * 64}
    assert training["candidate"] == results.choice.winner == winner


def test_the_detector_ranks_as_the_trial_did():
    _, prepared, results, shipped = prepared_run("dense")
    rows = prepared.table.features[prepared.split.test]
    trial = results.same_day["dense"][0]
    order = np.argsort(trial.fitted.score(rows))
    assert (np.diff(shipped.score(rows)[order]) >= -0.05).all()
