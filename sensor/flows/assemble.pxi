# From the records of a buffer to counted flows.


cdef size_t feed_records(Table *table, const uint8_t *at, size_t size, Framing framing) noexcept nogil:
    cdef Packet batch[BATCH]
    cdef Frame frame
    cdef size_t consumed = 0, taken = 0
    cdef int count, i
    cdef Step step = STEP_SKIP
    cdef Outcome outcome
    cdef Entry *entry
    cdef char *line
    table.draining = False
    while table.out_count < PENDING and not table.out_of_memory:
        count = 0
        while count < BATCH:
            step = framing.next(at + consumed, size - consumed, &taken, &frame)
            if step == STEP_MORE or step == STEP_CORRUPT:
                break
            consumed += taken
            if step == STEP_SKIP:
                continue
            if table.rules.whole_us:
                frame.ts_ns -= frame.ts_ns % 1000
            table.decoder.depth = 0
            outcome = decode_frame(&table.decoder, &frame, &batch[count])
            table.packets += 1
            table.octets += frame.wire
            table.outcomes[outcome] += 1
            batch[count].in_flow = outcome == IN_FLOW
            batch[count].opening.known = False
            if outcome == IN_FLOW:
                batch[count].hash = <uint32_t> hash_key(&batch[count].key, table.k0, table.k1, 0)
                prefetch_line(&table.index[batch[count].hash & table.mask])
            count += 1
        for i in range(count):
            if not batch[i].in_flow:
                continue
            entry = &table.index[batch[i].hash & table.mask]
            if entry.slot == NO_SLOT:
                if table.rules.context:
                    foresee_packet(table, &batch[i])
            else:
                line = <char *> &table.slots[entry.slot]
                prefetch_line(line)
                prefetch_line(line + 64)
                prefetch_line(line + 128)
                prefetch_line(line + 192)
                prefetch_line(line + 256)
                if batch[i].from_low != table.slots[entry.slot].forward_low:
                    prefetch_line(line + 384)
                    prefetch_line(line + 448)
        if table.rules.context:
            for i in range(count):
                if batch[i].opening.known:
                    send_for(&table.hosts, &batch[i].opening)
        for i in range(count):
            advance_clock(table, batch[i].ts_ns)      # the time of a packet without a flow counts too
            if batch[i].in_flow:
                add_packet(table, &batch[i])
        if step == STEP_MORE:
            break
        if step == STEP_CORRUPT:
            framing.corrupt = True
            break
    return consumed


cdef void add_packet(Table *table, Packet *packet) noexcept nogil:
    """Count one packet to its flow, ending and beginning flows as the rules say."""
    cdef uint32_t number
    cdef Slot *slot
    cdef int64_t idle
    cdef bint syn, reuse, backward, too_old, open, keep
    number = find_quoted(table, packet) if packet.quotes else find_flow(table, packet)
    if number == NO_SLOT:
        begin_flow(table, packet)
        return
    slot = &table.slots[number]
    syn = (packet.flags & F_SYN) != 0 and (not table.rules.sweep or (packet.flags & F_ACK) == 0)
    reuse = syn and slot.closing >= CLOSED_FIN
    if reuse and table.rules.same_syn_joins and slot.has_first_syn and slot.first_syn == packet.seq:
        reuse = False
    idle = idle_ns(table, slot) if table.rules.sweep else 0
    too_old = table.rules.active_ns and packet.ts_ns - slot.rec.start_ns > table.rules.active_ns
    if idle and packet.ts_ns - slot.rec.end_ns > idle:
        end_flow(table, number, first_up(table, slot, idle))
        begin_flow(table, packet)
    elif slot.dormant or too_old or reuse:
        keep = keeps_roles(table, slot, packet, reuse)
        if not slot.dormant:
            report_flow(table, slot, ACTIVE_ENDED if too_old else REUSED, not keep)
        elif not keep and table.rules.context:
            end_untold(&table.hosts, slot)
        succeed_flow(table, number, packet, keep)
    elif (table.rules.split_icmp and slot.rec.proto == ICMP4 and slot.rec.icmp_type != packet.icmp_type
          and slot.rec.icmp_code != packet.icmp_code):
        end_flow(table, number, REUSED)
        begin_flow(table, packet)
    else:
        backward = goes_back(table, slot, packet)
        count_packet(table, slot, packet, backward)
        open = slot.closing < CLOSED_FIN
        advance_state(table, number, packet, backward)
        if slot.used and is_due(table, slot, open):
            report_flow(table, slot, SNAPSHOT, False)


