"""Community ids against the reference implementation from PyPI, and the specification's own example."""

from typing import Any

import communityid
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensor.eve import community_ids
from tests.sensor.eve.made import PORTS, PROTOCOLS, any_flow, flow

REFERENCE = communityid.CommunityID()


def reference(source: Any, target: Any, proto: int, ports: tuple[int, int] | None) -> str:
    """Return what the other implementation says; `ports` are type and code for ICMP."""
    first, second = ports or (None, None)
    text: str = REFERENCE.calc(communityid.FlowTuple(proto, source, target, first, second))
    return text


def test_the_example_of_the_specification():
    example = flow(src="128.232.110.120", dst="66.35.250.204", src_port=34855, dst_port=80)
    assert community_ids(example) == ["1:LQU9qZlK+B5F3KDmev6m5PMibrg="]


@settings(max_examples=400)
@given(
    st.one_of([st.tuples(*[st.ip_addresses(v=version)] * 2) for version in (4, 6)]),
    PROTOCOLS,
    st.one_of(st.tuples(PORTS, PORTS), PORTS.map(lambda port: (port, port))),
    st.tuples(st.integers(0, 255), st.integers(0, 255)),
    st.booleans(),
)
def test_every_protocol_agrees_with_the_reference(ends, proto, ports, message, to_itself):
    source, target = ends[0], ends[0] if to_itself else ends[1]
    icmp = proto in (1, 58)
    made = flow(
        src=str(source),
        dst=str(target),
        proto=proto,
        src_port=ports[0],
        dst_port=ports[1],
        icmp_type=message[0] if icmp else -1,
        icmp_code=message[1] if icmp else -1,
    )
    known = message if icmp else ports if proto in (6, 17, 132) else None
    assert community_ids(made) == [reference(source, target, proto, known)]


@pytest.mark.parametrize("proto", [1, 58])
def test_every_icmp_type_agrees_with_the_reference(proto):
    for kind in range(256):
        for source, target in (("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1")):
            made = flow(src=source, dst=target, proto=proto, icmp_type=kind, icmp_code=3)
            assert community_ids(made) == [reference(source, target, proto, (kind, 3))], kind


def test_both_directions_have_one_id():
    there = flow(src="2001:db8::1", dst="2001:db8::2", src_port=5, dst_port=6)
    back = flow(src="2001:db8::2", dst="2001:db8::1", src_port=6, dst_port=5)
    assert community_ids(there) == community_ids(back)


@given(st.lists(any_flow(), max_size=6))
def test_a_flow_has_the_same_id_alone_and_in_a_batch(flows: list[NDArray[np.void]]):
    batch = np.concatenate([flow()[:0], *flows])
    assert community_ids(batch) == [community_ids(one)[0] for one in flows]


def test_no_addresses_or_no_icmp_type_give_no_id():
    bare = flow()
    bare["ip_version"] = 0
    assert community_ids(bare) == [""]
    assert community_ids(flow(proto=1)) == [""]
    assert community_ids(flow()[:0]) == []
