# From a frame to the IP packet in it: link layers, VLAN tags, MPLS, PPPoE, 802.11.
# Link-type numbers: tcpdump.org/linktypes.html. Ethertypes: IEEE 802 registry.

cdef enum:
    MAX_TAGS = 8

cdef Outcome decode_frame(Decoder *decoder, Frame *frame, Packet *packet) noexcept nogil:
    """Decode one frame into `packet`; anything but IN_FLOW says why it has no flow."""
    cdef View view
    cdef uint32_t link = frame.link, value
    cdef uint64_t wire = frame.wire
    view.at, view.size, view.short = frame.at, frame.captured, False
    packet.ts_ns = frame.ts_ns
    packet.wire = wire
    memset(&packet.key, 0, sizeof(Key))
    if frame.tagged:                                                  # the kernel took the outermost tag off
        wire -= 4
        decoder.seen[SEEN_VLAN] += 1
        packet.key.vlan[0] = frame.tag & 0x0FFF
        packet.key.vlans = 1
    if frame.captured < wire:
        decoder.seen[SEEN_CUT] += 1
    if link == 1:
        return decode_ethernet(decoder, &view, 0, wire, packet)
    if decoder.plain_links:
        return UNSUPPORTED_LINK
    if link == 113:                                                   # Linux cooked v1
        value = u16(&view, 14)
        return TRUNCATED_LINK if view.short else decode_ethertype(decoder, &view, 16, value, wire, packet)
    if link == 276:                                                   # Linux cooked v2
        value = u16(&view, 0)
        return TRUNCATED_LINK if view.size < 20 else decode_ethertype(decoder, &view, 20, value, wire, packet)
    if link == 101 or link == 12 or link == 14 or link == 228 or link == 229:
        return decode_ip(decoder, &view, 0, wire, packet, 0)
    if link == 0 or link == 108:                                      # BSD loopback: an address family
        value = u32(&view, 0)
        if view.short:
            return TRUNCATED_LINK
        if link == 0 and value > 0xFFFF:
            value = swapped32(value)
        if value == 2 or value == 24 or value == 28 or value == 30 or value == 10:
            return decode_ip(decoder, &view, 4, wire, packet, 0)
        return UNSUPPORTED_FAMILY
    if link == 9 or link == 50:
        return decode_ppp(decoder, &view, 0, wire, packet)
    if link == 51:
        return decode_pppoe(decoder, &view, 0, wire, packet)
    if link == 104:                                                   # Cisco HDLC
        value = u16(&view, 2)
        return TRUNCATED_LINK if view.short else decode_ethertype(decoder, &view, 4, value, wire, packet)
    if link == 105:
        return decode_wlan(decoder, &view, 0, wire, packet, False)
    if link == 127:
        return decode_radiotap(decoder, &view, wire, packet)
    return UNSUPPORTED_LINK

