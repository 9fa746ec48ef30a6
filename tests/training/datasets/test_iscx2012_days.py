"""A day's scenario names its attacks, and the day is the file's before it is the record's."""

import pytest

from training.datasets.iscx2012_days import LABELS, UNSCHEDULED, day_of, label_of, named_day
from training.datasets.labels import RULES


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("TestbedMonJun14Flows", 14),
        ("TestbedTueJun15-2Flows", 15),
        ("TestbedSatJun12", 12),
        ("testbed-17jun.pcap", 17),
        ("item", None),
        ("june2010", None),
    ],
)
def test_a_name_tells_its_day(name, day):
    assert named_day(name) == day


def test_a_flow_from_before_midnight_belongs_to_its_file():
    assert day_of("TestbedMonJun14Flows", "2010-06-13T23:57:19") == 14
    assert day_of("item", "2010-06-13T23:57:19") == 13
    assert day_of("item", "") == 0


def test_tag_and_day_make_a_label_with_a_rule():
    assert label_of("Normal", 14) == "benign"
    families = {day: RULES[label_of("Attack", day) or ""].family for day in range(11, 18)}
    expected = {13: "infiltration", 14: "slowdos", 15: "ddos", 17: "bruteforce"}
    assert families == {day: expected.get(day, "unscheduled") for day in range(11, 18)}
    assert label_of("Attack", 12) == UNSCHEDULED
    assert label_of("NeedManualLabel", 14) is None
    assert set(LABELS) <= set(RULES)
