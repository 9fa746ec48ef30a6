# The flow table: slots, the hash index over them, the timer wheel and the order of eviction.
#
# A flow lives in one slot from its first packet to its last; a slot begins with what every packet reads. Freed slots
# are used again last in, first out, so a table that never fills never touches most of its memory.

cdef enum:
    NO_SLOT = 0xFFFFFFFF
    BUCKETS = 1024
    TICK_SHIFT = 28              # one tick is 2**28 ns, 268 ms; the wheel spans 275 s
    TICK_NS = 1 << TICK_SHIFT
    FAR_TICKS = 64 * BUCKETS     # gone through one by one, 4.9 h of silence; more are passed over in whole rounds

cdef enum:
    OPEN
    FIRST_FIN
    SECOND_FIN
    CLOSED_FIN
    CLOSED_RST

cdef struct Bulk:
    int64_t start_ns
    int64_t last_ns
    uint64_t size
    uint32_t pkts
    bint running
    bint seen
    uint32_t reserved

cdef struct Slot:
    Key key
    uint32_t hash
    uint32_t bucket
    uint32_t next
    uint32_t prev
    int64_t active_from_ns
    uint64_t serial
    uint64_t connection          # serial of the connection's first piece, for retransmissions
    int64_t conn_base_ns
    uint8_t used
    uint8_t closing
    uint8_t forward_low          # the initiator is the key's low endpoint
    uint8_t dormant              # cut by the active timeout, roles kept, no packet since
    uint8_t fins                 # who has sent a FIN: 1 the initiator, 2 the other side
    uint8_t reserved[3]
    uint32_t first_syn           # sequence number of the first SYN, for retries
    uint32_t has_first_syn
    FlowRecord rec
    Bulk bulk[2]
    int64_t conn_start_ns        # start of the connection's first piece: with the key, what flow_id is made of
    uint32_t parts               # records of the connection told so far
    uint32_t era                 # of the context that knows its beginning
    uint32_t entries[3]          # where that was: initiator, responder, pair
    uint32_t ended               # its end is counted
    uint64_t told_fwd_payload    # of its pieces told so far
    uint64_t told_bwd_payload
    uint64_t told_bwd_pkts

cdef struct Entry:               # one place of the hash index
    uint32_t hash
    uint32_t slot

cdef struct Ranked:              # a flow by how long it has been idle
    int64_t last_ns
    uint64_t serial
    uint32_t slot
    uint32_t reserved

cdef struct Wheel:
    uint32_t head[BUCKETS]
    uint32_t tail[BUCKETS]
    int64_t tick

cdef int by_idleness(const void *a, const void *b) noexcept nogil:
    cdef const Ranked *x = <const Ranked *> a
    cdef const Ranked *y = <const Ranked *> b
    if x.last_ns != y.last_ns:
        return -1 if x.last_ns < y.last_ns else 1
    return -1 if x.serial < y.serial else 1

cdef void wheel_clear(Wheel *wheel) noexcept nogil:
    cdef int i
    for i in range(BUCKETS):
        wheel.head[i] = NO_SLOT
        wheel.tail[i] = NO_SLOT

cdef void wheel_add(Wheel *wheel, Slot *slots, uint32_t index, int64_t deadline_ns) noexcept nogil:
    """File a slot under the first tick that lies wholly after its deadline; far ones are looked at again on the way."""
    cdef int64_t tick = (deadline_ns >> TICK_SHIFT) + 1
    cdef uint32_t bucket
    if tick <= wheel.tick:
        tick = wheel.tick + 1
    elif tick > wheel.tick + BUCKETS - 1:
        tick = wheel.tick + BUCKETS - 1
    bucket = <uint32_t> (tick & (BUCKETS - 1))
    slots[index].bucket = bucket
    slots[index].next = NO_SLOT
    slots[index].prev = wheel.tail[bucket]
    if wheel.tail[bucket] == NO_SLOT:
        wheel.head[bucket] = index
    else:
        slots[wheel.tail[bucket]].next = index
    wheel.tail[bucket] = index

cdef void wheel_remove(Wheel *wheel, Slot *slots, uint32_t index) noexcept nogil:
    cdef Slot *slot = &slots[index]
    if slot.bucket == NO_SLOT:
        return
    if slot.prev == NO_SLOT:
        wheel.head[slot.bucket] = slot.next
    else:
        slots[slot.prev].next = slot.next
    if slot.next == NO_SLOT:
        wheel.tail[slot.bucket] = slot.prev
    else:
        slots[slot.next].prev = slot.prev
    slot.bucket = NO_SLOT

cdef void index_remove(Entry *index, uint32_t mask, uint32_t hash, uint32_t slot) noexcept nogil:
    """Take a slot out of the linear-probing index and close the gap behind it (Knuth, 6.4, algorithm R)."""
    cdef uint32_t hole = hash & mask, at, home
    while index[hole].slot != slot:
        if index[hole].slot == NO_SLOT:
            return
        hole = (hole + 1) & mask
    at = hole
    while True:
        at = (at + 1) & mask
        if index[at].slot == NO_SLOT:
            break
        home = index[at].hash & mask
        if ((at - home) & mask) >= ((at - hole) & mask):
            index[hole] = index[at]
            hole = at
    index[hole].slot = NO_SLOT
