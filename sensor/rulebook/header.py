"""The header of a rule as conditions: protocol, addresses, ports, and which way round."""

from collections.abc import Mapping

from sensor.rulebook.addresses import parse_addresses
from sensor.rulebook.batch import Condition, Side
from sensor.rulebook.conditions import AddressIn, EitherWay, IpProtocol, PortIn
from sensor.rulebook.matching import APP_PROTOCOLS
from sensor.rulebook.ports import parse_ports
from sensor.rulebook.syntax import RuleText

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132

PROTOCOLS = {
    "ip": IpProtocol(()),
    "ipv4": IpProtocol((), (4,)),
    "ip4": IpProtocol((), (4,)),
    "ipv6": IpProtocol((), (6,)),
    "ip6": IpProtocol((), (6,)),
    "tcp": IpProtocol(((TCP, 4), (TCP, 6))),
    "udp": IpProtocol(((UDP, 4), (UDP, 6))),
    "sctp": IpProtocol(((SCTP, 4), (SCTP, 6))),
    "icmp": IpProtocol(((ICMP, 4), (ICMPV6, 6))),
    "icmpv4": IpProtocol(((ICMP, 4),)),
    "icmpv6": IpProtocol(((ICMPV6, 6),)),
}
"""What a rule's header may name, and the flows that it means."""

_REFUSED = {
    "pkthdr": "looks at the headers of single packets, also broken ones, and rules judge flows",
    "tcp-pkt": "looks at single packets, and rules judge flows; write tcp",
    "tcp-stream": "looks into the stream, and a flow record keeps no payload; write tcp",
}


def read_header(rule: RuleText, variables: Mapping[str, str]) -> tuple[Condition, ...]:
    """Return the conditions of a rule's header; source is the flow's initiator, target its responder.

    Raises ValueError with a reason.
    """
    protocol = PROTOCOLS.get(rule.protocol)
    if protocol is None:
        raise ValueError(_wrong_protocol(rule.protocol))
    there = _sides(rule, "src", "dst", variables)
    back = _sides(rule, "dst", "src", variables)
    if rule.arrow == "->" or there == () or back == ():
        return (protocol, *there)
    return protocol, EitherWay(there, back)


def _sides(rule: RuleText, source: Side, target: Side, variables: Mapping[str, str]) -> tuple[Condition, ...]:
    """Return what is asked of the two ends when `source` is the rule's left one."""
    conditions: list[Condition] = []
    for side, text in ((source, rule.source_ports), (target, rule.target_ports)):
        ports = parse_ports(text, variables)
        if not ports.is_everything:
            conditions.append(PortIn(side, ports))
    for side, text in ((source, rule.source), (target, rule.target)):
        addresses = parse_addresses(text, variables)
        if not addresses.is_everything:
            conditions.append(AddressIn(side, addresses))
    return tuple(conditions)


def _wrong_protocol(name: str) -> str:
    if name in _REFUSED:
        return f"the protocol {name} {_REFUSED[name]}"
    if name in APP_PROTOCOLS:
        return f"{name} is an application protocol; write ip in the header and app-layer-protocol:{name};"
    return f"the protocol {name!r} is not one of {', '.join(PROTOCOLS)}"
