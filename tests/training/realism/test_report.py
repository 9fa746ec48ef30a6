"""The comparison's tables name every origin and put the reference beside the figure."""

from dataclasses import replace

import numpy as np

from tests.training.realism.made import NAMES, sample
from training.realism import report, telltale
from training.report.blocks import markdown


def real():
    parts = [sample(120, 15, seed=5, group="benign-web"), sample(120, 15, seed=6, group="benign-iot", port=53)]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("flows", "features", "group")}
    cluster = np.concatenate([parts[0].cluster, parts[1].cluster + 100])
    return replace(parts[0], **joined, cluster=cluster, weight=np.ones(240))


def test_shares_quantiles_and_distances_stand_side_by_side():
    given = real()
    kinds = {name: given.rows(given.group == name) for name in ("benign-web", "benign-iot")}
    samples = {"testbed": sample(200, seed=1), "all": given, **kinds}
    text = markdown([*report.mixtures(samples), *report.distributions(samples)], "")
    assert "| service | testbed | all | benign-web | benign-iot |" in text
    assert "| web | 100.0 % | 50.0 % | 100.0 % | 0.0 % |" in text
    assert "| names | 0.0 % | 50.0 % | 0.0 % | 100.0 % |" in text
    assert "testbed 200 in 20" in text
    assert "| packets sent: testbed | 2 | 2 |" in text
    assert "| packets sent | 0.00 | 0.00 | 0.00 | 0.00 to 0.00 |" in text


def test_made_real_and_reference_are_told_apart(monkeypatch):
    monkeypatch.setattr(report, "SEEDS", 1)
    monkeypatch.setattr(report, "FEWER_SEEDS", 1)
    monkeypatch.setattr(telltale, "SIDE_FLOWS", 100)
    text = markdown(report.tellings(sample(200, shift=2.0), real(), NAMES, ("f1",)), "")
    for row in ("made and real", "real halves", "made and benign-web", "benign-iot and other real", "web: made and"):
        assert f"\n| {row}" in text
    assert "| between | ROC-AUC, 6 features | 5 features |" in text
    assert "| f0 | " in text
