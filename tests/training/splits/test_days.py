"""By the day: whole recordings on one side each, and lists that fit the data."""

from dataclasses import replace

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made, recorded
from training.datasets import captures
from training.splits import violations
from training.splits.days import another_day


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("days")
    for number, name in enumerate(("mon", "tue", "wed", "thu")):
        recorded.write(folder, name, recorded.day(number))
    return captures.load([folder], made.feature_set(), "cns22").table


def test_whole_days_go_to_their_parts(table):
    split = another_day(table, ["mon"], ["tue"], ["wed"])
    for part, day in ((split.train, "mon"), (split.calibration, "tue"), (split.test, "wed"), (split.purged, "thu")):
        assert set(table.origin[part].tolist()) == {day}
        assert len(part) == 180
    assert violations(split, table) == []


def test_train_is_thinned_by_label_and_keeps_benign_rows(table):
    split = another_day(table, ["mon", "tue"], ["wed"], ["thu"], train_rows_per_label=10)
    train = table.rows(split.train)
    assert train.benign.sum() == 240
    assert np.unique(train.label[~train.benign], return_counts=True)[1].tolist() == [10, 10]


def test_what_is_not_learnt_is_only_tested(table):
    labels = tuple("infiltration" if name == "scan" else name for name in table.labels)
    strange = replace(table, labels=labels)
    split = another_day(strange, ["mon"], ["tue"], ["wed"])
    assert "infiltration" in strange.family[split.test]
    for rows in (split.train, split.calibration):
        assert set(strange.family[rows].tolist()) == {"benign", "bruteforce"}


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ((["mon"], ["tue"], ["sun"]), "test_days: the data has no day sun; there are mon, thu, tue, wed"),
        ((["mon"], ["mon"], ["tue"]), "calibration_days: mon is in split.train_days as well"),
        ((["mon"], [], ["tue"]), "calibration_days: no day named"),
    ],
)
def test_lists_that_do_not_fit_are_refused(table, lists, said):
    with pytest.raises(NettrusionError, match=said):
        another_day(table, *lists)