cdef inline uint32_t find_flow(Table *table, Packet *packet) noexcept nogil:
    cdef uint32_t at = packet.hash & table.mask
    while table.index[at].slot != NO_SLOT:
        if (table.index[at].hash == packet.hash
                and memcmp(&table.slots[table.index[at].slot].key, &packet.key, sizeof(Key)) == 0):
            return table.index[at].slot
        at = (at + 1) & table.mask
    return NO_SLOT


cdef bint goes_on(Table *table, Slot *slot, int64_t now) noexcept nogil:
    """Whether a flow is open and its time not up, looked at or not."""
    cdef int64_t idle = idle_ns(table, slot) if table.rules.sweep else 0
    if slot.dormant or (idle and now - slot.rec.end_ns > idle):
        return False
    return not (table.rules.active_ns and now - slot.rec.start_ns > table.rules.active_ns)


cdef uint32_t find_quoted(Table *table, Packet *packet) noexcept nogil:
    """Find the flow that an ICMP error quotes and make the packet its own; else its flow as an ICMP packet."""
    cdef Packet quoted = packet[0]
    cdef uint32_t number
    quoted.key = packet.quoted
    quoted.from_low = packet.quoted_from_low
    quoted.opening.known = False
    quoted.hash = <uint32_t> hash_key(&quoted.key, table.k0, table.k1, 0)
    number = find_flow(table, &quoted)
    if number == NO_SLOT or not goes_on(table, &table.slots[number], packet.ts_ns):
        return find_flow(table, packet)
    packet[0] = quoted
    return number


cdef inline bint one_endpoint(const Key *key) noexcept nogil:
    """Whether a flow talks to itself: such a flow has no other side."""
    return key.low_port == key.high_port and memcmp(key.low, key.high, 16) == 0


cdef inline bint goes_back(Table *table, Slot *slot, Packet *packet) noexcept nogil:
    if table.rules.by_endpoint:
        return packet.from_low != slot.forward_low
    return memcmp(source(packet), slot.rec.src, 16) != 0


cdef void begin_flow(Table *table, Packet *packet) noexcept nogil:
    """Open a flow that owes nothing to an earlier one."""
    cdef uint32_t number, at
    cdef Slot *slot
    if table.live >= table.capacity:
        evict_idlest(table)
    number = table.free_head
    if number != NO_SLOT:
        table.free_head = table.slots[number].next
    elif table.used_slots < table.capacity:
        number = table.used_slots
        table.used_slots += 1
    else:                                 # nothing could be evicted: memory for the ranking ran out
        table.out_of_memory = True
        return
    slot = &table.slots[number]           # what is not set here is set by open_piece
    slot.key = packet.key
    slot.hash = packet.hash
    slot.used = True
    slot.bucket = NO_SLOT
    at = packet.hash & table.mask
    while table.index[at].slot != NO_SLOT:
        at = (at + 1) & table.mask
    table.index[at].hash = packet.hash
    table.index[at].slot = number
    table.live += 1
    open_piece(table, slot, packet, True)
    if table.rules.sweep:
        wheel_add(&table.wheel, table.slots, number, deadline(table, slot))


cdef inline bint begun_by_other(Table *table, Packet *packet) noexcept nogil:
    """Whether a packet that nothing came before answers one that was not seen."""
    return (table.rules.swap_syn_ack and (packet.flags & (F_SYN | F_ACK)) == (F_SYN | F_ACK)
            and not (table.rules.by_endpoint and one_endpoint(&packet.key)))


cdef inline void foresee_packet(Table *table, Packet *packet) noexcept nogil:
    """Look ahead to what a packet will mean to its hosts if it begins a connection."""
    if begun_by_other(table, packet):
        foresee(&table.hosts, &packet.opening, destination(packet), source(packet), source_port(packet),
                packet.key.ip_version)
    else:
        foresee(&table.hosts, &packet.opening, source(packet), destination(packet), destination_port(packet),
                packet.key.ip_version)


