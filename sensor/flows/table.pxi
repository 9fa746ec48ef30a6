# Everything that a flow table holds: its rules, its flows, its counts.

ctypedef int Reason

cdef enum:
    BATCH = 32                   # packets decoded before the first of them is counted: time for memory to arrive
    PENDING = 4096               # feed returns once this many flows wait to be taken
    HANDED_OVER = 2048            # so many are handed over with their memory; fewer are copied
    SEEN_CAP = 1 << 22           # TCP packets remembered for retransmissions in profile `fork`
    SEEN_MASK = (1 << 23) - 1
    FIN_ENDED = 1
    RST_ENDED = 2
    IDLE_ENDED = 3
    ACTIVE_ENDED = 4
    EVICTED = 5
    SHUTDOWN = 6
    REUSED = 7
    SNAPSHOT = 8
    ROLES_DIALOGUE = 0
    ROLES_TCP = 1
    ROLES_ALWAYS = 2

cdef int64_t HOUR_NS = 3600000000000

cdef struct Rules:               # a Profile, field for field, as far as it is not the decoder's
    int64_t active_ns
    int64_t activity_ns
    int64_t linger_ns
    int64_t tcp_new_ns
    int64_t tcp_ns
    int64_t udp_new_ns
    int64_t udp_ns
    int64_t icmp_ns
    int64_t other_ns
    uint32_t min_pkts
    uint32_t snapshot_pkts
    int keep_roles
    bint by_endpoint
    bint swap_syn_ack
    bint first_fin_ends
    bint fin_of_first
    bint whole_us
    bint retransmissions
    bint conn_every_end
    bint conn_udp
    bint split_icmp
    bint sweep
    bint same_syn_joins
    bint snapshot_closed
    bint context

cdef struct Table:
    Rules rules
    Decoder decoder
    # flows
    Slot *slots
    Entry *index
    uint32_t mask
    uint32_t capacity
    uint32_t used_slots          # slots that were ever used
    uint32_t free_head
    uint32_t live
    uint64_t serial
    uint64_t k0                  # the secret of the index's hash
    uint64_t k1
    # time
    Wheel wheel
    int64_t clock_ns
    bint started
    bint draining                # between the first and the last `drain`
    # eviction
    Ranked *ranked
    uint32_t ranked_count
    uint32_t ranked_at
    # finished flows
    FlowRecord *out
    size_t out_count
    size_t out_room
    bint out_of_memory
    # retransmissions
    uint64_t *remembered
    size_t remembered_count
    Hosts hosts
    # counts
    uint64_t outcomes[OUTCOMES]
    uint64_t seen[SEENS]
    uint64_t packets
    uint64_t octets
    uint64_t flows
    uint64_t evicted
    uint64_t single
    uint64_t untracked
    uint64_t snapshots

cdef bint make_table(Table *table, uint32_t capacity) noexcept nogil:
    """Allocate a table that is all zeros; False when there is no memory. Slots take memory only once they are used."""
    cdef uint32_t i
    table.capacity = capacity
    table.mask = 1
    while table.mask < capacity * 2:
        table.mask <<= 1
    table.mask -= 1
    table.out_room = PENDING + BATCH
    table.slots = <Slot *> calloc(capacity, sizeof(Slot))
    table.index = <Entry *> malloc((<size_t> table.mask + 1) * sizeof(Entry))
    table.decoder.fragments = <Fragment *> calloc(FRAGMENT_SLOTS, sizeof(Fragment))
    table.out = <FlowRecord *> malloc(table.out_room * sizeof(FlowRecord))
    if table.slots == NULL or table.index == NULL or table.decoder.fragments == NULL or table.out == NULL:
        return False
    for i in range(table.mask + 1):
        table.index[i].slot = NO_SLOT
    table.free_head = NO_SLOT
    wheel_clear(&table.wheel)
    return True
