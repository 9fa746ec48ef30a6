"""Flows of recordings belong together by what a host does within an hour."""

from dataclasses import replace

import numpy as np

from tests.training import recorded
from training.datasets import recordings
from training.evaluation import recorded as subject


def test_an_hour_of_a_host_is_one_group(tmp_path):
    morning = recorded.day(1)
    evening = [replace(talk, start_us=talk.start_us + 5 * 3_600_000_000) for talk in recorded.day(1)]
    recorded.write(tmp_path, "mon", [*morning, *evening])
    (found,) = recordings.read([tmp_path])
    groups = subject.hours([found])
    benign = found.column("label") == "benign"
    hours = {(t.start_us // 3_600_000_000, t.host) for t in (*morning, *evening) if t.label == "benign"}
    assert len(np.unique(groups[benign])) == len(hours) == 12
    assert not set(groups[benign].tolist()) & set(groups[~benign].tolist())


def test_where_no_host_is_named_a_program_is_one_group():
    start_ns = np.array([0, subject.HOUR_NS, 2 * subject.HOUR_NS])
    assert subject.groups("mon", start_ns, ["", "desk", ""], [4, 4, 4]) == ["mon 4", "mon 1 desk", "mon 4"]


def test_equal_names_have_equal_numbers():
    assert subject.numbered(["b", "a", "b"]).tolist() == [1, 0, 1]
    assert subject.numbered([]).dtype == np.uint64
