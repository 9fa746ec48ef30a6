"""Filters in tcpdump's words: what libpcap makes of them, and what it says of those that it cannot read."""

import pytest

from sensor.errors import NettrusionError
from sensor.sources import libpcap
from sensor.sources.bpf import PROTOCOL, RETURN
from sensor.sources.libpcap import compile_filter
from tests.live.cable import Cable

VLAN_TAG_PRESENT = 0xFFFF_F030  # SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT


@pytest.fixture(autouse=True)
def _installed():
    try:
        libpcap._load()
    except NettrusionError as error:
        pytest.skip(str(error))


def test_a_filter_becomes_a_program():
    program = compile_filter("udp and port 53", "lo", 1)
    assert len(program) > 5
    assert {step.constant for step in program if step.code == RETURN} >= {0}


def test_libpcap_says_what_is_wrong():
    with pytest.raises(NettrusionError, match=r"capture.filter: `tcp and` is no filter .* syntax error.* tcpdump -d"):
        compile_filter("tcp and", "lo", 1)


def test_a_filter_asks_for_tags_where_the_kernel_keeps_them(cable: Cable):
    with cable.inside("sensor"):
        program = compile_filter("vlan 5", cable.interface, 1)
    assert VLAN_TAG_PRESENT in {step.constant for step in program}
    assert PROTOCOL != VLAN_TAG_PRESENT


def test_a_filter_for_an_interface_that_is_down_is_read_all_the_same(cable: Cable):
    cable.run("sensor", "ip", "link", "set", cable.interface, "down")
    with cable.inside("sensor"):
        assert len(compile_filter("tcp", cable.interface, 1)) > 3
        with pytest.raises(NettrusionError, match="syntax error"):
            compile_filter("tcp and", cable.interface, 1)


def test_without_libpcap_the_package_is_named(monkeypatch):
    monkeypatch.setattr(libpcap, "NAMES", ("libpcap.so.none",))
    with pytest.raises(NettrusionError, match=r"apt install libpcap0.8"):
        compile_filter("tcp", "lo", 1)
