"""Every link layer and tag that the engine follows, in frames that scapy builds."""

import logging
import struct

import pytest

from sensor.flows import PROFILES
from tests.sensor.flows.captures import SECOND, Frame, pcap, run

logging.getLogger("scapy").setLevel(logging.ERROR)
layers = pytest.importorskip("scapy.layers.all", reason="scapy builds the frames of this test")
from scapy.contrib import mpls  # noqa: E402
from scapy.layers import dot11, inet, inet6, l2, ppp  # noqa: E402
from scapy.packet import Raw  # noqa: E402

IP4 = inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.TCP(sport=1234, dport=80, flags="S", window=500) / Raw(b"abc")
IP6 = inet6.IPv6(src="2001:db8::1", dst="2001:db8::2") / inet.UDP(sport=1234, dport=53) / Raw(b"abc")
ETHER = l2.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
SNAP = l2.LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / l2.SNAP(code=0x0800)
RADIOTAP = bytes.fromhex("000009000200000010")  # flags field present: a frame check sequence follows

FRAMES = [
    ("ethernet", 1, ETHER / IP4),
    ("ethernet ipv6", 1, ETHER / IP6),
    ("vlan", 1, ETHER / l2.Dot1Q(vlan=7) / IP4),
    ("qinq", 1, ETHER / l2.Dot1AD(vlan=5) / l2.Dot1Q(vlan=7) / IP4),
    ("mpls", 1, ETHER / mpls.MPLS(label=16, s=0) / mpls.MPLS(label=17, s=1) / IP4),
    ("pppoe", 1, ETHER / ppp.PPPoE(sessionid=3) / ppp.PPP(proto=0x0021) / IP4),
    ("pppoe ipv6", 1, ETHER / ppp.PPPoE(sessionid=3) / ppp.PPP(proto=0x0057) / IP6),
    ("802.3 snap", 1, l2.Dot3(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / SNAP / IP4),
    ("cooked v1", 113, l2.CookedLinux(proto=0x0800) / IP4),
    ("cooked v2", 276, l2.CookedLinuxV2(proto=0x86DD) / IP6),
    ("raw", 101, IP4),
    ("raw ipv6", 101, IP6),
    ("raw 12", 12, IP4),
    ("null little", 0, struct.pack("<I", 2) + bytes(IP4)),
    ("null big", 0, struct.pack(">I", 2) + bytes(IP4)),
    ("null ipv6", 0, struct.pack("<I", 30) + bytes(IP6)),
    ("loop", 108, struct.pack(">I", 24) + bytes(IP6)),
    ("ppp", 9, ppp.HDLC() / ppp.PPP(proto=0x0021) / IP4),
    ("ppp bare", 9, b"\x21" + bytes(IP4)),
    ("cisco hdlc", 104, b"\x0f\x00\x08\x00" + bytes(IP4)),
    ("802.11", 105, dot11.Dot11(type=2, subtype=0, FCfield=1) / SNAP / IP4),
    ("802.11 qos", 105, dot11.Dot11(type=2, subtype=8, FCfield=2) / dot11.Dot11QoS() / SNAP / IP4),
    ("802.11 wds", 105, dot11.Dot11(type=2, subtype=0, FCfield=3, addr4="02:00:00:00:00:04") / SNAP / IP4),
    ("radiotap", 127, RADIOTAP + bytes(dot11.Dot11(type=2, subtype=0, FCfield=1) / SNAP / IP4) + bytes(4)),
]  # fmt: skip


@pytest.mark.parametrize(("link", "frame"), [f[1:] for f in FRAMES], ids=[f[0] for f in FRAMES])
def test_the_packet_inside_is_found(link, frame):
    engine, flows = run(pcap([Frame(SECOND, bytes(frame))], link))
    assert engine.counters["in_flow"] == 1
    flow = flows[0]
    assert (flow["src_port"], flow["proto"] == 6) == (1234, flow["dst_port"] == 80)
    assert flow["fwd"]["payload"] == 3
    assert flow["ip_version"] == (6 if flow["proto"] == 17 else 4)


SKIPPED = [
    ("arp", 1, ETHER / l2.ARP()),
    ("llc", 1, l2.Dot3() / l2.LLC(dsap=0x42, ssap=0x42, ctrl=3) / l2.STP()),
    ("unsupported_ethertype", 1, l2.Ether(type=0x88CC) / Raw(bytes(40))),
    ("too_many_tags", 1, l2.Ether(type=0x8100) / Raw(b"\0\1\x81\0" * 12)),
    ("truncated_link", 1, b"\x02" * 13),
    ("pppoe_control", 1, l2.Ether(type=0x8863) / ppp.PPPoED()),
    ("ppp_control", 9, ppp.HDLC() / ppp.PPP(proto=0xC021) / Raw(bytes(20))),
    ("unsupported_family", 0, struct.pack("<I", 7) + bytes(40)),
    ("unsupported_link", 147, bytes(60)),
    ("wlan_control", 105, dot11.Dot11(type=0, subtype=8) / Raw(bytes(40))),
    ("wlan_protected", 105, dot11.Dot11(type=2, FCfield=0x41) / Raw(bytes(40))),
    ("unsupported_mpls", 1, ETHER / mpls.MPLS(label=16, s=1) / Raw(b"\xf0" * 40)),
    ("truncated_ip", 1, bytes(ETHER / IP4)[:20]),
    ("bad_ip_version", 101, b"\x75" + bytes(40)),
    ("bad_ip_header", 1, ETHER / inet.IP(ihl=4) / Raw(bytes(20))),
    ("truncated_tcp", 101, Frame(SECOND, bytes(IP4)[:30], 43)),
    ("bad_tcp_header", 101, inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.TCP(dataofs=15)),
    ("bad_udp_header", 101, inet.IP(src="10.0.0.1", dst="10.0.0.2", proto=17, len=24) / Raw(bytes(4))),
    ("truncated_extension", 101, bytes(inet6.IPv6(nh=0, plen=64)) + b"\x06"),
    ("too_many_headers", 101, inet6.IPv6(nh=60) / Raw(b"\x3c\0\0\0\0\0\0\0" * 20)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "link", "frame"), SKIPPED, ids=[s[0] for s in SKIPPED])
def test_what_has_no_flow_is_counted_by_its_reason(reason, link, frame):
    framed = frame if isinstance(frame, Frame) else Frame(SECOND, bytes(frame))
    engine, flows = run(pcap([framed], link))
    assert len(flows) == 0
    counted = {name for name in engine.counters if engine.counters[name] and name not in ("packets", "bytes")}
    assert reason in counted
    assert engine.counters[reason] == engine.counters["packets"] == 1


def test_payload_is_what_the_ip_header_says_within_what_the_wire_carried():
    whole = bytes(ETHER / inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.TCP() / Raw(bytes(1000)))
    padded = bytes(ETHER / inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.TCP()) + bytes(6)
    lying = bytearray(whole)
    lying[16:18] = struct.pack(">H", 9000)
    offload = bytearray(whole)
    offload[16:18] = b"\0\0"
    for frame, expected in [
        (Frame(SECOND, whole[:80], len(whole)), 1000),
        (Frame(SECOND, padded), 0),
        (Frame(SECOND, bytes(lying)), 1000),
        (Frame(SECOND, bytes(offload)), 1000),
    ]:
        _, flows = run(pcap([frame]))
        assert flows["fwd"]["payload"].tolist() == [expected]


def test_vlan_ids_part_flows_and_stand_in_the_record():
    frames = [ETHER / IP4, ETHER / l2.Dot1Q(vlan=7) / IP4, ETHER / l2.Dot1AD(vlan=5) / l2.Dot1Q(vlan=7) / IP4]
    _, flows = run(pcap([Frame(SECOND * (i + 1), bytes(f)) for i, f in enumerate(frames)]))
    assert sorted(map(tuple, flows["vlan"].tolist())) == [(0, 0), (5, 7), (7, 0)]
    assert sorted(flows["vlans"].tolist()) == [0, 1, 2]


def test_extension_headers_are_skipped_and_fragments_join_their_flow():
    big = inet6.IPv6(src="2001:db8::1", dst="2001:db8::2") / inet6.IPv6ExtHdrHopByHop() / inet6.IPv6ExtHdrFragment()
    parts = inet6.fragment6(big / inet.UDP(sport=1234, dport=53) / Raw(bytes(3000)), 1280)
    parts += inet.fragment(
        inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.UDP(sport=1, dport=2) / Raw(bytes(3000)), 1000
    )
    assert len(parts) > 5
    engine, flows = run(pcap([Frame(SECOND, bytes(p)) for p in parts], 101))
    assert len(flows) == 2
    assert engine.counters["fragments"] == len(parts)
    assert sorted(flows["fwd"]["payload"].tolist()) == [3000, 3000]


def test_icmp_request_and_reply_are_one_flow_by_type_and_code():
    ping = [
        inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.ICMP(type=8),
        inet.IP(src="10.0.0.2", dst="10.0.0.1") / inet.ICMP(type=0),
    ]
    other = [inet.IP(src="10.0.0.1", dst="10.0.0.2") / inet.ICMP(type=3, code=c) for c in (1, 3)]
    _, flows = run(pcap([Frame(SECOND, bytes(p)) for p in ping + other], 101))
    found = sorted(
        zip(flows["icmp_type"].tolist(), flows["icmp_code"].tolist(), flows["bwd"]["pkts"].tolist(), strict=True)
    )
    assert found == [(3, 1, 0), (3, 3, 0), (8, 0, 1)]


def test_tunnels_are_looked_into_when_asked():
    from dataclasses import replace

    from scapy.layers.vxlan import VXLAN

    outer = inet.IP(src="192.0.2.1", dst="192.0.2.2")
    frames = [
        outer / IP4,
        outer / l2.GRE(key_present=1, key=9) / IP4,
        outer / inet.UDP(sport=5, dport=4789) / VXLAN(vni=77, flags="Instance") / ETHER / IP4,
        outer / IP6,
    ]
    capture = pcap([Frame(SECOND, bytes(f)) for f in frames], 101)
    _, plain = run(capture)
    assert {str(int(p)) for p in plain["proto"]} == {"4", "41", "47", "17"}
    _, inner = run(capture, replace(PROFILES["wire"], tunnels=True))
    assert sorted(inner["tunnel"].tolist()) == [4, 9, 41, 77]
    assert set(inner["src_port"].tolist()) == {1234}
