"""`nettrusion model show`: a card that a person can read, of a file that was verified."""

import argparse

import pytest

from sensor.cli import model
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.sensor.detector.made import TINY, good, with_metadata


@pytest.fixture(autouse=True)
def tiny_features(monkeypatch):
    monkeypatch.setattr(FeatureSet, "available", classmethod(lambda cls: ("tiny",)))
    monkeypatch.setattr(FeatureSet, "load", classmethod(lambda cls, name: TINY))


@pytest.fixture
def show(tmp_path, capsys):
    def shown(data, *words):
        path = tmp_path / "m.onnx"
        path.write_bytes(data)
        parser = argparse.ArgumentParser()
        model.configure(parser)
        assert model.run(parser.parse_args(["show", str(path), *words])) == 0
        return capsys.readouterr().out

    return shown


def test_a_card_says_what_the_model_is(show):
    out = show(good())
    lines = out.splitlines()
    assert lines[0] == "made 1.2"
    assert any(line.split() == ["kind", "classifier"] for line in lines)
    assert "benign, dos, scan" in out
    assert "tiny 3, 6, variant cns22, hash abababababab" in out
    assert "50,000 in a million" in out
    assert "enough to certify it" in out
    assert "recall: 0.9" in out
    assert lines[-1] == "made for a test"
    assert "benign flows in a million at or above a score" in out


def test_a_budget_that_is_not_certified_says_so(show):
    out = show(with_metadata(budget='{"certified":false,"false_positive_rate":1e-05,"flows":100}'))
    assert "100 benign flows, too few to certify it" in out
    assert "10 in a million" in out


def test_medians_are_listed_when_asked_for(show):
    assert "feature_3" not in show(good())
    out = show(good(), "--medians")
    assert "feature_3" in out
    assert "7 bytes" in out


def test_text_of_a_file_cannot_write_to_a_terminal(show):
    out = show(with_metadata(card="one\x1b[2J\ntwo\r", training='{"\\u001b[31m":"\\u0007"}'))
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "one [2J" in out


def test_deep_training_data_are_cut_off(show):
    deep = '{"a":' * 200 + "1" + "}" * 200
    assert max(map(len, show(with_metadata(training=deep)).splitlines())) < 200


def test_a_bad_model_has_no_card(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"nonsense")
    with pytest.raises(NettrusionError, match="is refused"):
        model.run(argparse.Namespace(model=path, signers=None, medians=False))
