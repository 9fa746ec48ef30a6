"""Profiles: which packets make one flow, and when a flow ends.

A profile sets the rules of the flow table. `cns22`, `fork` and `legacy` are the rules of three versions of
CICFlowMeter, strictly, for columns that equal theirs; `wire` is the sensor's own, which keeps cns22's definitions of
connection and direction and adds what a gateway needs: IPv6, VLANs, every protocol, and an end for every flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of a flow table. Times are packet time in nanoseconds; 0 switches a timeout off.

    Attributes:
        name: how the profile is called in configuration and reports.
        protocols: "all" by their real number, or what one version of CICFlowMeter told apart.
        ipv6: decode IPv6; otherwise its packets are counted and left out.
        plain_links: Ethernet and VLAN tags only, and TCP headers taken at their word, as CICFlowMeter's reader does.
        vlan_in_key: flows of different VLANs are different flows.
        tunnels: look into IP-in-IP, GRE, VXLAN, Geneve and GTP-U; the tunnel's identifier joins the key.
        icmp_in_key: ICMP type and code join the key, a request and its reply together.
        match_fragments: later fragments are counted to the flow of their first.
        icmp_errors_join: an ICMP destination-unreachable counts to the open flow that it quotes, as Suricata has it.
        same_syn_joins: after a close, a SYN with the first SYN's sequence number is a retry of the same flow, as
            Suricata has it; otherwise it begins a new one, as in the training rows.
        by_endpoint: forward means the initiator's address and port; otherwise the address alone.
        swap_syn_ack: a flow whose first packet is SYN and ACK was begun by the other side.
        first_fin_ends: any FIN ends the flow (the 2018 rule); otherwise both sides' FIN and one ACK, or a RST.
        fin_of_first: a FIN in a flow's first packet counts towards both sides' FIN.
        min_pkts: flows with fewer packets are not reported.
        snapshot_pkts: with this many packets an open flow is reported a first time, as it is by then; 0 is never.
        snapshot_closed: a connection that has just closed is reported a first time, before it has waited for
            stragglers; only with `sweep`.
        whole_us: times are cut to whole microseconds, as CICFlowMeter computes.
        count_retransmissions: keep a set of the TCP packets seen (memory grows with them; capped).
        context: fill a record's `context`: what its initiator, its responder and both together have been doing.
        context_hosts: so many initiators, and so many responders, are remembered; the one whose last connection began
            or ended longest ago makes room.
        context_pairs: so many pairs of initiator and responder.
        conn_every_end: a flow's own duration is part of its connection time however it ends.
        conn_udp: UDP dialogues have a connection time too.
        keep_roles: "udp_dialogue", "tcp" or "always": who keeps forward and backward over an active timeout.
        sweep: flows leave when their time is up, not only when their next packet comes.
        active_ns: a flow lasts at most this long from its first packet.
        activity_ns: a gap longer than this parts two active periods.
        linger_ns: how long a closed connection waits for stragglers.
        tcp_new_ns, tcp_ns, udp_new_ns, udp_ns, icmp_ns, other_ns: idle timeouts; `new` means one side has spoken.
    """

    name: str
    protocols: Literal["all", "legacy", "cns22", "fork"] = "all"
    ipv6: bool = True
    plain_links: bool = False
    vlan_in_key: bool = True
    tunnels: bool = False
    icmp_in_key: bool = True
    match_fragments: bool = True
    icmp_errors_join: bool = False
    same_syn_joins: bool = False
    by_endpoint: bool = True
    swap_syn_ack: bool = True
    first_fin_ends: bool = False
    fin_of_first: bool = True
    min_pkts: int = 1
    snapshot_pkts: int = 0
    snapshot_closed: bool = False
    whole_us: bool = True
    count_retransmissions: bool = False
    context: bool = True
    context_hosts: int = 16_384
    context_pairs: int = 32_768
    conn_every_end: bool = True
    conn_udp: bool = False
    keep_roles: Literal["udp_dialogue", "tcp", "always"] = "udp_dialogue"
    sweep: bool = True
    active_ns: int = 120 * SECOND_NS
    activity_ns: int = 5 * SECOND_NS
    linger_ns: int = 5 * SECOND_NS
    tcp_new_ns: int = 60 * SECOND_NS
    tcp_ns: int = 120 * SECOND_NS
    udp_new_ns: int = 60 * SECOND_NS
    udp_ns: int = 120 * SECOND_NS
    icmp_ns: int = 30 * SECOND_NS
    other_ns: int = 60 * SECOND_NS

    def __post_init__(self) -> None:
        for field in (name for name in self.__slots__ if name.endswith("_ns")):
            if not 0 <= getattr(self, field) <= 2**61:
                raise ValueError(f"{field} must lie between 0 and 2**61 ns, not {getattr(self, field)}")
        if not 0 <= self.snapshot_pkts < 2**32:
            raise ValueError(f"snapshot_pkts must lie between 0 and 2**32 - 1, not {self.snapshot_pkts}")
        for field in ("context_hosts", "context_pairs"):
            if not 1 <= getattr(self, field) <= 2**24:
                raise ValueError(f"{field} must lie between 1 and 2**24, not {getattr(self, field)}")


_CIC = Profile(
    name="cns22",
    protocols="cns22",
    ipv6=False,
    plain_links=True,
    vlan_in_key=False,
    icmp_in_key=False,
    match_fragments=False,
    by_endpoint=False,
    swap_syn_ack=False,
    fin_of_first=False,
    context=False,
    conn_every_end=False,
    keep_roles="tcp",
    sweep=False,
    linger_ns=0,
    tcp_new_ns=0,
    tcp_ns=0,
    udp_new_ns=0,
    udp_ns=0,
    icmp_ns=0,
    other_ns=0,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "wire": Profile(name="wire"),
        "cns22": _CIC,
        "fork": replace(
            _CIC,
            name="fork",
            fin_of_first=True,
            protocols="fork",
            swap_syn_ack=True,
            count_retransmissions=True,
            conn_udp=True,
            keep_roles="udp_dialogue",
        ),
        "legacy": replace(
            _CIC, name="legacy", protocols="legacy", first_fin_ends=True, min_pkts=2, keep_roles="always"
        ),
    }
)
