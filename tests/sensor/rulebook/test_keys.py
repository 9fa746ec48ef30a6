"""Which flows share a window of a rule, for every way of tracking."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.rulebook import GROUPING, Throttle
from sensor.rulebook.keys import Keys, moved, place_of, rule_key
from sensor.rulebook.throttle import WRITTEN_TRACKS, Track
from tests.sensor.rulebook.table import CLASSES, F, scored

TRACKS = cast(tuple[Track, ...], (*WRITTEN_TRACKS, "incident"))
KEYS = Keys([Throttle("limit", track, 1, 10) for track in TRACKS] + [GROUPING])
HOSTS = ("10.0.0.0", "10.0.0.1", "a00::", "a00:1::", "0.0.0.0", "::", "")


def keys(track: Track, flows: Sequence[F]) -> list[bytes]:
    rows = np.arange(len(flows))
    return KEYS.of(scored(flows), rows, np.full(len(flows), TRACKS.index(track)))


@pytest.mark.parametrize(
    ("track", "shared"),
    [
        ("by_src", [0, 2, 3]),
        ("by_dst", [0, 1, 3]),
        ("by_both", [0, 3, 4]),
        ("by_rule", [0, 1, 2, 3, 4, 5]),
        ("incident", [0]),
    ],
)
def test_what_a_track_takes_together(track, shared):
    one, two, other = "10.0.0.1", "10.0.0.2", "10.0.0.3"
    flows = [F(one, two), F(other, two), F(one, other), F(one, two, name="scan"), F(two, one), F("a00:1::", "a00:2::")]
    made = keys(track, flows)
    assert [row for row, key in enumerate(made) if key == made[0]] == shared


def test_rules_share_no_window():
    flows = scored([F(), F()])
    rows = np.repeat([0, 1], len(TRACKS) + 1)
    places = np.tile(np.arange(len(TRACKS) + 1), 2)
    made = KEYS.of(flows, rows, places)
    assert made[: len(TRACKS) + 1] == made[len(TRACKS) + 1 :]
    assert len(set(made)) == len(TRACKS) + 1


def test_the_keys_are_those_of_the_rows_asked_for():
    flows = [F(src=f"10.0.0.{last}") for last in range(5)]
    every = keys("by_src", flows)
    assert KEYS.of(scored(flows), np.array([3, 1]), np.zeros(2, np.intp)) == [every[3], every[1]]


host = st.sampled_from(HOSTS)
flow = st.builds(F, src=host, dst=host, name=st.sampled_from(CLASSES))


@given(flows=st.lists(flow, min_size=2, max_size=8), track=st.sampled_from(TRACKS))
def test_keys_are_equal_when_what_is_tracked_is(flows, track):
    table = scored(flows)

    def tracked(row: int) -> object:
        record = table.flows[row]
        version, ends = int(record["ip_version"]), (record["src"].tobytes(), record["dst"].tobytes())
        return {
            "by_src": (version, ends[0]),
            "by_dst": (version, ends[1]),
            "by_both": (version, frozenset(ends)),
            "by_rule": (),
            "incident": (version, ends, flows[row].name),
        }[track]

    made = keys(track, flows)
    for one in range(len(flows)):
        for other in range(len(flows)):
            assert (made[one] == made[other]) == (tracked(one) == tracked(other))


def test_a_crowd_is_of_one_rule_class_and_destination():
    one, two, other = "10.0.0.9", "10.0.0.2", "10.0.0.8"
    flows = [F(dst=one), F(two, one), F(dst=other), F(dst=one, name="scan")]
    rows = np.arange(len(flows))
    for track, equal in (("by_src", [0, 1, 3]), ("incident", [0, 1])):
        made = KEYS.crowds(scored(flows), rows, np.full(len(flows), TRACKS.index(track)))
        assert [row for row, key in enumerate(made) if key == made[0]] == equal
        assert len({rule_key(key) for key in made}) == (1 if track == "by_src" else 2)
        assert {place_of(key) for key in made} == {TRACKS.index(track)}


def test_a_key_moves_with_its_rule():
    flows = scored([F(), F(name="scan")])
    both = [KEYS.of(flows, np.array([0]), np.array([place]))[0] for place in (0, 4)]
    assert moved(both[0], 77)[8:] == both[0][8:]
    assert place_of(moved(both[1], 77)) == 77


def test_a_class_has_its_number_whatever_others_there_are():
    flows = scored([F(name="scan")])
    at = np.array([0]), np.array([TRACKS.index("incident")])
    index = np.array([1])
    other = replace(flows, class_names=("benign", "scan"), class_index=index)
    assert KEYS.of(flows, *at) == KEYS.of(other, *at)
    assert KEYS.of(flows, *at) != KEYS.of(replace(other, class_names=("benign", "bot")), *at)