cdef void open_piece(Table *table, Slot *slot, Packet *packet, bint fresh) noexcept nogil:
    """Begin a flow in `slot`, with roles of its own or those of the flow before it."""
    cdef FlowRecord *rec = &slot.rec
    cdef bint swap, backward
    cdef uint8_t roles[40]
    if not fresh:
        memcpy(roles, rec.src, 32)
        memcpy(roles + 32, &rec.src_port, 2)
        memcpy(roles + 34, &rec.dst_port, 2)
        roles[36] = rec.swapped
    memset(rec, 0, CONTEXT_AT)           # the context is written where a record is told
    memset(slot.bulk, 0, sizeof(slot.bulk))
    table.serial += 1
    slot.serial = table.serial
    slot.closing = OPEN
    slot.dormant = False
    if fresh:
        swap = begun_by_other(table, packet)
        slot.forward_low = packet.from_low != swap
        slot.connection = table.serial
        slot.has_first_syn = (packet.flags & F_SYN) != 0
        slot.first_syn = packet.seq
        slot.conn_base_ns = 0
        slot.conn_start_ns = packet.ts_ns
        slot.parts = 0
        slot.ended = False
        slot.told_fwd_payload = 0
        slot.told_bwd_payload = 0
        slot.told_bwd_pkts = 0
        memcpy(rec.src, destination(packet) if swap else source(packet), 16)
        memcpy(rec.dst, source(packet) if swap else destination(packet), 16)
        rec.src_port = destination_port(packet) if swap else source_port(packet)
        rec.dst_port = source_port(packet) if swap else destination_port(packet)
        rec.swapped = swap
    else:
        memcpy(rec.src, roles, 32)
        memcpy(&rec.src_port, roles + 32, 2)
        memcpy(&rec.dst_port, roles + 34, 2)
        rec.swapped = roles[36]
        rec.roles_kept = True
    rec.proto = packet.key.proto
    rec.ip_version = packet.key.ip_version
    rec.vlan[0] = packet.key.vlan[0]
    rec.vlan[1] = packet.key.vlan[1]
    rec.vlans = packet.key.vlans
    rec.tunnel = packet.key.tunnel
    rec.icmp_type = packet.icmp_type
    rec.icmp_code = packet.icmp_code
    rec.start_ns = packet.ts_ns
    rec.end_ns = packet.ts_ns
    slot.active_from_ns = packet.ts_ns
    rec.first_flags = packet.flags
    rec.first_payload = packet.payload
    rec.fwd_init_win = -1
    rec.bwd_init_win = -1
    rec.bwd_last_win = -1
    backward = goes_back(table, slot, packet) and not table.rules.first_fin_ends
    rec.first_backward = backward
    if not backward and packet.key.proto == TCP:
        rec.fwd_init_win = packet.window
    if fresh and table.rules.context:
        if not packet.opening.known:
            foresee_packet(table, packet)
        begin_connection(&table.hosts, slot, &packet.opening)
    count_packet(table, slot, packet, backward)
    slot.fins = 0
    if table.rules.sweep:                        # CICFlowMeter does not move its state by a first packet
        note_flags(table, slot, packet, backward)
    elif table.rules.fin_of_first and packet.flags & F_FIN:
        slot.fins = 2 if backward else 1
    if is_due(table, slot, True):
        report_flow(table, slot, SNAPSHOT, False)


cdef inline bint is_due(Table *table, Slot *slot, bint was_open) noexcept nogil:
    """Whether a flow is to be told of as it is now: it has so many packets, or its connection has just closed."""
    if was_open and slot.closing >= CLOSED_FIN and table.rules.snapshot_closed:
        return True
    return slot.rec.fwd.pkts + slot.rec.bwd.pkts == table.rules.snapshot_pkts


cdef bint keeps_roles(Table *table, Slot *slot, Packet *packet, bint reuse) noexcept nogil:
    """Whether the flow that follows on a key goes on with the connection of the one before."""
    if table.rules.keep_roles == ROLES_ALWAYS:
        return True
    if table.rules.keep_roles == ROLES_TCP:      # only a SYN without ACK begins a new connection
        return slot.rec.proto == TCP and not (reuse and (packet.flags & F_ACK) == 0)
    return not reuse and (slot.rec.proto == TCP or (
        slot.rec.proto == UDP and packet.ts_ns - slot.rec.end_ns <= table.rules.active_ns))


cdef void succeed_flow(Table *table, uint32_t number, Packet *packet, bint keep) noexcept nogil:
    """Begin the flow that follows one that was cut, on the same key."""
    cdef Slot *slot = &table.slots[number]
    if keep:
        slot.conn_base_ns += packet.ts_ns - slot.rec.end_ns
        if not slot.dormant:
            slot.conn_base_ns += own_duration(table, &slot.rec)
    open_piece(table, slot, packet, not keep)
    if table.rules.sweep:
        wheel_remove(&table.wheel, table.slots, number)
        wheel_add(&table.wheel, table.slots, number, deadline(table, slot))


