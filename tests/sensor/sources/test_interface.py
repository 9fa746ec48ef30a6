"""Interfaces: what is there, what is not, and which networks they stand in."""

import pytest

from sensor.errors import NettrusionError
from sensor.sources.interface import ETHERNET, RAW_IP, Interface, home_networks
from tests.live.cable import Cable


def test_an_interface_is_described(cable: Cable):
    cable.run("sensor", "ip", "link", "set", cable.interface, "mtu", "1400")
    with cable.inside("sensor"):
        found = Interface.find(cable.interface)
        assert (found.up, found.mtu, found.link_type, found.loopback) == (True, 1400, ETHERNET, False)
        loop = Interface.find("lo")
        assert (loop.link_type, loop.loopback) == (ETHERNET, True)
    cable.run("sensor", "ip", "link", "set", cable.interface, "down")
    with cable.inside("sensor"):
        assert not Interface.find(cable.interface).up


def test_a_name_near_to_one_is_suggested(cable: Cable):
    with cable.inside("sensor"), pytest.raises(NettrusionError, match=r"tap00: there is no such .* did you mean tap0"):
        Interface.find("tap00")


def test_what_there_is_is_listed(cable: Cable):
    with cable.inside("sensor"), pytest.raises(NettrusionError, match=r"wan: there is no such .* there are: lo, tap0"):
        Interface.find("wan")


@pytest.mark.parametrize("name", ["", "x" * 16, "a/b", "ü" * 8])
def test_what_can_be_no_name_is_none(name):
    assert Interface.look(name) is None


def test_all_interfaces_at_once_are_refused():
    with pytest.raises(NettrusionError, match="name each one: -i eth0"):
        Interface.find("any")


def test_a_tunnel_of_bare_packets(cable: Cable):
    cable.run("sensor", "ip", "tuntap", "add", "bare0", "mode", "tun")
    with cable.inside("sensor"):
        assert Interface.find("bare0").link_type == RAW_IP


def test_frames_of_another_kind_are_refused_with_a_way_out():
    odd = Interface("mon0", 3, True, 1500, 803)
    with pytest.raises(NettrusionError, match=r"mon0: .*hardware type 803.*--source tshark"):
        odd.link_type  # noqa: B018 -- the property raises


def test_home_is_the_own_network_where_private_and_the_host_where_public(cable: Cable):
    assert_home(cable, None)
    add(cable, "10.7.0.9/24")
    assert_home(cable, "[10.7.0.0/24]")
    add(cable, "8.8.4.9/22", "fd12::5/48", "2a00:1450::5/64", "fe80::9/64")
    assert_home(cable, "[10.7.0.0/24,2a00:1450::5,8.8.4.9,fd12::/48,fe80::/64]")


def test_a_link_local_address_alone_is_no_home(cable: Cable):
    add(cable, "fe80::9/64")
    assert_home(cable, None)


def add(cable: Cable, *addresses: str) -> None:
    cable.run("sensor", "sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{cable.interface}/disable_ipv6")
    for address in addresses:
        cable.run("sensor", "ip", "address", "add", address, "dev", cable.interface, "scope", "global")


def assert_home(cable: Cable, expected: str | None) -> None:
    with cable.inside("sensor"):
        told = home_networks([cable.interface, "nowhere0"])
    if expected is None:
        assert told is None
        return
    # The kernel adds a link-local address of its own.
    assert told is not None and {*told.strip("[]").split(",")} - {"fe80::/64"} == {
        *expected.strip("[]").split(",")
    } - {"fe80::/64"}
