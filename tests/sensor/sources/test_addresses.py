"""Addresses over netlink are those that `ip address` shows."""

from sensor.sources.addresses import addresses_of, all_addresses
from tests.live.cable import Cable


def test_addresses_with_their_prefixes(cable: Cable):
    for address in ("10.7.0.1/24", "203.0.113.9/29", "2001:db8::5/64"):
        cable.run("sensor", "sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{cable.interface}/disable_ipv6")
        cable.run("sensor", "ip", "address", "add", address, "dev", cable.interface)
    with cable.inside("sensor"):
        told = {str(address) for address in addresses_of(cable.interface)}
        everyone = all_addresses()
    assert told >= {"10.7.0.1/24", "203.0.113.9/29", "2001:db8::5/64"}
    assert "127.0.0.1/8" in {str(address) for _, address in everyone} - told


def test_of_a_point_to_point_link_it_is_the_own_end(cable: Cable):
    cable.run("sensor", "ip", "address", "add", "10.7.0.1", "peer", "10.7.0.2/32", "dev", cable.interface)
    with cable.inside("sensor"):
        assert [str(address.ip) for address in addresses_of(cable.interface)] == ["10.7.0.1"]


def test_hundreds_of_addresses_come_in_several_replies(cable: Cable):
    lines = "\n".join(f"address add 10.8.{n // 200}.{n % 200 + 1}/16 dev {cable.interface}" for n in range(600))
    cable.run("sensor", "sh", "-c", f"ip -batch - <<'.'\n{lines}\n.")
    with cable.inside("sensor"):
        assert len(addresses_of(cable.interface)) == 600


def test_an_interface_without_addresses_has_none(cable: Cable):
    with cable.inside("sensor"):
        assert addresses_of(cable.interface) == []
        assert addresses_of("nowhere0") == []
