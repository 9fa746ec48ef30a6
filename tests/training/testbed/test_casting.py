"""The cast: what a profile asks for, and what that needs."""

from dataclasses import replace

import pytest

from sensor.errors import NettrusionError
from training.testbed.acts import LABELS
from training.testbed.casting import cast, needs
from training.testbed.settings import Profile, load

DAYS = ("monday", "tuesday", "wednesday")


def test_a_cast_has_the_kinds_their_services_and_the_name_servers():
    company = cast(load("brief"))
    assert {"web-page", "port-scan", "ssh-guessing"} <= set(company.kinds)
    assert {"web", "sites", "dns", "updns", "mail", "shell-web", "shell-store"} <= set(company.services)
    assert "postgres" not in company.services


def test_needs_name_programs_of_kinds_services_and_of_the_recording_itself():
    found = needs(load("brief"))
    assert {"curl", "nginx", "nmap", "hydra", "tcpdump", "tshark", "cc", "ip"} <= set(found)
    assert found["nmap"] == "nmap" and "nft" not in found
    assert "nft" in needs(replace(load("brief"), network={"nat": True}))


@pytest.mark.parametrize("name", ["demo", "day", "monday", "tuesday", "wednesday"])
def test_every_class_of_attack_is_in_every_day(name: str):
    assert {kind.label for kind in cast(load(name)).kinds.values()} == set(LABELS)


def test_a_profile_in_which_nobody_does_anything_is_refused():
    with pytest.raises(NettrusionError, match="profile empty: nobody does anything"):
        cast(Profile(name="empty"))


def test_the_days_share_no_attack_with_the_same_settings():
    days = [{(one.kind, str(one.settings)) for one in load(name).attacks if one.settings} for name in DAYS]
    assert all(len(day) > 30 for day in days)
    assert not (days[0] & days[1]) | (days[0] & days[2]) | (days[1] & days[2])
