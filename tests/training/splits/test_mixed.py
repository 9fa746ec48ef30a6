"""Mixed sources: days stay whole, releases are cut inside themselves, nothing is on two sides."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training.runs import two_kinds
from training.splits import violations
from training.splits.days import another_day
from training.splits.grouped import later_the_same_day
from training.splits.mixed import mixed


@pytest.fixture(scope="module")
def table():
    return two_kinds()[1].table


def test_days_are_whole_and_the_release_is_in_every_part(table):
    split = mixed(table, another_day(table, ["mon"], ["tue"], ["thu"]), ["cicids2017"], later_the_same_day)
    assert violations(split, table) == []
    for part, day in ((split.train, "mon"), (split.calibration, "tue"), (split.test, "thu")):
        assert set(table.origin[part].tolist()) == {day, "cicids2017"}
        assert (table.origin[part] == day).sum() == (table.origin == day).sum()
    everything = np.concatenate([split.train, split.calibration, split.test, split.purged])
    assert sorted(everything.tolist()) == list(range(len(table)))


def test_each_source_in_its_own_shares(table):
    days = another_day(table, ["mon"], ["tue"], ["thu"])
    split = mixed(table, days, ["cicids2017"], lambda rows: later_the_same_day(rows, 0.25, 0.25))
    benign = table.benign & (table.origin == "cicids2017")
    sizes = [int(benign[part].sum()) for part in (split.train, split.calibration, split.test)]
    assert sum(sizes) == 160
    assert 70 <= sizes[0] <= 90 and 30 <= sizes[1] <= 50


def test_a_host_pair_of_the_release_on_two_sides_is_noticed_one_of_a_day_is_not(table):
    split = mixed(table, another_day(table, ["mon"], ["tue"], ["thu"]), ["cicids2017"], later_the_same_day)
    for source, noticed in (("cicids2017", True), ("mon", False)):
        keys = table.pair_key.copy()
        one = next(row for row in split.train if table.benign[row] and table.origin[row] == source)
        wanted = "cicids2017" if noticed else "tue"
        other = next(row for row in split.calibration if table.benign[row] and table.origin[row] == wanted)
        table.pair_key[other] = table.pair_key[one]
        assert any("host pairs" in said for said in violations(split, table)) == noticed
        table.pair_key[:] = keys


@pytest.mark.parametrize(
    ("timed", "said"),
    [([], "names no source"), (["nsl"], "no source nsl; there are"), (["mon"], "list of days as well")],
)
def test_what_does_not_fit_is_refused(table, timed, said):
    with pytest.raises(NettrusionError, match=said):
        mixed(table, another_day(table, ["mon"], ["tue"], ["thu"]), timed, later_the_same_day)
