"""What an analyst said of our own events labels their flows; what nobody spoke of stays without a label."""

import gzip
import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from sensor.config import Config
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.pipeline import Pipeline
from sensor.sources import open_capture
from tests.sensor.known import KeptSink
from training.datasets import eve_verdicts
from training.datasets.labels import MALICIOUS, rule_for
from training.datasets.recordings import assemble


@pytest.fixture(scope="module")
def capture(repo):
    """Return the capture that comes with the sensor."""
    return repo / "sensor" / "data" / "demo.pcap.gz"


@pytest.fixture(scope="module")
def eve(capture):
    """Return the events of our own sensor about it, as objects."""
    sink = KeptSink()
    config = Config()
    pipeline = Pipeline.assemble(replace(config, output=replace(config.output, flow_events=True)), sink)
    with closing(open_capture(capture)) as source:
        pipeline.run(source)
    pipeline.finish()
    return [json.loads(line) for line in sink.lines]


def write(folder, events, verdicts=()):
    (folder / "eve.json").write_text("".join(json.dumps(event) + "\n" for event in events))
    if verdicts:
        lines = ["flow_id\tverdict\tnote", *(f"{flow}\t{said}\t" for flow, said in verdicts)]
        (folder / "verdicts.tsv").write_text("\n".join(lines) + "\n")
    return folder


def of_kind(eve, kind):
    return [event for event in eve if event["event_type"] == kind]


def test_a_table_beside_the_file_labels_flows(eve, tmp_path):
    flows, alerts = of_kind(eve, "flow"), of_kind(eve, "alert")
    told = alerts[0]
    quiet = next(event for event in flows if event["flow_id"] != told["flow_id"])
    said = [(told["flow_id"], "true_positive"), (quiet["flow_id"], "False_Positive ")]
    found = eve_verdicts.read([write(tmp_path, eve, said)])
    assert len(found.flows) == len(flows)
    by_flow = dict(zip(found.flows["flow_id"].tolist(), found.label.tolist(), strict=True))
    both = np.isin(found.flows["flow_id"], [flow for flow, _ in said])
    given = told["metadata"]["flowbits"][0].removeprefix("ml.")
    rule = rule_for(by_flow[told["flow_id"]])  # of a label; a class such as "bot" has one of another name
    assert rule is not None and rule.family == given
    assert by_flow[quiet["flow_id"]] == "benign"
    assert ((found.label != "") == both).all()


def test_features_and_scores_are_those_of_the_sensor(eve, tmp_path, capture):
    flows = of_kind(eve, "flow")
    found = eve_verdicts.read([write(tmp_path, eve, [(flows[0]["flow_id"], "benign")])])
    features, own = FeatureSet.load("iscx2012"), assemble(capture)
    expected = {(row["flow_id"], row["start_ns"]): row for row in own}
    same = np.array([expected[row["flow_id"], row["start_ns"]] for row in found.flows])
    assert len(same) == len(own) > 1000
    np.testing.assert_array_equal(features.extract(found.flows), features.extract(same))
    given = sorted(event["metadata"]["flowints"]["ml_score"] / 1000 for event in flows)
    assert np.sort(found.score).tolist() == given


def test_a_verdict_in_the_event_itself(eve, tmp_path):
    events = [json.loads(json.dumps(event)) for event in of_kind(eve, "flow")]
    events[3]["metadata"]["nettrusion_verdict"] = "web"
    events[4]["metadata"]["nettrusion_verdict"] = ["benign"]
    found = eve_verdicts.read([write(tmp_path, events)])
    assert set(found.label.tolist()) == {"", "benign", "web"}


def test_contradictions_strangers_and_broken_lines_are_counted(eve, tmp_path):
    flows = of_kind(eve, "flow")
    events = [json.loads(json.dumps(event)) for event in flows]
    events[0]["metadata"]["nettrusion_verdict"] = "scan"
    del events[5]["flow"]
    write(tmp_path, events, [(flows[0]["flow_id"], "benign"), (1, "benign"), (flows[1]["flow_id"], "benign")])
    with (tmp_path / "eve.json").open("a") as stream:
        stream.write('{"event_type": "flow", "flow"\n')
    found = eve_verdicts.read([tmp_path])
    assert found.dropped == {eve_verdicts.CUT: 2, eve_verdicts.TWO_VERDICTS: 1, eve_verdicts.NOWHERE: 1}
    assert (found.label != "").sum() == 1


