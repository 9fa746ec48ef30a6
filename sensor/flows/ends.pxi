# Time, eviction, and how a flow leaves the table.

cdef inline int64_t idle_ns(Table *table, Slot *slot) noexcept nogil:
    """The idle timeout of a flow's protocol and state; 0 is none."""
    cdef bint both = slot.rec.fwd.pkts != 0 and slot.rec.bwd.pkts != 0
    if slot.closing >= CLOSED_FIN:
        return table.rules.linger_ns
    if slot.rec.proto == TCP:
        return table.rules.tcp_ns if both else table.rules.tcp_new_ns
    if slot.rec.proto == UDP:
        return table.rules.udp_ns if both else table.rules.udp_new_ns
    if slot.rec.icmp_type >= 0:
        return table.rules.icmp_ns
    return table.rules.other_ns

cdef inline Reason first_up(Table *table, Slot *slot, int64_t idle) noexcept nogil:
    """Why a flow that was idle for too long ended: it may have grown too old before that.

    So the reason does not hang on when the flow was looked at.
    """
    if table.rules.active_ns and slot.rec.start_ns + table.rules.active_ns < slot.rec.end_ns + idle:
        return ACTIVE_ENDED
    return closed_reason(table, slot) if slot.closing >= CLOSED_FIN else IDLE_ENDED

cdef inline int64_t deadline(Table *table, Slot *slot) noexcept nogil:
    """When a flow's time is up if no packet comes."""
    cdef int64_t idle = idle_ns(table, slot), at = INT64_MAX
    if idle:
        at = slot.rec.end_ns + idle
    if table.rules.active_ns and not slot.dormant and slot.rec.start_ns + table.rules.active_ns < at:
        at = slot.rec.start_ns + table.rules.active_ns
    return at

