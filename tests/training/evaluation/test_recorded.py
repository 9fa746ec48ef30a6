"""Recordings are judged by label and by activity; intervals redraw a host's hour as a whole."""

from dataclasses import replace

import numpy as np

from tests.training import made, recorded
from training.datasets import recordings
from training.evaluation import recorded as subject


def gather(tmp_path):
    for number, name in enumerate(("mon", "tue")):
        recorded.write(tmp_path, name, recorded.day(number))
    return subject.gather(recordings.read([tmp_path]), made.feature_set(), "cns22")


def test_groups_are_labels_or_activities(tmp_path):
    plain, fine = gather(tmp_path)
    assert set(plain.group.tolist()) == {"benign", "scan", "bruteforce"}
    assert set(fine.group.tolist()) == {
        "benign: web-page",
        "benign: names",
        "scan: scan-syn",
        "bruteforce: guess-ssh",
    }
    assert plain.attack.sum() == fine.attack.sum() == 120
    assert {capture.file for capture in plain.captures} == {"mon", "tue"}
    assert plain.features.shape == (360, 82)


def test_an_hour_of_a_host_is_redrawn_as_a_whole(tmp_path):
    morning = recorded.day(1)
    evening = [replace(talk, start_us=talk.start_us + 5 * 3_600_000_000) for talk in recorded.day(1)]
    recorded.write(tmp_path, "mon", [*morning, *evening])
    plain, _ = subject.gather(recordings.read([tmp_path]), made.feature_set(), "cns22")
    benign = plain.together[~plain.attack]
    hours = {(t.start_us // 3_600_000_000, t.host) for t in (*morning, *evening) if t.label == "benign"}
    assert len(np.unique(benign)) == len(hours) == 12
    assert not set(benign.tolist()) & set(plain.together[plain.attack].tolist())
