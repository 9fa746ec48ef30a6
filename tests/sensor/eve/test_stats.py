"""The `stats` event: which counter stands where."""

from sensor.eve import ANOMALIES, EventBuilder, Reading
from sensor.flows import COUNTERS
from tests.sensor.eve.made import NOON_NS

BUILDER = EventBuilder(sensor="gw1")


def test_counters_stand_where_suricatas_readers_look():
    counters = {"packets": 10, "bytes": 1005, "flows": 4, "ipv4": 8, "tcp": 7, "arp": 2, "evicted": 3}
    counters |= {"truncated_tcp": 2, "too_many_headers": 1, "unsupported_ethertype": 5}
    stats = BUILDER.stats(
        Reading(
            now_ns=NOON_NS,
            counters=counters,
            uptime_s=60,
            active_flows=2,
            alerts=1,
            kernel_packets=12,
            kernel_drops=2,
            memory_bytes=4096,
        )
    )["stats"]
    assert stats["uptime"] == 60
    assert stats["capture"] == {"kernel_packets": 12, "kernel_drops": 2}
    decoder = stats["decoder"]
    assert (decoder["pkts"], decoder["bytes"], decoder["avg_pkt_size"], decoder["invalid"]) == (10, 1005, 100, 3)
    assert (decoder["ipv4"], decoder["tcp"], decoder["arp"], decoder["unknown_ethertype"]) == (8, 7, 2, 5)
    assert decoder["event"]["tcp"] == {"pkt_too_small": 2, "hlen_too_small": 0}
    assert decoder["too_many_layers"] == 1
    assert stats["flow"] == {"total": 4, "active": 2, "get_used": 3, "memuse": 4096, "emerg_mode_entered": 1}
    assert stats["detect"] == {"alert": 1}


def test_a_file_has_no_kernel_counters():
    stats = BUILDER.stats(Reading(now_ns=0, counters={}))["stats"]
    assert "capture" not in stats
    assert stats["flow"] == {"active": 0, "emerg_mode_entered": 0}
    assert stats["decoder"]["avg_pkt_size"] == 0


def test_the_event_is_about_no_flow():
    event = BUILDER.stats(Reading(now_ns=NOON_NS, counters={}))
    assert list(event) == ["timestamp", "event_type", "stats", "host"]
    assert event["timestamp"] == "2026-11-21T12:00:00.000000+0000"


def test_every_counter_of_the_engine_is_taken(valid):
    """Any one counter alone changes the event, unless it has no name in the schema."""
    unnamed = {"in_flow", "tunnel", "fragments", "cut_packets", "single_packet_flows", "untracked_retransmissions"}
    unnamed |= {"snapshots", "context_forgotten"}
    unnamed |= {"unsupported_link", "llc", "pppoe_control", "ppp_control", "wlan_control", "wlan_protected"}
    unnamed |= {"wlan_aggregate", "truncated_tunnel", "ignored_ipv6"}
    zero = dict.fromkeys(COUNTERS, 0)
    quiet = BUILDER.stats(Reading(now_ns=0, counters=zero))
    silent = {name for name in COUNTERS if valid(BUILDER.stats(Reading(0, zero | {name: 7}))) == quiet}
    assert silent == unnamed
    assert set(COUNTERS) > ANOMALIES.keys()