cdef inline int64_t own_duration(Table *table, FlowRecord *rec) noexcept nogil:
    """What a flow adds to its connection's time: its duration, for TCP (and UDP in `fork`)."""
    if rec.proto == TCP or (rec.proto == UDP and table.rules.conn_udp):
        return rec.end_ns - rec.start_ns
    return 0


cdef inline void count_packet(Table *table, Slot *slot, Packet *packet, bint backward) noexcept nogil:
    cdef FlowRecord *rec = &slot.rec
    cdef Direction *d = &rec.bwd if backward else &rec.fwd
    cdef int64_t ts = packet.ts_ns
    cdef uint64_t before = rec.fwd.pkts + rec.bwd.pkts
    if before < FIRST_PACKETS:
        add_to_sequence(rec, before, packet, backward)
    if before:
        if not (table.rules.first_fin_ends and packet.flags & F_FIN):
            add_period(rec, &slot.active_from_ns, ts, table.rules.activity_ns)
        if ts - rec.end_ns > SECOND_NS:
            rec.gaps_1s += 1
        add_moment(&rec.iat, ts - rec.end_ns)
    add_bulk(d, &slot.bulk[backward], &slot.bulk[not backward], ts, packet.payload)
    add_to_direction(d, packet)
    add_windows(rec, packet, backward)
    rec.end_ns = ts
    if table.rules.retransmissions and packet.key.proto == TCP:
        note_retransmission(table, slot, packet, d)


cdef void advance_state(Table *table, uint32_t number, Packet *packet, bint backward) noexcept nogil:
    cdef Slot *slot = &table.slots[number]
    if table.rules.first_fin_ends:
        if packet.flags & F_FIN:
            end_flow(table, number, FIN_ENDED)
        return
    if packet.flags & (F_FIN | F_RST | F_ACK) and slot.closing < CLOSED_FIN:
        note_flags(table, slot, packet, backward)
        if slot.closing >= CLOSED_FIN and table.rules.sweep:
            wheel_remove(&table.wheel, table.slots, number)
            wheel_add(&table.wheel, table.slots, number, deadline(table, slot))


cdef inline void note_flags(Table *table, Slot *slot, Packet *packet, bint backward) noexcept nogil:
    """Move the closing state: FIN from both sides and one more ACK, or a RST, close a connection."""
    if packet.key.proto != TCP:
        return
    if packet.flags & F_FIN:
        slot.fins |= 2 if backward else 1
        if slot.closing == OPEN:
            slot.closing = FIRST_FIN
        elif slot.closing == FIRST_FIN and slot.fins == 3:
            slot.closing = SECOND_FIN
    elif packet.flags & F_RST:
        slot.closing = CLOSED_RST
    elif packet.flags & F_ACK and slot.closing == SECOND_FIN:
        slot.closing = CLOSED_FIN


cdef inline Reason closed_reason(Table *table, Slot *slot) noexcept nogil:
    return RST_ENDED if slot.closing == CLOSED_RST else FIN_ENDED


cdef void note_retransmission(Table *table, Slot *slot, Packet *packet, Direction *d) noexcept nogil:
    """Count a TCP packet whose sender, numbers, length and window were seen before in this connection."""
    cdef Sip s
    cdef uint64_t tag
    cdef size_t at
    if table.remembered == NULL:
        table.remembered = <uint64_t *> calloc(<size_t> SEEN_MASK + 1, sizeof(uint64_t))
    if table.remembered == NULL or table.remembered_count >= SEEN_CAP:
        table.untracked += 1
        return
    sip_start(&s, table.k0, table.k1)
    sip_word(&s, slot.connection)
    sip_word(&s, word_at(source(packet)))
    sip_word(&s, (<uint64_t> packet.seq << 32) | packet.ack)
    sip_word(&s, (<uint64_t> packet.payload << 32) | packet.window)
    tag = sip_end(&s) | 1
    at = tag & SEEN_MASK
    while table.remembered[at]:
        if table.remembered[at] == tag:
            d.retrans += 1
            return
        at = (at + 1) & SEEN_MASK
    table.remembered[at] = tag
    table.remembered_count += 1
