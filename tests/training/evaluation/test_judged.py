"""Every figure follows from scores that are known."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, roc_auc_score

from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.scoring import MODEL
from tests.training import made, recorded
from training.evaluation import evidence
from training.evaluation.judged import judge, reference
from training.evaluation.subject import Subject

HEADER = ["file", "kind", "class", "group", "attack_bpf", "label_strength"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Eight benign captures, one of them large, and one with a scan and a guessing."""
    folder = tmp_path_factory.mktemp("captures")
    recorded.write(folder, "attack", recorded.day(1))
    rows = [["attack.pcap.gz", "attack", "portscan", "portscan", "src host 10.66.6.6", "strong"]]
    for number in range(8):
        recorded.write(folder, f"quiet{number}", recorded.day(2 + number, benign=240 if number == 0 else 20, attacks=0))
        rows.append([f"quiet{number}.pcap.gz", "benign", "benign", "benign-web", "", "strong"])
    with (folder / "labels.tsv").open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([HEADER, *rows])
    return evidence.of_captures(folder, folder / "labels.tsv")


def subject(score, threshold=0.5):
    fixed = np.asarray(score).astype(np.float32).astype(np.float64)
    return Subject("made", lambda _: (fixed, None), threshold=threshold)


def test_a_perfect_detector(found):
    judged = judge(subject(np.where(found.truth == 1, 0.9, 0.1)), found)
    areas = (judged.roc_auc, judged.macro_roc_auc, judged.pr_auc, judged.pr_auc_at_one_percent)
    assert areas == pytest.approx((1, 1, 1, 1))
    assert (judged.attack_flows, judged.benign_flows, judged.benign_captures) == (60, 380, 8)
    (scan,) = judged.classes
    assert (scan.name, scan.family, scan.captures, scan.flows, scan.called) == ("portscan", "scan", 1, 60, "anomaly")
    assert all(recall.flows == recall.captures == 1 for recall in scan.recall.values())
    own = judged.point(None)
    assert (own.false_by_flow, own.false_by_capture, own.macro_recall) == (0, 0, 1)
    assert own.bound == pytest.approx(3 / 380)
    assert (own.mcc, own.macro_f1) == (1, None)
    assert own.precision["0.01"] == pytest.approx(0.01 / (0.01 + 0.99 * 3 / 380))
    assert own.incidents is not None
    assert own.incidents.false == 0
    assert own.incidents.found["scan"][1] == 1
    assert json.dumps(judged.as_dict())


def test_captures_count_alike_and_flows_do_too(found):
    rng = np.random.default_rng(0)
    score = np.where(found.truth == 1, rng.uniform(0.3, 1, len(found)), rng.uniform(0, 0.6, len(found)))
    # Half of the flows of one small capture are loud.
    score[(found.capture == 3) & (np.arange(len(found)) % 2 == 0)] = 0.95
    judged = judge(subject(score), found, (0.1, 0.01))
    loud = (score.astype(np.float32) >= np.float32(0.5)) & found.benign
    own = judged.point(None)
    assert own.false_by_flow == pytest.approx(loud.sum() / 380)
    shares = [loud[found.benign & (found.capture == number)].mean() for number in range(1, 9)]
    assert own.false_by_capture == pytest.approx(np.mean(shares))
    assert own.interval is not None
    assert own.false_by_capture is not None
    assert own.interval[0] < own.false_by_capture < own.interval[1]
    by_flow, by_capture = (judged.point(0.1, captures_alike=alike) for alike in (False, True))
    assert by_flow.false_by_flow <= 0.1 + 1e-9
    assert by_capture.false_by_capture is not None
    assert by_capture.false_by_capture <= 0.1 + 1e-9
    assert by_capture.threshold != by_flow.threshold
    assert (by_flow.flows, by_flow.certified) == (380, True)
    # Seven captures of 20 flows and one of 240: (8)^2 / (7/20 + 1/240).
    assert by_capture.flows == int(64 / (7 / 20 + 1 / 240)) == 180
    assert not judged.point(0.01).certified


def test_areas_are_those_of_scikit_learn(found):
    rng = np.random.default_rng(5)
    score = np.where(found.truth == 1, rng.uniform(0.2, 1, len(found)), rng.uniform(0, 0.8, len(found)))
    score = score.astype(np.float32).astype(np.float64)
    judged = judge(subject(score), found, grouped=False)
    rows, weight = reference(found)
    truth = found.attack[rows]
    assert judged.roc_auc == pytest.approx(roc_auc_score(truth, score[rows], sample_weight=weight))
    assert judged.pr_auc == pytest.approx(average_precision_score(truth, score[rows]))
    # One attacker and one victim are one observation, however many flows they exchange.
    assert judged.roc_auc_interval is None
    assert judged.base_rate == pytest.approx(60 / 440)
    assert judged.pr_auc_at_one_percent < judged.pr_auc
    assert judged.points[0].incidents is None


