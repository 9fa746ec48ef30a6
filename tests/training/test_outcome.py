"""A run leaves a bundle, its card, pictures and every figure."""

import json
from dataclasses import replace

from tests.training import recorded
from tests.training.runs import prepared_run, quick
from training import outcome
from training.bundle import ship
from training.cache import Cache
from training.config import TransferConfig
from training.experiment import compete
from training.report import card


def silent(text: str) -> None:
    """Say nothing."""


def test_the_folder_has_everything_and_repeats(tmp_path):
    config, prepared, results, _ = prepared_run("dense")
    trial, short = results.same_day["dense"][0], card.short(results.choice, [])
    done = outcome.finish(config, prepared, results, [], "nettrusion train x", silent)
    done.write(tmp_path)
    assert {"model.onnx", "metrics.json", "manifest.json", "model-card.md", "model-card.html"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert {path.name for path in (tmp_path / "model-card").iterdir()} >= {
        "curves.png",
        "confusion.png",
        "roc.png",
    }
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["headline"]["model"] == "dense"
    assert metrics["elsewhere"] is None
    again = outcome.finish(config, prepared, results, [], "nettrusion train x", silent)
    clocked = {"costs.json", "model-card.md", "model-card.html"}
    assert {name for name in done.files if again.files[name] != done.files[name]} <= clocked
    assert done.files["model.onnx"] == ship(trial, prepared, config, short).data


def test_captures_of_other_origin_are_judged_before_and_after_grouping(tmp_path):
    config, prepared, _, _ = prepared_run("logistic regression")
    talks = recorded.day(1, benign=12, attacks=6)
    recorded.write(tmp_path, "quiet", [talk for talk in talks if talk.label == "benign"])
    recorded.write(tmp_path, "loud", [talk for talk in talks if talk.label == "scan"])
    labels = tmp_path / "labels.tsv"
    head = "file\tkind\tclass\tgroup\tattack_bpf\tlabel_strength\n"
    rows = "quiet.pcap.gz\tbenign\tbenign\tbenign-web\t\tstrong\nloud.pcap.gz\tattack\tportscan\tx\tANY\tstrong\n"
    labels.write_text(head + rows)
    truth = tmp_path / "flows.tsv"
    truth.write_text("file\tproto\tsrc\tsport\tdst\tdport\tfirst_ts\tlast_ts\tattack_packets\n")
    named = TransferConfig(str(tmp_path), str(labels), str(truth))
    settings = replace(config, transfer=named)
    flows = Cache(tmp_path / "cache", silent).elsewhere(named, prepared.feature_set, "cns22")
    asked = replace(prepared, elsewhere=flows, course=replace(prepared.course, elsewhere=flows.features))
    told = compete(asked, [quick("constant"), quick("logistic regression")], settings, silent)
    done = outcome.finish(settings, asked, told, [], "nettrusion train x", silent)
    figures = json.loads(done.files["metrics.json"])
    assert figures["elsewhere, grouped"]["attack_flows"] == 6
    assert figures["elsewhere, every candidate"].keys() == {"logistic regression"}
    assert figures["transfer matrix"]["asked"]["captures of other origin"] == {"benign": 12, "portscan": 6}
    card = done.files["model-card.md"].decode()
    assert "before and after grouping" in card
    assert str(tmp_path) not in card + json.dumps(figures)