cdef Outcome decode_ethernet(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    cdef uint32_t ethertype = u16(view, at + 12)
    if view.short:
        return TRUNCATED_LINK
    return decode_ethertype(decoder, view, at + 14, ethertype, wire, packet)

cdef Outcome decode_ethertype(Decoder *decoder, View *view, size_t at, uint32_t ethertype, uint64_t wire,
                              Packet *packet) noexcept nogil:
    """Follow tags from an ethertype to an IP header at `at`."""
    cdef int tags = 0
    cdef uint32_t tag
    while tags <= MAX_TAGS:
        tags += 1
        if ethertype == 0x0800 or ethertype == 0x86DD:
            return decode_ip(decoder, view, at, wire, packet, 4 if ethertype == 0x0800 else 6)
        if ethertype == 0x8100 or ethertype == 0x88A8 or ethertype == 0x9100 or ethertype == 0x9200:
            tag = u16(view, at)
            ethertype = u16(view, at + 2)
            if view.short:
                return TRUNCATED_LINK
            decoder.seen[SEEN_VLAN] += 1
            if packet.key.vlans < 2:
                packet.key.vlan[packet.key.vlans] = tag & 0x0FFF
                packet.key.vlans += 1
            at += 4
        elif decoder.plain_links:
            return UNSUPPORTED_ETHERTYPE
        elif ethertype < 0x0600 and ethertype != 1:                   # a length: 802.2 follows
            if u16(view, at) == 0xAAAA and u8(view, at + 2) == 3 and not view.short:
                ethertype = u16(view, at + 6)
                if view.short:
                    return TRUNCATED_LINK
                if u16(view, at + 3) != 0 or u8(view, at + 5) != 0 or ethertype < 0x0600:
                    return LLC                                        # another organisation's protocol
                at += 8
            elif view.short:
                return TRUNCATED_LINK
            elif u16(view, at) == 0x0606:                             # 802.2 with IP's own access point
                return decode_ip(decoder, view, at + 3, wire, packet, 0)
            else:
                return LLC
        elif ethertype == 0x8847 or ethertype == 0x8848:
            return decode_mpls(decoder, view, at, wire, packet)
        elif ethertype == 0x8864:
            return decode_pppoe(decoder, view, at, wire, packet)
        elif ethertype == 0x8863:
            return PPPOE_CONTROL
        elif ethertype == 0x0806 or ethertype == 0x8035:
            return ARP
        else:
            return UNSUPPORTED_ETHERTYPE
    return TOO_MANY_TAGS

cdef Outcome decode_mpls(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    """Skip the label stack; what follows is IP by its version, or Ethernet behind a pseudo-wire control word."""
    cdef int labels = 0
    cdef uint32_t label
    decoder.seen[SEEN_MPLS] += 1
    while True:
        label = u32(view, at)
        if view.short:
            return TRUNCATED_LINK
        at += 4
        labels += 1
        if label & 0x100:
            break
        if labels >= 16:
            return TOO_MANY_TAGS
    label = u8(view, at) >> 4
    if view.short:
        return TRUNCATED_LINK
    if label == 4 or label == 6:
        return decode_ip(decoder, view, at, wire, packet, label)
    decoder.depth += 1
    if label == 0 and decoder.depth < 4:
        return decode_ethernet(decoder, view, at + 4, wire, packet)
    return UNSUPPORTED_MPLS

cdef Outcome decode_pppoe(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    decoder.seen[SEEN_PPPOE] += 1
    if u8(view, at + 1) != 0:
        return TRUNCATED_LINK if view.short else PPPOE_CONTROL
    return decode_ppp(decoder, view, at + 6, wire, packet)

cdef Outcome decode_ppp(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet) noexcept nogil:
    """PPP (RFC 1661, RFC 1662): optional address and control, a protocol of one or two bytes."""
    cdef uint32_t protocol
    if u16(view, at) == 0xFF03:
        at += 2
    protocol = u8(view, at)
    if protocol & 1:
        at += 1
    else:
        protocol = u16(view, at)
        at += 2
    if view.short:
        return TRUNCATED_LINK
    if protocol == 0x0021:
        return decode_ip(decoder, view, at, wire, packet, 4)
    if protocol == 0x0057:
        return decode_ip(decoder, view, at, wire, packet, 6)
    if protocol == 0x0281 or protocol == 0x0283:
        return decode_mpls(decoder, view, at, wire, packet)
    return PPP_CONTROL

cdef Outcome decode_radiotap(Decoder *decoder, View *view, uint64_t wire, Packet *packet) noexcept nogil:
    """Radiotap header (radiotap.org): its length, and from the flags field the check sequence and the padding."""
    cdef size_t length = swapped16(u16(view, 2)), at = 4
    cdef uint32_t present = swapped32(u32(view, 4)), word = present, flags = 0
    cdef int words = 1
    at = 8
    while word >> 31 and words < 16:
        word = swapped32(u32(view, at))
        at += 4
        words += 1
    if view.short or length < at or length > view.size:
        return TRUNCATED_LINK
    if present & 2:
        if present & 1:
            at = ((at + 7) & ~<size_t> 7) + 8
        if at < length:
            flags = u8(view, at)
    if flags & 0x10 and wire > length + 4:
        wire -= 4
        if view.size > wire:
            view.size = wire
    return decode_wlan(decoder, view, length, wire, packet, (flags & 0x20) != 0)

cdef Outcome decode_wlan(Decoder *decoder, View *view, size_t at, uint64_t wire, Packet *packet,
                         bint padded) noexcept nogil:
    """An 802.11 data frame whose body is LLC with SNAP."""
    cdef uint32_t control = u8(view, at), more = u8(view, at + 1)
    cdef size_t header = 24
    if view.short:
        return TRUNCATED_LINK
    if (control & 0x0C) != 0x08 or control & 0x40:                    # not data, or data without a body
        return WLAN_CONTROL
    if more & 0x40:
        return WLAN_PROTECTED
    if (more & 3) == 3:
        header += 6
    if control & 0x80:
        if u8(view, at + header) & 0x80:
            return WLAN_AGGREGATE
        header += 2
        if more & 0x80:
            header += 4
    if padded:
        header = (header + 3) & ~<size_t> 3
    return decode_ethertype(decoder, view, at + header, 0, wire, packet)
