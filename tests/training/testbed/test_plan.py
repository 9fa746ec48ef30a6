"""The plan: repeatable, in order, irregular as people are and regular as machines are."""

import random
import statistics
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.testbed.plan import Act, plan, presence, weight
from training.testbed.settings import Attack, Doing, Profile, Role

WORK = tuple(1.0 if 8 <= hour < 18 else 0.0 for hour in range(24))
NINE = 1_772_442_000 * 10**9
PROFILE = Profile(
    name="test",
    begins_ns=NINE,
    hours=8.0,
    roles={
        "person": Role(("desk", "laptop"), count=3, kinds={"browse": Doing(12.0), "mail": Doing(every_s=300.0)}),
        "device": Role(("camera",), rhythm="machines", kinds={"ntp": Doing(every_s=600.0, jitter=0.05)}),
        "daemon": Role(("web",), rhythm="machines", kinds={"check": Doing(30.0)}),
    },
    attacks=(
        Attack("scan", "attacker", times=3, between_s=(3600.0, 7200.0), settings={"ports": 9}),
        Attack("beacon", "laptop", between_s=(0.0, 60.0), every_s=120.0, count=50, jitter=0.25),
    ),
)


def since(act: Act) -> float:
    """Return when an act begins, in seconds since the beginning."""
    return (act.virtual_start_ns - NINE) / 1e9


def starts(kind: str, host: str = "", seed: int = 1) -> list[float]:
    return [since(act) for act in plan(PROFILE, seed) if act.kind == kind and host in ("", act.host)]


def test_the_same_seed_gives_the_same_plan_and_another_seed_another():
    assert plan(PROFILE, 3) == plan(PROFILE, 3)
    assert plan(PROFILE, 3) != plan(PROFILE, 4)


def test_acts_are_numbered_in_virtual_order_within_the_hours_each_with_a_seed_of_its_own():
    acts = plan(PROFILE, 1)
    assert [act.number for act in acts] == list(range(1, len(acts) + 1))
    assert acts == sorted(acts, key=lambda act: act.virtual_start_ns)
    assert all(0 <= since(act) < 8 * 3600 for act in acts)
    assert len({act.seed for act in acts}) == len(acts)


def test_what_one_does_depends_on_nobody_else():
    more = replace(PROFILE, roles={**PROFILE.roles, "person": replace(PROFILE.roles["person"], count=4)})
    few = {(act.virtual_start_ns, act.kind, act.seed) for act in plan(PROFILE, 1)}
    many = {(act.virtual_start_ns, act.kind, act.seed) for act in plan(more, 1)}
    assert few < many


def test_people_come_in_bunches_and_are_away_for_long():
    gaps = [b - a for a, b in pairwise(starts("browse", "desk"))]
    assert len(gaps) > 60
    # Exponential gaps have a deviation as large as their mean; people's are more uneven.
    assert statistics.pstdev(gaps) > 1.2 * statistics.mean(gaps)


def test_the_rate_is_the_one_asked_for_where_somebody_is_always_there():
    role = Role(("desk",), present_s=1e9, kinds={"browse": Doing(20.0)})
    count = sum(len(plan(Profile(hours=10.0, roles={"one": role}), seed)) for seed in range(12))
    assert 0.85 < count / (12 * 10 * 20) < 1.15
    busier = sum(len(plan(Profile(hours=10.0, busy=2.0, roles={"one": role}), seed)) for seed in range(12))
    assert 1.7 < busier / count < 2.3


def test_the_days_curve_rules_people_and_not_machines():
    role = Role(("desk",), present_s=1e9, curve=WORK, kinds={"browse": Doing(30.0)})
    profile = Profile(begins_ns=NINE, hours=24.0, roles={"one": role})
    hours = Counter((9 + int(since(act) // 3600)) % 24 for act in plan(profile, 1))
    assert set(hours) <= set(range(8, 18)) and len(hours) == 10
    machine = replace(role, rhythm="machines")
    assert len({int(since(act) // 3600) for act in plan(replace(profile, roles={"one": machine}), 1)}) == 24
    assert (weight(role, NINE, 0.0), weight(role, NINE, 10 * 3600.0), weight(machine, NINE, 10 * 3600.0)) == (1, 0, 1)


def test_machines_keep_their_grid_within_the_jitter():
    ntp = starts("ntp")
    assert len(ntp) == 48
    phases = [at % 600 for at in ntp]
    spread = max((phase - phases[0] + 300) % 600 for phase in phases) - min(
        (phase - phases[0] + 300) % 600 for phase in phases
    )
    assert 1.0 < spread <= 30.0


def test_a_person_who_is_away_does_not_keep_a_grid_either():
    role = PROFILE.roles["person"]
    there = presence(role, 8 * 3600.0, random.Random("1/person/desk/0"))
    mine = [since(act) for act in plan(PROFILE, 1) if act.seed.startswith("1/person/desk/0/mail")]
    assert mine and all(any(start <= at < end for start, end in there) for at in mine)
    assert len(mine) < 90


@given(st.integers(0, 10**6), st.floats(60.0, 90_000.0))
def test_presence_is_ordered_apart_and_within_the_hours(seed: int, length_s: float):
    periods = presence(Role(), length_s, random.Random(seed))
    times = [moment for period in periods for moment in period]
    assert times == sorted(times)
    assert all(0.0 <= start < end <= length_s for start, end in periods)
    assert presence(Role(rhythm="machines"), length_s, random.Random(seed)) == [(0.0, length_s)]


def test_attacks_begin_in_their_window_with_their_settings():
    acts = [act for act in plan(PROFILE, 1) if act.kind == "scan"]
    assert len(acts) == 3
    assert all(3600 <= since(act) <= 7200 and act.settings == {"ports": 9} for act in acts)
    assert len({since(act) for act in acts}) == 3


def test_a_series_keeps_its_interval_within_the_jitter():
    beacon = starts("beacon")
    gaps = [b - a for a, b in pairwise(beacon)]
    assert len(beacon) == 50
    assert 90.0 <= min(gaps) < 110.0 and 130.0 < max(gaps) <= 150.0


def test_a_series_ends_with_the_hours():
    short = replace(PROFILE, hours=1.0, roles={})
    assert len([act for act in plan(short, 1) if act.kind == "beacon"]) == pytest.approx(30, abs=4)