def test_decisions_are_those_of_scikit_learn(found):
    rng = np.random.default_rng(6)
    score = np.where(found.truth == 1, rng.uniform(0.2, 1, len(found)), rng.uniform(0, 0.8, len(found)))
    probability = np.zeros((len(found), 3), np.float32)
    probability[np.arange(len(found)), rng.integers(0, 3, len(found))] = 1
    asked = replace(subject(score), score=lambda _: (score, probability), classes=("benign", "scan", "dos"))
    judged = judge(asked, found, grouped=False)
    rows, _ = reference(found)
    assert judged.points[0].false_by_flow > 0
    for point in judged.points:
        above = score[rows] >= point.threshold
        assert point.mcc == pytest.approx(matthews_corrcoef(found.attack[rows], above))
        said = np.where(above, np.where(probability[rows, 2] == 1, "dos", "scan"), "benign")
        f1 = f1_score(found.family[rows], said, labels=["benign", "scan"], average="macro")
        assert point.macro_f1 == pytest.approx(f1)


def test_false_alerts_beside_attacks_are_told_apart(found):
    score = np.where(found.beside | (found.truth == 1), 0.9, 0.1)
    judged = judge(subject(score), found)
    assert judged.point(None).false_by_flow == 0
    (web, beside) = judged.benign
    assert (web.name, web.flows, web.alerts) == ("benign-web", 380, 0)
    assert (beside.name, beside.flows, beside.by_flow) == (evidence.BESIDE, 120, 1)
    incidents = judged.point(None).incidents
    assert incidents is not None
    assert incidents.false == 0
    assert incidents.beside > 0


def test_a_saturated_score_cannot_be_cut_in_two(found):
    """A score that benign and attack flows share is above a threshold for all of them or for none."""
    judged = judge(subject(np.where((found.truth == 1) | (np.arange(len(found)) % 50 == 0), 1.0, 0.1)), found)
    for rate in (1e-2, 1e-3):
        assert judged.point(rate, captures_alike=False).false_by_flow == 0
        assert judged.classes[0].recall[f"{rate:g}, flows alike"].flows == 0


def test_a_bundle_and_a_function(found):
    detector = Detector.load(MODEL, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    judged = judge(detector, found, grouped=False)
    assert judged.threshold == detector.meta.threshold
    features = found.matrix(detector.feature_set, detector.meta.variant)
    above = detector.score(features).score >= np.float32(detector.meta.threshold)
    assert judged.point(None).false_by_flow == pytest.approx(above[found.benign].mean())
    packets = (
        made.feature_set().names.index("Total Fwd Packet") if "Total Fwd Packet" in made.feature_set().names else 0
    )
    function = Subject.of_function(
        "first", lambda rows: rows[:, packets].astype(np.float64) / 1e9, made.feature_set(), "cns22"
    )
    assert judge(function, found, grouped=False).model == "first"


def test_rows_of_a_table_have_no_incidents():
    table = made.table(30)
    rows = evidence.of_tables("rows", {("cic2022", "cns22"): table})
    judged = judge(subject(np.where(table.benign, 0.1, 0.9)), rows)
    assert judged.points[0].incidents is None
    assert {one.name for one in judged.families} >= {"dos", "scan"}
    assert {one.name for one in judged.classes if one.family == "dos"} == {"dos hulk", "dos goldeneye"}
    assert not judged.alike
    assert judged.points[0].interval == (0, 0)


def test_one_sided_data_is_refused(found):
    with pytest.raises(NettrusionError, match="no benign flow"):
        judge(subject(np.zeros(len(found))), replace(found, truth=np.ones_like(found.truth)))
    with pytest.raises(NettrusionError, match="no attack flow"):
        judge(subject(np.zeros(len(found))), replace(found, truth=np.zeros_like(found.truth)))


def test_records_of_zeek_have_incidents_and_seconds_but_no_packets(shared_data):
    from training.datasets import zeek_labelled

    records = evidence.of_records("zeek", zeek_labelled.read([shared_data / "zeek"]))
    features = FeatureSet.load("iscx2012")
    reset = features.names.index("bwd_rst")
    refused = Subject.of_function("refused", lambda rows: rows[:, reset].astype(np.float64) * 0.9, features, "iscx2012")
    judged = judge(refused, records)
    assert judged.families[0].name == "exfiltration"
    assert judged.families[0].recall["own"].flows > 0.9
    incidents = judged.points[0].incidents
    assert incidents is not None
    delay = incidents.delay["exfiltration"]
    assert delay.packets is None
    assert delay.seconds >= 0
    assert incidents.days > 0
