# From an IP header to ports, flags and payload length.
# RFC 791, 8200, 9293, 768, 792, 4443, 9260; for tunnels RFC 2003, 2473, 2784, 7348, 8926 and 3GPP TS 29.281.

cdef enum:
    MAX_EXTENSIONS = 16
    MAX_DEPTH = 4
    FRAGMENT_SLOTS = 8192

cdef int64_t FRAGMENT_NS = 30000000000

cdef struct Fragment:
    uint64_t tag
    int64_t ts_ns
    uint16_t source
    uint16_t destination

cdef struct Decoder:
    # what a profile asks for
    bint ipv6
    bint vlan_in_key
    bint tunnels
    int protocols          # PROTOCOLS_ALL or what CICFlowMeter knew
    bint icmp_in_key
    bint match_fragments
    bint icmp_errors_join
    bint plain_links       # Ethernet and VLAN tags only, as CICFlowMeter's reader
    bint lenient           # a TCP header is taken as it claims to be
    # state
    Fragment *fragments
    uint64_t *seen
    int depth

cdef enum:
    PROTOCOLS_ALL = 0
    PROTOCOLS_LEGACY = 1   # TCP and UDP, the rest is 0
    PROTOCOLS_CNS22 = 2    # and ICMP
    PROTOCOLS_FORK = 3     # and IGMP and SCTP

cdef Outcome decode_ip(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet,
                       uint32_t expected) noexcept nogil:
    """Decode the IP packet at `at`; `expected` is 4 or 6 where a link layer named it, else 0."""
    cdef uint32_t version = u8(view, at) >> 4
    if view.short:
        return TRUNCATED_IP
    if (version != 4 and version != 6) or (expected and version != expected):
        return BAD_IP_VERSION
    if version == 4:
        return decode_ipv4(decoder, view, at, wire, packet)
    if not decoder.ipv6:
        return IGNORED_IPV6
    return decode_ipv6(decoder, view, at, wire, packet)