def test_a_flow_that_only_an_alert_tells_of(eve, tmp_path):
    alerts = of_kind(eve, "alert")
    found = eve_verdicts.read([write(tmp_path, alerts, [(alerts[0]["flow_id"], "true_positive")])])
    assert len(found.flows) == len({event["flow_id"] for event in alerts})
    assert list(found.mended) == [eve_verdicts.FROM_ALERT]
    assert (found.label != "").sum() == 1


def test_what_verdicts_mean():
    def label(verdict, given=""):
        return eve_verdicts.label_of(verdict, given, "eve.json: flow 1")

    assert label("true_positive", "scan") == "scan"
    assert label("true_positive", "anomaly") == label("TRUE_POSITIVE") == MALICIOUS
    assert label("false_positive", "scan") == label("benign") == "benign"
    assert label("Bruteforce") == "bruteforce"
    with pytest.raises(NettrusionError, match=r"eve\.json: flow 1: 'maybe' is no verdict; say true_positive"):
        label("maybe")


def test_events_are_known_by_their_first_line(eve, tmp_path):
    write(tmp_path, eve)
    assert eve_verdicts.find(tmp_path) == []
    (tmp_path / "verdicts.tsv").write_text("flow_id\tverdict\n1\tbenign\n")
    packed = tmp_path / "eve.json.1.gz"
    packed.write_bytes(gzip.compress((tmp_path / "eve.json").read_bytes()))
    (tmp_path / "zeek.json").write_text('{"ts": 1}\n')
    assert eve_verdicts.find(tmp_path) == [tmp_path / "eve.json", packed]
    assert len(eve_verdicts.read([packed]).flows) == len(of_kind(eve, "flow"))


@pytest.mark.parametrize(
    ("table", "said"),
    [("flow_id\tword\n", "no column verdict"), ("flow_id\tverdict\nx\tbenign\n", "row 2: flow_id 'x'")],
)
def test_a_damaged_table_is_named(eve, tmp_path, table, said):
    write(tmp_path, eve)
    (tmp_path / "verdicts.tsv").write_text(table)
    with pytest.raises(NettrusionError, match=said):
        eve_verdicts.read([tmp_path])


def test_a_table_that_lies_elsewhere(eve, tmp_path):
    folder = tmp_path / "said"
    folder.mkdir()
    write(folder, [], [(of_kind(eve, "flow")[0]["flow_id"], "scan")])
    write(tmp_path, eve)
    found = eve_verdicts.read([tmp_path / "eve.json"], folder / "verdicts.tsv")
    assert found.label[found.label != ""].tolist() == ["scan"]
    with pytest.raises(NettrusionError, match="no such file"):
        eve_verdicts.read([tmp_path / "eve.json"], folder / "gone.tsv")


def test_nothing_said_is_refused(eve, tmp_path):
    with pytest.raises(NettrusionError, match="with verdicts; put verdicts"):
        eve_verdicts.read([write(tmp_path, eve)])
    write(tmp_path, eve, [(1, "benign")])
    with pytest.raises(NettrusionError, match="no record has a label"):
        eve_verdicts.load([tmp_path], FeatureSet.load("iscx2012"), "iscx2012")


def test_flows_of_suricata_serve_too(shared_data, tmp_path):
    lines = next((shared_data / "suricata").glob("*.json")).read_text().splitlines()
    events = [json.loads(line) for line in lines if '"event_type":"flow"' in line.replace(" ", "")]
    found = eve_verdicts.read([write(tmp_path, events, [(events[0]["flow_id"], "benign")])])
    assert np.isnan(found.score).all()
    assert (found.label == "benign").any()
