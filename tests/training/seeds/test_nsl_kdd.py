"""The command from files to figures, and the seed's published figures on the real files."""

import argparse
import json

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training.seeds import connections
from training.seeds import nsl_kdd
from training.seeds.nsl_kdd_models import Neighbours, SeedAutoencoder


def parse(*words):
    parser = argparse.ArgumentParser()
    nsl_kdd.configure(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def few(monkeypatch):
    """Let the command have two quick detectors."""
    monkeypatch.setattr(nsl_kdd, "detectors", lambda: [SeedAutoencoder(epochs=2), Neighbours()])


def test_the_whole_runs_and_writes_figures_and_table(tmp_path, few, capsys):
    folder = connections.write(tmp_path / "data")
    assert nsl_kdd.run(parse(folder, "--out", tmp_path / "out", "--seeds", 2)) == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert "never a model for the wire" in metrics["what"]
    assert [file["rows"] for file in metrics["data"]["files"]] == [180, 180, 180]
    assert metrics["audit"]["constant_columns"]
    seed = metrics["detectors"]["the seed's autoencoder"]
    assert len(seed["runs"]["KDDTest+.txt"]) == 2
    assert seed["runs"]["KDDTest+.txt"][0]["seed_rule"] is not None
    assert metrics["detectors"]["neighbours"]["KDDTest-21.txt"]["auc"]["mean"] > 0.9
    table = (tmp_path / "out" / "table.md").read_text()
    assert table.count("| neighbours |") == 2
    assert table in capsys.readouterr().out


def test_choosing_reads_the_training_file_alone(tmp_path, few):
    folder = connections.write(tmp_path / "data")
    for name in (nsl_kdd.TEST, nsl_kdd.HARD):
        (folder / name).write_text("\n".join((folder / name).read_text().splitlines()[:3]) + "\n")
    assert nsl_kdd.run(parse(folder, "--out", tmp_path / "out", "--choose", "--detectors", "neighbours")) == 0
    found = json.loads((tmp_path / "out" / "choice.json").read_text())
    assert found["neighbours"]["0.1"]["kinds"] > 0.5
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_held_out_rows_are_normal_and_not_learnt_from(tmp_path):
    train = connections.train(tmp_path)
    learnt, held = nsl_kdd.held_out(train, 4)
    assert held.benign.all()
    assert len(held) == 24
    assert len(learnt) + len(held) == len(train)
    assert not np.array_equal(held.values, nsl_kdd.held_out(train, 5)[1].values)


def test_a_quick_look_takes_some_rows_of_each_file_over_its_length(tmp_path):
    files = nsl_kdd.open_files(connections.write(tmp_path), rows=30)
    assert (len(files.train), len(files.test), len(files.hard)) == (30, 30, 30)
    assert files.train.attack.any()
    assert files.train.benign.any()


def test_what_is_missing_or_unknown_is_named(tmp_path, few):
    with pytest.raises(NettrusionError, match="no such folder"):
        nsl_kdd.run(parse(tmp_path / "x", "--out", tmp_path))
    folder = connections.write(tmp_path / "data")
    (folder / nsl_kdd.HARD).unlink()
    with pytest.raises(NettrusionError, match=r"no KDDTest-21\.txt"):
        nsl_kdd.run(parse(folder, "--out", tmp_path))
    with pytest.raises(NettrusionError, match="no detector oracle; there are the seed's"):
        nsl_kdd.run(parse(folder, "--out", tmp_path, "--detectors", "oracle"))
    with pytest.raises(NettrusionError, match="at least one seed"):
        nsl_kdd.run(parse(folder, "--out", tmp_path, "--seeds", 0))


def test_the_seed_reaches_its_published_figures(shared_data):
    files = nsl_kdd.open_files(shared_data / "nsl-kdd")
    assert (len(files.train), len(files.test), len(files.hard)) == (25_192, 22_544, 11_850)
    found = nsl_kdd.judged(files, [SeedAutoencoder()], 1, lambda text: None)["the seed's autoencoder"]
    plus = found[nsl_kdd.TEST]
    assert plus["auc"]["mean"] == pytest.approx(0.950, abs=0.02)
    assert plus["at the last training loss"]["accuracy"]["mean"] == pytest.approx(0.888, abs=0.025)
    assert plus["at the last training loss"]["fpr"]["mean"] == pytest.approx(0.191, abs=0.04)
    assert plus["at 0.05"]["accuracy"]["mean"] == pytest.approx(0.822, abs=0.03)
    assert found[nsl_kdd.HARD]["auc"]["mean"] == pytest.approx(0.775, abs=0.04)
