"""A run leaves a bundle, its card, pictures and every figure."""

import json

from tests.training.runs import prepared_run
from training import outcome
from training.bundle import ship
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