cdef void advance_clock(Table *table, int64_t now) noexcept nogil:
    """Move the clock; flows whose time is up by then leave. A clock that fell back over an hour starts anew.

    Timers fire at whole ticks, in their order, each at its tick's own time: whether a packet or a silent source
    moves the clock, and how far at once, changes nothing, not even the order of what leaves.
    """
    cdef int64_t tick = now >> TICK_SHIFT, steps = 0
    cdef Wheel *wheel = &table.wheel
    if not table.started or now < table.clock_ns - HOUR_NS:
        if table.started and table.rules.context:
            forget_hosts(&table.hosts)
        table.started = True
        table.clock_ns = now
        wheel.tick = tick
        return
    if now > table.clock_ns:
        table.clock_ns = now
    if not table.rules.sweep:
        return
    while wheel.tick < tick:
        if table.live == 0:
            wheel.tick = tick
            return
        steps += 1
        if steps > FAR_TICKS and tick - wheel.tick > 2 * BUCKETS:    # timers that far apart are not the sensor's
            wheel.tick += ((tick - wheel.tick) // BUCKETS - 1) * BUCKETS
        wheel.tick += 1
        ring(table, <uint32_t> (wheel.tick & (BUCKETS - 1)), wheel.tick * TICK_NS)

cdef inline void ring(Table *table, uint32_t bucket, int64_t now) noexcept nogil:
    """Look at the flows that are filed under one tick, whose time is `now`; memory is sent for two flows ahead."""
    cdef uint32_t number = table.wheel.head[bucket], following = NO_SLOT, third
    table.wheel.head[bucket] = NO_SLOT
    table.wheel.tail[bucket] = NO_SLOT
    if number != NO_SLOT:
        following = table.slots[number].next
    while number != NO_SLOT:
        third = NO_SLOT
        if following != NO_SLOT:
            third = table.slots[following].next
            prefetch_line(&table.index[table.slots[following].hash & table.mask])
            if table.rules.context:
                send_for_trio(&table.hosts, &table.slots[following])
            if third != NO_SLOT:
                prefetch_line(&table.slots[third])
                prefetch_line(&table.slots[third].rec.start_ns)
                prefetch_line(&table.slots[third].rec.src)
                prefetch_line(&table.slots[third].era)
        table.slots[number].bucket = NO_SLOT
        look_at(table, number, now)
        number = following
        following = third

cdef void look_at(Table *table, uint32_t number, int64_t now) noexcept nogil:
    """End a flow whose time is up, or file it again."""
    cdef Slot *slot = &table.slots[number]
    cdef int64_t idle = idle_ns(table, slot)
    if idle and now - slot.rec.end_ns > idle:
        end_flow(table, number, first_up(table, slot, idle))
        return
    if table.rules.active_ns and not slot.dormant and now - slot.rec.start_ns > table.rules.active_ns:
        report_flow(table, slot, ACTIVE_ENDED, False)
        slot.conn_base_ns += own_duration(table, &slot.rec)
        slot.dormant = True
    wheel_add(&table.wheel, table.slots, number, deadline(table, slot))

cdef void end_flow(Table *table, uint32_t number, Reason reason) noexcept nogil:
    """Report a flow and free its slot."""
    cdef Slot *slot = &table.slots[number]
    if not slot.dormant:
        report_flow(table, slot, reason, True)
    elif table.rules.context:
        end_untold(&table.hosts, slot)
    wheel_remove(&table.wheel, table.slots, number)
    index_remove(table.index, table.mask, slot.hash, number)
    slot.used = False
    slot.next = table.free_head
    table.free_head = number
    table.live -= 1

cdef void report_flow(Table *table, Slot *slot, Reason reason, bint last) noexcept nogil:
    """Put a copy of the flow among those to be taken; `last` says that nothing follows of its connection."""
    cdef FlowRecord *rec = &slot.rec
    cdef FlowRecord *larger
    cdef FlowRecord *told = rec
    cdef bint too_few = rec.fwd.pkts + rec.bwd.pkts < table.rules.min_pkts
    cdef int64_t own = 0
    if table.out_count == table.out_room and not too_few:
        larger = <FlowRecord *> realloc(table.out, table.out_room * 2 * sizeof(FlowRecord))
        if larger == NULL:
            table.out_of_memory = True
            return
        table.out = larger
        table.out_room *= 2
    if not too_few:
        told = &table.out[table.out_count]
    if table.rules.context:
        tell_context(&table.hosts, slot, reason == ACTIVE_ENDED, last or slot.closing >= CLOSED_FIN, &told.context)
    elif not too_few:
        memset(&told.context, 0, sizeof(Context))
    if too_few:
        table.single += reason != SNAPSHOT
        return
    if table.rules.conn_every_end or reason == ACTIVE_ENDED or reason == REUSED:
        own = own_duration(table, rec)
    rec.conn_ns = slot.conn_base_ns + own
    rec.reason = reason
    rec.state = 2 if slot.closing >= CLOSED_FIN else (1 if rec.fwd.pkts and rec.bwd.pkts else 0)
    rec.flow_id = hash_key(&slot.key, <uint64_t> 0x6E657474727573ULL, <uint64_t> 0x696F6E,
                           (<uint64_t> slot.conn_start_ns << 1) | 1)
    rec.flow_id &= <uint64_t> 0x7FFFFFFFFFFFFULL          # below 2**51, as EVE's readers need
    rec.part = slot.parts
    slot.parts += 1
    memcpy(told, rec, CONTEXT_AT)
    table.out_count += 1
    if reason == SNAPSHOT:
        table.snapshots += 1
    else:
        table.flows += 1

cdef void evict_idlest(Table *table) noexcept nogil:
    """Make room: the flow idle longest leaves.

    The order of idleness is taken once for all flows and then used up: a flow that was touched since it was taken
    is younger than any that was not, so the first untouched one is the idlest. One sort serves many evictions.
    """
    cdef Ranked *entry
    cdef Slot *slot
    while True:
        while table.ranked_at < table.ranked_count:
            entry = &table.ranked[table.ranked_at]
            table.ranked_at += 1
            slot = &table.slots[entry.slot]
            if slot.used and slot.serial == entry.serial and slot.rec.end_ns == entry.last_ns:
                table.evicted += 1
                end_flow(table, entry.slot, EVICTED)
                return
        rank_by_idleness(table)
        if table.ranked_count == 0:
            return

cdef void rank_by_idleness(Table *table) noexcept nogil:
    """Sort the open flows by how long they have been idle."""
    cdef uint32_t number
    cdef Slot *slot
    table.ranked_count = 0
    table.ranked_at = 0
    if table.ranked == NULL:
        table.ranked = <Ranked *> malloc(<size_t> table.capacity * sizeof(Ranked))
        if table.ranked == NULL:
            table.out_of_memory = True
            return
    for number in range(table.used_slots):
        slot = &table.slots[number]
        if slot.used:
            table.ranked[table.ranked_count].last_ns = slot.rec.end_ns
            table.ranked[table.ranked_count].serial = slot.serial
            table.ranked[table.ranked_count].slot = number
            table.ranked_count += 1
    qsort(table.ranked, table.ranked_count, sizeof(Ranked), by_idleness)

cdef bint end_some(Table *table, size_t most) noexcept nogil:
    """End up to `most` open flows, idle longest first; True while there are more. At the end, forget time."""
    cdef Slot *slot
    cdef Ranked *entry
    if not table.draining:
        rank_by_idleness(table)
        table.draining = True
    while table.ranked_at < table.ranked_count and table.out_count < most and not table.out_of_memory:
        entry = &table.ranked[table.ranked_at]
        table.ranked_at += 1
        slot = &table.slots[entry.slot]
        end_flow(table, entry.slot, closed_reason(table, slot)
                 if table.rules.sweep and slot.closing >= CLOSED_FIN else SHUTDOWN)
    if table.out_of_memory:
        return False
    if table.ranked_at < table.ranked_count:
        return True
    forget(table)
    return False


cdef void forget(Table *table) noexcept nogil:
    """Make an empty table like new, but for its counts."""
    table.draining = False
    table.ranked_count = 0
    table.ranked_at = 0
    table.used_slots = 0
    table.free_head = NO_SLOT
    table.started = False
    table.remembered_count = 0
    if table.remembered != NULL:
        memset(table.remembered, 0, (<size_t> SEEN_MASK + 1) * sizeof(uint64_t))
    memset(table.decoder.fragments, 0, FRAGMENT_SLOTS * sizeof(Fragment))
    if table.rules.context:
        forget_hosts(&table.hosts)
