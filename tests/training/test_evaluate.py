"""The command judges bundles on what it is given, side by side, and refuses what makes no figure."""

import argparse
import json

import pytest

from sensor.cli import main
from sensor.config import Config
from sensor.errors import NettrusionError
from sensor.scoring import MODEL, load_detector
from tests.training import recorded
from tests.training.evaluation.test_transfer import HEADER, SLOWLORIS, write
from training import evaluate
from training.datasets import recordings

QUIET = "benign/benign/andypitcher__Aria_Setup-A-1-STA.pcap"


def run(*words):
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    return evaluate.run(parser.parse_args([str(word) for word in words]))


def test_the_bundled_model_on_the_bundled_recording(repo, tmp_path, capsys):
    report = tmp_path / "figures.json"
    assert run(MODEL, repo / "sensor" / "data", "--json", report, "--out", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "| scan: port-scan " in shown
    (figures,) = json.loads(report.read_text())
    scan = next(row for row in figures["families"] if row["name"] == "scan")
    assert scan["recall"]["own"]["flows"] > 0.9
    assert figures["benign_flows"] > 500
    assert 0 < figures["points"][0]["mcc"] <= 1
    assert 0 < figures["points"][0]["macro_f1"] <= 1
    assert "macro-F1" in shown and "MCC" in shown
    assert figures["points"][0]["incidents"]["found"]["scan"][1] == 1
    assert figures["points"][0]["incidents"]["delay"]["scan"]["packets"] > 0
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == [figures]
    assert "(./roc-0.png)" in (tmp_path / "out" / "evaluation.md").read_text()
    assert (tmp_path / "out" / "roc-0.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [("--captures",), ("--data",), ()])
def test_captures_whose_labels_lie_elsewhere(dev_captures, tmp_path, capsys, words):
    rows = [
        [SLOWLORIS, "attack", "slowloris", "slowloris", "ANY", "strong"],
        [QUIET, "benign", "benign", "benign-iot", "", "strong"],
    ]
    labels = write(tmp_path / "labels.tsv", HEADER, rows)
    assert run(MODEL, *words, dev_captures, "--labels", labels, "--rates", 0.1) == 0
    shown = capsys.readouterr().out
    assert "## Labelled captures" in shown
    assert "| slowloris (slowdos) " in shown
    assert "found: FPR 0.1 *" in shown


def test_two_bundles_of_one_name_stand_side_by_side(tmp_path, capsys):
    recorded.write(tmp_path, "day", recorded.day(1))
    other = tmp_path / "other.onnx"
    other.write_bytes(MODEL.read_bytes())
    assert run(MODEL, other, "--data", tmp_path, "--rates", 0.1) == 0
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if line.startswith("| scan")]
    assert any("(model.onnx)" in row for row in rows)
    assert any("(other.onnx)" in row for row in rows)


def test_what_was_recorded_is_judged_by_an_analysts_verdicts(repo, tmp_path, capsys):
    """Every flow of the bundled capture has a verdict: what the recording knows of it."""
    eve, folder = tmp_path / "eve.json", repo / "sensor" / "data"
    assert main(["score", str(folder / "demo.pcap.gz"), "--flows", "--output", str(eve)]) in (0, None)
    (day,) = recordings.read([folder])
    rows = sorted(set(zip(day.flows["flow_id"].tolist(), day.column("label").tolist(), strict=True)))
    write(tmp_path / "verdicts.tsv", ["flow_id", "verdict"], rows)
    capsys.readouterr()
    report = tmp_path / "figures.json"
    assert run(MODEL, "--data", eve, "--json", report) == 0
    assert f"has no {load_detector(Config()).feature_set.name} for" in capsys.readouterr().err
    (found,) = json.loads(report.read_text())
    assert found["model"] == "as recorded"
    assert run(MODEL, "--data", folder, "--json", report) == 0
    (own,) = json.loads(report.read_text())
    for said, known in zip(found["families"], own["families"], strict=True):
        assert said["recall"]["own"]["flows"] == pytest.approx(known["recall"]["own"]["flows"], abs=0.01)
    # Scores are recorded in thousandths: what lies below them cannot be told apart any more.
    assert found["roc_auc"] <= own["roc_auc"] + 0.001
    assert found["points"][0]["false_by_flow"] == pytest.approx(own["points"][0]["false_by_flow"], abs=0.002)
    false = [one["points"][0]["incidents"]["false"] for one in (found, own)]
    assert false[0] == pytest.approx(false[1], abs=1)
    assert run(MODEL, "--data", eve, "--verdicts", tmp_path / "verdicts.tsv") == 0


def test_zeek_logs_feed_no_model_of_packets(shared_data):
    with pytest.raises(NettrusionError, match="iscx2012"):
        run(MODEL, shared_data / "zeek")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no data"),
        (("--captures", "x"), "captures need their labels"),
        (("x", "--flow-labels", "y"), "name their --labels"),
        (("x", "--rates", 2), "between 0 and 1"),
        (("gone",), "gone: no such file or folder"),
    ],
)
def test_what_is_missing_is_said(words, said):
    with pytest.raises(NettrusionError, match=said):
        run(MODEL, *words)


def test_captures_that_lie_nowhere_are_named(tmp_path):
    labels = write(tmp_path / "labels.tsv", HEADER, [["gone.pcap", "benign", "benign", "g", "", "strong"]])
    with pytest.raises(NettrusionError, match=r"gone\.pcap lies below none of"):
        run(MODEL, "--data", tmp_path, "--labels", labels)


def test_attacks_alone_make_no_figure(tmp_path):
    recorded.write(tmp_path, "day", [talk for talk in recorded.day(1) if talk.label != "benign"])
    with pytest.raises(NettrusionError, match="no benign flow"):
        run(MODEL, tmp_path)
