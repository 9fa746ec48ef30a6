"""Offloads: ethtool's own view of an interface, and the command that turns them off."""

import shutil

import pytest

from sensor.sources.offloads import advice, offloads_of
from tests.live.cable import Cable


def test_what_is_on_is_told(cable: Cable):
    if not shutil.which("ethtool"):
        pytest.skip("turning offloads on and off needs the command ethtool")
    cable.run("sensor", "ethtool", "-K", cable.interface, "gro", "on", "tso", "on", "gso", "on")
    with cable.inside("sensor"):
        assert offloads_of(cable.interface) == ["gro", "tso", "gso"]
        on = advice(cable.interface, offloads_of(cable.interface))
    assert on.endswith("ethtool -K tap0 gro off tso off gso off")
    cable.run("sensor", *on[on.index("ethtool") :].split())
    with cable.inside("sensor"):
        assert offloads_of(cable.interface) == []


def test_an_interface_that_is_not_there_has_none():
    assert offloads_of("nowhere0") == []
