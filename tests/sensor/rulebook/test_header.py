"""Headers: protocols, directions, addresses and ports together."""

import pytest

from tests.sensor.rulebook.table import F, alerted, rule

FLOWS = [
    F(src="10.0.0.1", dst="198.51.100.9", sport=1024, dport=80, proto=6),
    F(src="198.51.100.9", dst="10.0.0.1", sport=80, dport=1024, proto=6),
    F(src="10.0.0.1", dst="198.51.100.9", sport=53, dport=53, proto=17),
    F(src="10.0.0.1", dst="198.51.100.9", sport=0, dport=0, proto=1),
    F(src="fd00::1", dst="2001:db8::1", sport=0, dport=0, proto=58),
    F(src="fd00::1", dst="2001:db8::1", sport=9, dport=443, proto=6),
    F(src="fd00::1", dst="2001:db8::1", sport=9, dport=9, proto=132),
    F(src="10.0.0.1", dst="198.51.100.9", sport=0, dport=0, proto=47),
    F(src="10.0.0.1", dst="198.51.100.9", sport=0, dport=0, proto=58),
    F(src="", dst="", sport=0, dport=0, proto=0),
]


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ("ip any any -> any any", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("ipv4 any any -> any any", [0, 1, 2, 3, 7, 8]),
        ("ip6 any any -> any any", [4, 5, 6]),
        ("tcp any any -> any any", [0, 1, 5]),
        ("TCP any any -> any any", [0, 1, 5]),
        ("udp any any -> any any", [2]),
        ("icmp any any -> any any", [3, 4]),
        ("icmpv4 any any -> any any", [3]),
        ("icmpv6 any any -> any any", [4]),
        ("sctp any any -> any any", [6]),
        ("ip $HOME_NET any -> $EXTERNAL_NET any", [0, 2, 3, 4, 5, 6, 7, 8]),
        ("ip $EXTERNAL_NET any -> $HOME_NET any", [1]),
        ("ip $EXTERNAL_NET any <> $HOME_NET any", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("tcp any any -> any $WEB", [0, 5]),
        ("tcp any any <> any $WEB", [0, 1, 5]),
        ("tcp $HOME_NET any <> any 80", [0, 1]),
        ("tcp 10.0.0.1 80 <> any any", []),
        ("tcp 10.0.0.1 any <> any any", [0, 1]),
        ("ip any any -> any !80", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("ip any 1: -> any any", [0, 1, 2, 5, 6]),
        ("ip !$HOME_NET any -> any any", [1]),
        ("ip any any <> any any", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_a_header_matches_the_initiator_on_its_left(tmp_path, head, rows):
    assert alerted(tmp_path, rule(head=f"alert {head}"), FLOWS) == rows


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("pkthdr any any -> any any", "headers of single packets"),
        ("tcp-pkt any any -> any any", "write tcp"),
        ("tcp-stream any any -> any any", "no payload"),
        ("http any any -> any any", "app-layer-protocol:http"),
        ("gre any any -> any any", "'gre' is not one of ip, ipv4"),
        ("ip $NOPE any -> any any", "no variable $NOPE"),
        ("ip any any -> any $HOME_NET", "is not a port"),
        ("ip any $WEB -> $WEB any", "is not an address"),
    ],
)
def test_what_no_flow_can_be_is_refused(tmp_path, head, reason):
    with pytest.raises(Exception, match=reason.replace("$", r"\$")):
        alerted(tmp_path, rule(head=f"alert {head}"), FLOWS)
