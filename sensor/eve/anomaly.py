"""The `anomaly` event: that packets could not be decoded, said under Suricata's own names.

The engine counts what it cannot turn into a flow, by reason. A reason that has a counterpart in
Suricata's list of decoder events becomes an event; one that is no fault of the traffic (a link
type that is not read, an ARP frame, a packet cut by the snap length) stays a counter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.eve.columns import NANOSECONDS

# Engine counter -> decoder event that the schemas of Suricata 7, 8 and 9 all know. The engine does
# not count IPv4 and IPv6 apart, nor ICMP and ICMPv6; the older one lends its name to both.
ANOMALIES: Mapping[str, str] = {
    "truncated_link": "decoder.ethernet.pkt_too_small",
    "too_many_tags": "decoder.vlan.too_many_layers",
    "unsupported_mpls": "decoder.mpls.unknown_payload_type",
    "unsupported_family": "decoder.ltnull.unsupported_type",
    "truncated_ip": "decoder.ipv4.pkt_too_small",
    "bad_ip_version": "decoder.ipv4.wrong_ip_version",
    "bad_ip_header": "decoder.ipv4.hlen_too_small",
    "too_many_headers": "decoder.too_many_layers",
    "truncated_extension": "decoder.ipv6.trunc_exthdr",
    "truncated_tcp": "decoder.tcp.pkt_too_small",
    "bad_tcp_header": "decoder.tcp.hlen_too_small",
    "truncated_udp": "decoder.udp.pkt_too_small",
    "bad_udp_header": "decoder.udp.hlen_too_small",
    "truncated_icmp": "decoder.icmpv4.pkt_too_small",
    "truncated_sctp": "decoder.sctp.pkt_too_small",
}


@dataclass(slots=True)
class AnomalyLimiter:
    """Decides which anomalies are worth a line now: each reason at most once an interval.

    Bounded: it remembers one count and one time for each known reason.

    Attributes:
        interval_ns: packet time that must pass between two lines of one reason.
    """

    interval_ns: int = 60 * NANOSECONDS
    _seen: dict[str, int] = field(default_factory=dict)
    _said_ns: dict[str, int] = field(default_factory=dict)

    def due(self, counters: Mapping[str, int], now_ns: int) -> list[str]:
        """Return the reasons that grew since their last line and may speak again, sorted.

        Args:
            counters: the engine's counters; only those in `ANOMALIES` matter.
            now_ns: packet time. A time before the last line's begins a new clock: another
                capture, or one that was put together out of order.
        """
        due = []
        for reason in sorted(ANOMALIES.keys() & counters.keys()):
            if counters[reason] <= self._seen.get(reason, 0):
                continue
            said_ns = self._said_ns.get(reason)
            if said_ns is not None and 0 <= now_ns - said_ns < self.interval_ns:
                continue
            self._seen[reason] = counters[reason]
            self._said_ns[reason] = now_ns
            due.append(reason)
        return due
