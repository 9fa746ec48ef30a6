"""The command: files in, a table and its figures out; what is wrong is said."""

import argparse
import json
from datetime import datetime, timedelta

import pytest

from sensor.errors import NettrusionError
from tests.training.datasets import iscx_made
from tests.training.seeds.sequences.made import Pupil
from training.seeds import services
from training.seeds.sequences import network


def parse(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    services.configure(parser)
    return parser.parse_args([str(word) for word in words])


def test_files_of_several_days_become_a_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(network, "School", Pupil)
    begin = datetime(2010, 6, 14)
    for day in range(3):
        made = iscx_made.rows(150, seed=day, begin=begin + timedelta(days=day), attacks=0.2)
        iscx_made.write_xml(tmp_path / f"part-{day}.xml", made, tag="item")
    out = tmp_path / "out"
    assert services.run(parse(tmp_path, "--out", out, "--seeds", 1, "--epochs", 1, "--rows", 64, "--train", 0.4)) == 0
    assert "| Bi-LSTM | shape |" in capsys.readouterr().out
    figures = json.loads((out / "services.json").read_text())
    assert {one["model"] for one in figures} >= {"Bi-LSTM", "pair alone", "table of pairs"}
    assert (out / "services.md").read_text().startswith("# Language model over services")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", 0], "at least 1"),
        (["--train", 0.8, "--calibrate", 0.2], "below 1 together"),
        (["--hold", 1], "--hold 1"),
        ([], "neither flow files"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, words, said):
    with pytest.raises(NettrusionError, match=said):
        services.run(parse(tmp_path, "--out", tmp_path / "out", *words))
