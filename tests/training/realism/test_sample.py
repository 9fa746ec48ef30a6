"""Samples hold benign flows alone, know services, and let no file outweigh the others."""

import numpy as np
import pytest

from tests.training import made, recorded
from tests.training.evaluation.test_transfer import HEADER, SLOWLORIS, write
from training.datasets import recordings
from training.realism import sample
from training.realism.sample import of_captures, of_recordings


def test_recordings_give_their_benign_flows_by_activity_and_hour(tmp_path):
    recorded.write(tmp_path, "mon", recorded.day(1))
    found = of_recordings(recordings.read([tmp_path]), made.feature_set(), "cns22")
    assert len(found) == 120
    assert set(found.group.tolist()) == {"web-page", "names"}
    assert len(np.unique(found.cluster)) in range(6, 13)
    assert set(found.service.tolist()) == {"web", "names"}
    assert set(found.protocol.tolist()) == {"tcp", "udp"}
    assert found.rows(found.service == "names").flows["dst_port"].tolist() == [53] * 40


def test_captures_give_benign_files_of_the_chosen_kinds_and_the_large_count_less(dev_captures, tmp_path, monkeypatch):
    iot = [f"benign/benign/{path.name}" for path in sorted((dev_captures / "benign" / "benign").iterdir())[:3]]
    rows = [[name, "benign", "benign", "benign-iot", "", "strong"] for name in iot]
    rows[2][3] = "benign-web"
    rows.append([SLOWLORIS, "attack", "slowloris", "slowloris", "ANY", "strong"])
    labels = write(tmp_path / "labels.tsv", HEADER, rows)
    monkeypatch.setattr(sample, "FILE_FLOWS", 0.5)
    found = of_captures(dev_captures, labels, made.feature_set(), "cns22")
    assert set(found.group.tolist()) == {"benign-iot", "benign-web"}
    for number in np.unique(found.cluster):
        own = found.cluster == number
        assert found.weight[own].sum() == pytest.approx(0.5)
    web = of_captures(dev_captures, labels, made.feature_set(), "cns22", ("benign-web",))
    assert set(web.group.tolist()) == {"benign-web"}
