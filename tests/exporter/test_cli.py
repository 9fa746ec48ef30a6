"""`nettrusion export` end to end, in a process of its own and in this one."""

import argparse
import hashlib

import numpy as np
import pytest

from exporter import cli, folder
from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.exporter.networks import CLASSIFIER, ROWS, dense
from tests.sensor.detector.made import SETS, TINY, identity

IDENTITY = identity(np.linspace(0, 1, 50, dtype=np.float32))


@pytest.fixture(autouse=True)
def tiny_features(monkeypatch):
    monkeypatch.setattr(FeatureSet, "available", classmethod(lambda cls: ("tiny",)))
    monkeypatch.setattr(FeatureSet, "load", classmethod(lambda cls, name: TINY))


def run(*words):
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    return cli.run(parser.parse_args([str(word) for word in words]))


def test_a_folder_becomes_an_examined_bundle(tmp_path, capsys):
    folder.write(tmp_path / "run", dense(), CLASSIFIER, IDENTITY, ROWS)
    output = tmp_path / "model.onnx"
    assert run(tmp_path / "run", "-o", output) == 0
    out, err = capsys.readouterr()
    assert hashlib.sha256(output.read_bytes()).hexdigest() in out
    assert "max_score_difference" in out
    assert "made 1.2 passed" in err
    assert Detector.load(output, SETS).meta.name == "made"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "run"]


def test_a_bundle_that_fails_is_not_written(tmp_path, monkeypatch):
    from exporter import verify

    folder.write(tmp_path / "run", dense(), CLASSIFIER, IDENTITY, ROWS)
    monkeypatch.setattr(verify, "SCORE_TOLERANCE", -1.0)
    with pytest.raises(NettrusionError, match="scores differ"):
        run(tmp_path / "run", "-o", tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NettrusionError, match="gone"):
        run(tmp_path / "gone")


def test_what_could_not_be_judged_is_said(tmp_path, capsys):
    """One feature at work has no rank among others."""
    rows = np.tile(CLASSIFIER.medians.astype(np.float32), (len(ROWS), 1))
    rows[:, 0] = ROWS[:, 0]
    folder.write(tmp_path / "run", dense(), CLASSIFIER, IDENTITY, rows)
    assert run(tmp_path / "run", "-o", tmp_path / "model.onnx") == 0
    assert "occlusion_rank_correlation  cannot be judged" in capsys.readouterr().out
