"""Profiles are values that refuse nonsense."""

from dataclasses import FrozenInstanceError, replace

import pytest

from sensor.flows import PROFILES


def test_the_four_profiles_are_named_after_themselves():
    assert {name: profile.name for name, profile in PROFILES.items()} == {
        n: n for n in ("wire", "cns22", "fork", "legacy")
    }


def test_a_profile_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PROFILES["wire"].active_ns = 1  # type: ignore[misc]


@pytest.mark.parametrize("value", [-1, 2**62])
def test_a_time_outside_of_sense_is_refused(value):
    with pytest.raises(ValueError, match="linger_ns"):
        replace(PROFILES["wire"], linger_ns=value)