cdef Outcome decode_ipv4(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    cdef uint32_t header = (u8(view, at) & 15) * 4, length = u16(view, at + 2), fragment = u16(view, at + 6)
    cdef uint32_t proto = u8(view, at + 9), identity = u16(view, at + 4)
    cdef uint8_t src[16]
    cdef uint8_t dst[16]
    memset(src, 0, 16)
    memset(dst, 0, 16)
    copy_bytes(view, at + 12, src, 4)
    copy_bytes(view, at + 16, dst, 4)
    if view.short:
        return TRUNCATED_IP
    if length == 0 or at + length > wire:              # offloaded, or more than there was: what the wire carried
        length = <uint32_t> (wire - at) if wire > at else 0
    if header < 20 or length < header:
        return BAD_IP_HEADER
    decoder.seen[SEEN_IPV4] += 1
    packet.key.ip_version = 4
    packet.ip_bytes = length
    return decode_transport(decoder, view, at + header, wire, length - header, proto, packet, src, dst,
                            (fragment & 0x1FFF) != 0, (fragment & 0x2000) != 0, identity)

cdef Outcome decode_ipv6(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    cdef uint32_t rest = u16(view, at + 4), proto = u8(view, at + 6), size, identity = 0, word, headers = 0
    cdef bint later = False, more = False
    cdef uint8_t src[16]
    cdef uint8_t dst[16]
    cdef size_t start = at
    copy_bytes(view, at + 8, src, 16)
    copy_bytes(view, at + 24, dst, 16)
    if view.short:
        return TRUNCATED_IP
    if rest == 0 or at + 40 + rest > wire:
        rest = <uint32_t> (wire - at - 40) if wire > at + 40 else 0
    decoder.seen[SEEN_IPV6] += 1
    packet.key.ip_version = 6
    packet.ip_bytes = rest + 40
    at += 40
    while (proto == 0 or proto == 43 or proto == 44 or proto == 51 or proto == 60 or proto == 135 or proto == 139
           or proto == 140):
        headers += 1
        if headers > MAX_EXTENSIONS:
            return TOO_MANY_HEADERS
        word = u8(view, at)
        size = 8
        if proto == 44:
            more = (u16(view, at + 2) & 1) != 0
            later = (u16(view, at + 2) & 0xFFF8) != 0
            identity = u32(view, at + 4)
        elif proto == 51:
            size = (u8(view, at + 1) + 2) * 4
        else:
            size = (u8(view, at + 1) + 1) * 8
        if view.short:
            return TRUNCATED_EXTENSION
        if size > rest:
            return BAD_IP_HEADER
        proto = word
        rest -= size
        at += size
        if later:
            break
    return decode_transport(decoder, view, at, wire, rest, proto, packet, src, dst, later, more, identity)

cdef Outcome decode_transport(Decoder *decoder, View *view, size_t at, uint64_t wire, uint32_t rest, uint32_t proto,
                              Packet *packet, uint8_t *src, uint8_t *dst, bint later, bint more,
                              uint32_t identity) noexcept nogil:
    """Fill ports, flags and lengths; `rest` bytes follow the IP header on the wire."""
    cdef uint32_t sport = 0, dport = 0, header = 0, payload = 0
    cdef Outcome inner
    packet.flags = 0
    packet.window = 0
    packet.seq = 0
    packet.ack = 0
    packet.icmp_type = -1
    packet.icmp_code = -1
    packet.quotes = False
    if later or more:
        decoder.seen[SEEN_FRAGMENT] += 1
    if later:
        payload = rest if proto == TCP or proto == UDP else 0
        if not decoder.match_fragments:
            proto, payload = 0, 0
        elif not find_fragment(decoder, packet, src, dst, proto, identity, &sport, &dport):
            packet.key.later_fragment = 1
    elif proto == TCP:
        sport = u16(view, at)
        dport = u16(view, at + 2)
        packet.seq = u32(view, at + 4)
        packet.ack = u32(view, at + 8)
        header = (u8(view, at + 12) >> 4) * 4
        packet.flags = u8(view, at + 13)
        packet.window = u16(view, at + 14)
        if rest < 20 and not more and not decoder.lenient:
            return BAD_TCP_HEADER
        if view.short:
            return TRUNCATED_TCP
        if (header < 20 or (header > rest and not more)) and not decoder.lenient:
            return BAD_TCP_HEADER
        payload = rest - header if rest > header else 0
        decoder.seen[SEEN_TCP] += 1
    elif proto == UDP:
        sport = u16(view, at)
        dport = u16(view, at + 2)
        if rest < 8:
            return BAD_UDP_HEADER
        if view.short:
            return TRUNCATED_UDP
        header = 8
        payload = rest - 8
        decoder.seen[SEEN_UDP] += 1
    elif proto == SCTP and (decoder.protocols == PROTOCOLS_ALL or decoder.protocols == PROTOCOLS_FORK):
        sport = u16(view, at)
        dport = u16(view, at + 2)
        if view.short or rest < 12:
            return TRUNCATED_SCTP
        decoder.seen[SEEN_SCTP] += 1
    elif (proto == ICMP4 and packet.key.ip_version == 4) or (proto == ICMP6 and packet.key.ip_version == 6):
        packet.icmp_type = u8(view, at)
        packet.icmp_code = u8(view, at + 1)
        if (view.short or rest < 2) and not decoder.lenient:
            return TRUNCATED_ICMP
        decoder.seen[SEEN_ICMPV4 if proto == ICMP4 else SEEN_ICMPV6] += 1
        if decoder.icmp_in_key:
            sport, dport = icmp_pair(proto, packet.icmp_type), packet.icmp_code
        if decoder.icmp_errors_join and proto == ICMP4 and packet.icmp_type == 3:
            decode_quote(decoder, view, at + 8, packet)
    if decoder.tunnels and not later:
        inner = decode_tunnel(decoder, view, at, wire, rest, proto, dport, packet)
        if inner != OUTCOMES:
            return inner
    if decoder.protocols != PROTOCOLS_ALL and proto != TCP and proto != UDP:
        if not ((proto == ICMP4 and decoder.protocols >= PROTOCOLS_CNS22)
                or ((proto == IGMP or proto == SCTP) and decoder.protocols >= PROTOCOLS_FORK)):
            proto = 0
            packet.icmp_type = -1
            packet.icmp_code = -1
    packet.key.proto = proto
    if packet.quotes:
        memcpy(packet.quoted.vlan, packet.key.vlan, sizeof(packet.key.vlan))
        packet.quoted.vlans = packet.key.vlans
        packet.quoted.tunnel = packet.key.tunnel
    packet.payload = payload
    packet.header = header
    if not decoder.vlan_in_key:
        packet.key.vlan[0] = 0
        packet.key.vlan[1] = 0
        packet.key.vlans = 0
    if more and not later and decoder.match_fragments:
        keep_fragment(decoder, packet, src, dst, proto, identity, sport, dport)
    packet.from_low = set_key(&packet.key, src, dst, sport, dport, decoder.protocols == PROTOCOLS_LEGACY)
    return IN_FLOW

cdef bint set_key(Key *key, uint8_t *src, uint8_t *dst, uint32_t sport, uint32_t dport, bint legacy) noexcept nogil:
    """Put the smaller endpoint first, so that both directions share a key; True when the source is the smaller."""
    cdef int order = memcmp(src, dst, 16)
    cdef bint icmp = key.proto == (ICMP4 if key.ip_version == 4 else ICMP6)
    cdef bint from_low = order < 0 or (order == 0 and (icmp or sport <= dport or legacy))
    memcpy(key.low, src if from_low else dst, 16)
    memcpy(key.high, dst if from_low else src, 16)
    if from_low or icmp:                               # ICMP: type and code, which have no direction
        key.low_port = sport
        key.high_port = dport
    else:
        key.low_port = dport
        key.high_port = sport
    return from_low

cdef void decode_quote(Decoder *decoder, View *view, size_t at, Packet *packet) noexcept nogil:
    """Find the TCP, UDP or ICMP flow that a destination-unreachable message quotes; it travels against it."""
    cdef uint32_t proto = u8(view, at + 9), header = (u8(view, at) & 15) * 4, sport = 0, dport = 0
    cdef bint whole = u8(view, at) >> 4 == 4 and header >= 20
    cdef uint8_t src[16]
    cdef uint8_t dst[16]
    memset(&packet.quoted, 0, sizeof(Key))
    memset(src, 0, 16)
    memset(dst, 0, 16)
    copy_bytes(view, at + 12, src, 4)
    copy_bytes(view, at + 16, dst, 4)
    if proto == TCP or proto == UDP:
        sport = u16(view, at + header)
        dport = u16(view, at + header + 2)
    elif proto == ICMP4 and decoder.icmp_in_key:
        dport = icmp_pair(proto, u8(view, at + header))
        sport = u8(view, at + header + 1)
    packet.quotes = whole and not view.short and (proto == TCP or proto == UDP or proto == ICMP4)
    view.short = False                                 # a quote cut short: the error is its own flow
    packet.quoted.proto = proto
    packet.quoted.ip_version = 4
    packet.quoted_from_low = set_key(&packet.quoted, dst, src, dport, sport, False)

cdef uint16_t icmp_pair(uint32_t proto, int16_t kind) noexcept nogil:
    """The type that a request and its reply share: the request's."""
    if proto == ICMP4:
        if kind == 0:
            return 8
        if kind == 14 or kind == 16 or kind == 18:
            return kind - 1
        if kind == 9:
            return 10
        return kind
    if kind == 129 or kind == 134 or kind == 136 or kind == 140 or kind == 145 or kind == 147:
        return kind - 1
    return kind

cdef Outcome decode_tunnel(Decoder *decoder, View *view, size_t at, uint64_t wire, uint32_t rest, uint32_t proto,
                           uint32_t dport, Packet *packet) noexcept nogil:
    """Decode what a tunnel carries in place of the outer packet; OUTCOMES when this is no tunnel.

    The tunnel's identifier joins the key: VXLAN and Geneve network, GTP endpoint, GRE key, or the protocol number.
    """
    cdef uint32_t flags, kind, size
    cdef uint32_t version = packet.key.ip_version
    if decoder.depth >= MAX_DEPTH:
        return TOO_MANY_HEADERS if proto == 4 or proto == 41 or proto == 47 else OUTCOMES
    decoder.depth += 1
    if proto == 4 or proto == 41:
        decoder.seen[SEEN_TUNNEL] += 1
        packet.key.tunnel = proto
        return decode_ip(decoder, view, at, wire, packet, 4 if proto == 4 else 6)
    if proto == 47:
        flags = u16(view, at)
        kind = u16(view, at + 2)
        if view.short:
            return TRUNCATED_TUNNEL
        if flags & 0x4007:                             # routing present, or a version other than 0
            return OUTCOMES
        size = 4 + (4 if flags & 0x8000 else 0)
        packet.key.tunnel = 47
        if flags & 0x2000:
            packet.key.tunnel = u32(view, at + size)
            size += 4
        if flags & 0x1000:
            size += 4
        if view.short:
            return TRUNCATED_TUNNEL
        decoder.seen[SEEN_TUNNEL] += 1
        if kind == 0x6558:
            return decode_ethernet(decoder, view, at + size, wire, packet)
        return decode_ethertype(decoder, view, at + size, kind if kind >= 0x0600 else 0xFFFF, wire, packet)
    if proto != UDP:
        return OUTCOMES
    if dport == 4789 and u8(view, at + 8) == 0x08 and rest >= 16:
        packet.key.tunnel = u32(view, at + 12) >> 8
        decoder.seen[SEEN_TUNNEL] += 1
        return TRUNCATED_TUNNEL if view.short else decode_ethernet(decoder, view, at + 16, wire, packet)
    if dport == 6081 and (u8(view, at + 8) & 0xC0) == 0 and rest >= 16:
        size = 16 + (u8(view, at + 8) & 0x3F) * 4
        kind = u16(view, at + 10)
        packet.key.tunnel = u32(view, at + 12) >> 8
        decoder.seen[SEEN_TUNNEL] += 1
        if view.short:
            return TRUNCATED_TUNNEL
        if kind == 0x6558:
            return decode_ethernet(decoder, view, at + size, wire, packet)
        return decode_ethertype(decoder, view, at + size, kind if kind >= 0x0600 else 0xFFFF, wire, packet)
    if dport == 2152 and (u8(view, at + 8) & 0xF0) == 0x30 and u8(view, at + 9) == 0xFF and rest >= 16:
        flags = u8(view, at + 8)
        packet.key.tunnel = u32(view, at + 12)
        size = 16
        if flags & 7:
            if flags & 4 and u8(view, at + 19) != 0:   # extension headers are left alone: this stays a UDP flow
                packet.key.tunnel = 0
                return OUTCOMES
            size = 20
        if view.short:
            return TRUNCATED_TUNNEL
        decoder.seen[SEEN_TUNNEL] += 1
        return decode_ip(decoder, view, at + size, wire, packet, 0)
    view.short = False
    packet.key.ip_version = version
    return OUTCOMES

cdef uint64_t fragment_tag(Packet *packet, uint8_t *src, uint8_t *dst, uint32_t proto,
                           uint32_t identity) noexcept nogil:
    cdef Sip s
    sip_start(&s, 0x6E657474727573ULL, 0x66726167)
    sip_word(&s, word_at(src))
    sip_word(&s, word_at(src + 8))
    sip_word(&s, word_at(dst))
    sip_word(&s, word_at(dst + 8))
    sip_word(&s, (<uint64_t> identity << 32) | (<uint64_t> proto << 16) | packet.key.vlan[0])
    return sip_end(&s) | 1

cdef void keep_fragment(Decoder *decoder, Packet *packet, uint8_t *src, uint8_t *dst, uint32_t proto,
                        uint32_t identity, uint32_t sport, uint32_t dport) noexcept nogil:
    """Remember the ports of a datagram's first fragment, so that later ones find its flow. A newer one overwrites."""
    cdef uint64_t tag = fragment_tag(packet, src, dst, proto, identity)
    cdef Fragment *entry = &decoder.fragments[tag % FRAGMENT_SLOTS]
    entry.tag = tag
    entry.ts_ns = packet.ts_ns
    entry.source = sport
    entry.destination = dport

cdef bint find_fragment(Decoder *decoder, Packet *packet, uint8_t *src, uint8_t *dst, uint32_t proto,
                        uint32_t identity, uint32_t *sport, uint32_t *dport) noexcept nogil:
    cdef uint64_t tag = fragment_tag(packet, src, dst, proto, identity)
    cdef Fragment *entry = &decoder.fragments[tag % FRAGMENT_SLOTS]
    if entry.tag != tag or packet.ts_ns - entry.ts_ns > FRAGMENT_NS:
        return False
    sport[0] = entry.source
    dport[0] = entry.destination
    return True
