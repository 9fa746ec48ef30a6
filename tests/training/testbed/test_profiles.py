"""Profiles: what a recording must hold."""

import pytest

from training.testbed.profiles import PROFILES, Guess, Profile, Scan, SlowHttp


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_every_profile_has_a_scan_a_slow_attack_and_a_guesser(profile: Profile):
    kinds = {type(attack) for attack in (*profile.outside, *profile.inside)}
    assert kinds == {Scan, SlowHttp, Guess}
    assert profile.outside and profile.inside
    assert profile.seconds <= 90


def test_the_two_long_profiles_share_no_attack():
    demo, evening = PROFILES["demo"], PROFILES["evening"]
    assert not {*demo.outside, *demo.inside} & {*evening.outside, *evening.inside}
