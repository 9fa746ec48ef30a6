# One decoded packet, the key of its flow, and why a packet may not become part of one.

ctypedef int Outcome

cdef enum:
    IN_FLOW
    UNSUPPORTED_LINK
    TRUNCATED_LINK
    ARP
    LLC
    UNSUPPORTED_ETHERTYPE
    TOO_MANY_TAGS
    UNSUPPORTED_MPLS
    PPPOE_CONTROL
    PPP_CONTROL
    UNSUPPORTED_FAMILY
    WLAN_CONTROL
    WLAN_PROTECTED
    WLAN_AGGREGATE
    TRUNCATED_IP
    BAD_IP_VERSION
    BAD_IP_HEADER
    TOO_MANY_HEADERS
    TRUNCATED_EXTENSION
    TRUNCATED_TCP
    BAD_TCP_HEADER
    TRUNCATED_UDP
    BAD_UDP_HEADER
    TRUNCATED_ICMP
    TRUNCATED_SCTP
    TRUNCATED_TUNNEL
    IGNORED_IPV6
    OUTCOMES

OUTCOME_NAMES = (
    "in_flow", "unsupported_link", "truncated_link", "arp", "llc", "unsupported_ethertype", "too_many_tags",
    "unsupported_mpls", "pppoe_control", "ppp_control", "unsupported_family", "wlan_control", "wlan_protected",
    "wlan_aggregate", "truncated_ip", "bad_ip_version", "bad_ip_header", "too_many_headers", "truncated_extension",
    "truncated_tcp", "bad_tcp_header", "truncated_udp", "bad_udp_header", "truncated_icmp", "truncated_sctp",
    "truncated_tunnel", "ignored_ipv6",
)

cdef enum:
    SEEN_IPV4
    SEEN_IPV6
    SEEN_TCP
    SEEN_UDP
    SEEN_ICMPV4
    SEEN_ICMPV6
    SEEN_SCTP
    SEEN_VLAN
    SEEN_MPLS
    SEEN_PPPOE
    SEEN_TUNNEL
    SEEN_FRAGMENT
    SEEN_CUT
    SEENS

SEEN_NAMES = ("ipv4", "ipv6", "tcp", "udp", "icmpv4", "icmpv6", "sctp", "vlan", "mpls", "pppoe", "tunnel", "fragments",
              "cut_packets")

cdef enum:
    ICMP4 = 1
    IGMP = 2
    TCP = 6
    UDP = 17
    ICMP6 = 58
    SCTP = 132
    F_FIN = 1
    F_SYN = 2
    F_RST = 4
    F_ACK = 16

cdef struct Key:
    uint8_t low[16]        # the endpoint that compares smaller, so both directions have one key
    uint8_t high[16]
    uint16_t low_port
    uint16_t high_port
    uint16_t vlan[2]
    uint32_t tunnel
    uint8_t proto
    uint8_t ip_version
    uint8_t vlans
    uint8_t later_fragment # of a datagram whose first fragment was not seen

cdef struct Place:           # where something is counted to a host
    uint32_t hash
    uint8_t peer             # bucket of the other host
    uint8_t port             # bucket of the responder's port
    uint16_t reserved

cdef struct Opening:         # where a connection that a packet may begin is counted to; see context.pxi
    Place src
    Place dst
    Place pair               # without a peer
    bint known

cdef struct Packet:
    Key key
    int64_t ts_ns
    uint64_t wire
    uint32_t hash
    uint32_t ip_bytes
    uint32_t payload
    uint32_t header
    uint32_t seq
    uint32_t ack
    uint16_t window
    int16_t icmp_type
    int16_t icmp_code
    uint8_t flags
    uint8_t from_low
    uint8_t in_flow
    uint8_t quotes               # an ICMP error: `quoted` is the flow that it speaks of
    uint8_t quoted_from_low
    Opening opening
    Key quoted

cdef inline const uint8_t *source(Packet *packet) noexcept nogil:
    return &packet.key.low[0] if packet.from_low else &packet.key.high[0]

cdef inline const uint8_t *destination(Packet *packet) noexcept nogil:
    return &packet.key.high[0] if packet.from_low else &packet.key.low[0]

cdef inline uint16_t source_port(Packet *packet) noexcept nogil:
    if packet.key.proto == ICMP4 or packet.key.proto == ICMP6:
        return 0
    return packet.key.low_port if packet.from_low else packet.key.high_port

cdef inline uint16_t destination_port(Packet *packet) noexcept nogil:
    if packet.key.proto == ICMP4 or packet.key.proto == ICMP6:
        return 0
    return packet.key.high_port if packet.from_low else packet.key.low_port
