"""Groups of addresses against the standard library's own idea of networks."""

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook.addresses import parse_addresses
from tests.sensor.rulebook.table import NETS, F, scored

v4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
v6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
networks = st.one_of(
    st.tuples(v4, st.integers(0, 32)).map(lambda pair: ipaddress.ip_network(pair, strict=False)),
    st.tuples(v6, st.integers(0, 128)).map(lambda pair: ipaddress.ip_network(pair, strict=False)),
)


def mask(text: str, addresses) -> list[bool]:
    flows = scored([F(src=str(address), dst=str(address)) for address in addresses]).flows
    inside: list[bool] = parse_addresses(text, NETS).mask(flows["ip_version"], flows["src"]).tolist()
    return inside


def edges(network) -> list:
    """The first and last address of a network and their neighbours, of the same family."""
    last = type(network[0])((1 << network.max_prefixlen) - 1)
    numbers = {int(network[0]) - 1, int(network[0]), int(network[-1]), int(network[-1]) + 1}
    return [type(network[0])(number) for number in numbers if 0 <= number <= int(last)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), networks), min_size=1, max_size=6), st.lists(st.one_of(v4, v6), max_size=4))
def test_a_group_holds_what_the_networks_hold(members, others):
    text = "[" + ",".join("!" * negated + str(network) for negated, network in members) + "]"
    addresses = [*others, *(edge for _, network in members for edge in edges(network))]
    wanted = [network for negated, network in members if not negated]
    unwanted = [network for negated, network in members if negated]

    def holds(address) -> bool:
        return (not wanted or any(address in network for network in wanted)) and not any(
            address in network for network in unwanted
        )

    try:
        found = mask(text, addresses)
    except ValueError as error:
        assert "nothing is left" in str(error)
        assert not any(map(holds, addresses))
        return
    assert found == [holds(address) for address in addresses]
    group = parse_addresses(text, NETS)
    assert found == [address in group for address in addresses]


@settings(deadline=None)
@given(v4, v4)
def test_a_range_has_both_of_its_ends(one, other):
    low, high = min(one, other), max(one, other)
    group = parse_addresses(f"{low}-{high}", {})
    assert all(address in group for address in (low, high))
    assert int(low) == 0 or low - 1 not in group
    assert int(high) == 2**32 - 1 or high + 1 not in group


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("$HOME_NET", ["10.9.9.9", "192.168.0.1", "fd00::1"], ["8.8.8.8", "2001:db8::1"]),
        ("$EXTERNAL_NET", ["8.8.8.8", "2001:db8::1"], ["10.9.9.9", "fd00::1"]),
        ("!$EXTERNAL_NET", ["10.9.9.9", "fd00::1"], ["8.8.8.8", "2001:db8::1"]),
        ("10.0.0.0/255.0.0.0", ["10.255.0.1"], ["11.0.0.0"]),
        ("10.1.2.3/8", ["10.255.0.1"], ["11.0.0.0"]),
        ("2001:db8::1-2001:db8::9", ["2001:db8::5"], ["2001:db8::a", "0.0.0.5"]),
        ("::a00:1", ["::a00:1"], ["10.0.0.1"]),
        # Every address but one is of both families, whichever that one is.
        ("!10.0.0.1", ["10.0.0.2", "2001:db8::1"], ["10.0.0.1"]),
        ("0.0.0.0/0", ["255.255.255.255"], ["::1"]),
        ("::/0", ["::1"], ["0.0.0.1"]),
        ("10.0.0.0", ["10.0.0.0"], ["10.0.0.1", "a00::"]),
        ("[10.0.0.0/24,!10.0.0.5]", ["10.0.0.4", "10.0.0.6"], ["10.0.0.5"]),
    ],
)
def test_examples(text, inside, outside):
    assert mask(text, map(ipaddress.ip_address, inside)) == [True] * len(inside)
    assert mask(text, map(ipaddress.ip_address, outside)) == [False] * len(outside)


def test_a_flow_without_addresses_is_in_no_group():
    nothing = np.zeros(1, np.uint8), np.zeros((1, 16), np.uint8)
    for text in ("any", "0.0.0.0/0", "::/0", "!10.0.0.1"):
        assert not parse_addresses(text, {}).mask(*nothing).any()


def test_equal_sets_are_equal_however_they_are_written():
    assert parse_addresses("[10.0.0.0/9,10.128.0.0/9]", {}) == parse_addresses("10.0.0.0/8", {})
    assert hash(parse_addresses("!!10.0.0.1".replace("!!", ""), {})) == hash(parse_addresses("10.0.0.1/32", {}))
    assert parse_addresses("[0.0.0.0/0,::/0]", {}).is_everything
    assert not parse_addresses("0.0.0.0/0", {}).is_everything


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1/33", "010.0.0.1", "10.0.1", "10.0.0.9-10.0.0.1", "10.0.0.1-::2", "fe80::1%eth0", "10.0.0.0/0.0.0.255",
     "host", "", "10.0.0.1 10.0.0.2", "10.0.0.0/8-10.0.0.1", "1.2.3.4/", "::1/-1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match=r"is not|ends before|zone|family"):
        parse_addresses(text, {})
