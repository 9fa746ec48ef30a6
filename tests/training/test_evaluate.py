"""The command judges a bundle on what it is given, and refuses what makes no figure."""

import argparse
import json

import pytest

from sensor.errors import NettrusionError
from sensor.scoring import MODEL
from tests.training import recorded
from tests.training.evaluation.test_transfer import FLOWS, HEADER, SLOWLORIS, write
from training import evaluate
from training.testbed.acts import LABELS


def run(*words):
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    return evaluate.run(parser.parse_args([str(word) for word in words]))


def test_the_bundled_model_on_the_bundled_recording(repo, tmp_path, capsys):
    report = tmp_path / "figures.json"
    assert run(MODEL, repo / "sensor" / "data", "--json", report) == 0
    shown = capsys.readouterr().out
    assert "| scan | 1 | 91 |" in shown
    assert "| scan: port-scan | 1 | 50 |" in shown
    figures = json.loads(report.read_text())
    scan = next(row for row in figures["recordings"]["attacks"] if row["group"] == "scan")
    assert scan["alerted"] > 0.9
    assert figures["recordings"]["benign_flows"] > 500
    assert set(figures["recordings"]["at_rate"]) == set(LABELS) - {"benign"}
    assert "captures" not in figures


def test_captures_of_other_origin_have_a_section_of_their_own(dev_captures, tmp_path, capsys):
    quiet = "benign/benign/andypitcher__Aria_Setup-A-1-STA.pcap"
    rows = [
        [SLOWLORIS, "attack", "slowloris", "slowloris", "ANY", "strong"],
        [quiet, "benign", "benign", "benign-iot", "", "strong"],
    ]
    labels = write(tmp_path / "labels.tsv", HEADER, rows)
    flows = write(tmp_path / "flows.tsv", FLOWS, [])
    words = ["--captures", dev_captures, "--labels", labels, "--flow-labels", flows, "--rates", 0.1]
    assert run(MODEL, *words) == 0
    shown = capsys.readouterr().out
    assert "Captures of other origin" in shown
    assert "| slowloris | 1 |" in shown
    assert "found at FPR 0.1 *" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no data"),
        (("--captures", "x"), "captures need their labels"),
        (("x", "--rates", 2), "between 0 and 1"),
    ],
)
def test_what_is_missing_is_said(words, said):
    with pytest.raises(NettrusionError, match=said):
        run(MODEL, *words)


def test_attacks_alone_make_no_figure(tmp_path):
    recorded.write(tmp_path, "day", [talk for talk in recorded.day(1) if talk.label != "benign"])
    with pytest.raises(NettrusionError, match="no benign flow"):
        run(MODEL, tmp_path)
