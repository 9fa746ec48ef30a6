# The two events of a connection, and what is told of its hosts with each record.

cdef struct Trio:                # a connection's entries; NULL where it has been forgotten
    Host *src
    Host *dst
    Pair *pair

cdef inline void name_hosts(const FlowRecord *rec, HostKey *src, HostKey *dst, PairKey *pair) noexcept nogil:
    memcpy(src.address, rec.src, 16)
    memcpy(dst.address, rec.dst, 16)
    memcpy(pair.src, rec.src, 16)
    memcpy(pair.dst, rec.dst, 16)
    src.ip_version = dst.ip_version = pair.ip_version = rec.ip_version

cdef void begin_connection(Hosts *hosts, Slot *slot) noexcept nogil:
    """Count the beginning of a connection to its initiator, its responder and to both."""
    cdef FlowRecord *rec = &slot.rec
    cdef HostKey src, dst
    cdef PairKey both
    cdef uint32_t src_hash, dst_hash, pair_hash, stamp = stamp_of(rec.start_ns)
    cdef uint64_t a = folded(rec.src), b = folded(rec.dst), port = mixed(<uint64_t> rec.dst_port + 1)
    cdef uint64_t ab = mixed(a + 3 * b)
    cdef Host *host
    cdef Pair *pair
    cdef Damping left, weight
    name_hosts(rec, &src, &dst, &both)
    src_hash = key_hash(<uint8_t *> &src, sizeof(HostKey), hosts.k0, hosts.k1)
    prefetch_line(&hosts.initiators.index[src_hash & hosts.initiators.mask])
    dst_hash = key_hash(<uint8_t *> &dst, sizeof(HostKey), hosts.k0, hosts.k1)
    prefetch_line(&hosts.responders.index[dst_hash & hosts.responders.mask])
    pair_hash = key_hash(<uint8_t *> &both, sizeof(PairKey), hosts.k0, hosts.k1)
    prefetch_line(&hosts.pairs.index[pair_hash & hosts.pairs.mask])
    slot.era = hosts.era
    slot.entries[0] = recent_update(&hosts.initiators, &src, src_hash, hosts)
    slot.entries[1] = recent_update(&hosts.responders, &dst, dst_hash, hosts)
    slot.entries[2] = recent_update(&hosts.pairs, &both, pair_hash, hosts)
    host = <Host *> recent_at(&hosts.initiators, slot.entries[0])
    move_counts(&host.counts, rec.start_ns, &left, &weight)
    add_event(host.counts.conns, &weight)
    host.counts.open += 1
    sketch_hit(&host.peers_seen, host.peers, bucket_of(a, b), stamp)
    sketch_hit(&host.ports_seen, host.ports, bucket_of(a, port), stamp)
    host = <Host *> recent_at(&hosts.responders, slot.entries[1])
    move_counts(&host.counts, rec.start_ns, &left, &weight)
    add_event(host.counts.conns, &weight)
    host.counts.open += 1
    sketch_hit(&host.peers_seen, host.peers, bucket_of(b, a), stamp)
    sketch_hit(&host.ports_seen, host.ports, bucket_of(b, port), stamp)
    pair = <Pair *> recent_at(&hosts.pairs, slot.entries[2])
    move_pair(pair, rec.start_ns, &weight)
    add_event(pair.counts.conns, &weight)
    pair.counts.open += 1
    sketch_hit(&pair.ports_seen, pair.ports, bucket_of(ab, port), stamp)
    if pair.begun:
        pair.gaps += pair.gaps < RECENT_WEIGHT
        add_to_trend(&pair.gap, pair.gaps, seconds_between(rec.start_ns, pair.begun_ns))
    if not pair.begun or rec.start_ns > pair.begun_ns:
        pair.begun_ns = rec.start_ns
    pair.begun = True

cdef inline uint32_t recent_update(Recent *table, const void *key, uint32_t hash, Hosts *hosts) noexcept nogil:
    """Return the entry of a key as the one updated last, a new one where there is none."""
    cdef uint32_t number = recent_find(table, key, hash)
    if number == NO_SLOT:
        return recent_claim(table, key, hash, hosts.k0, hosts.k1, &hosts.forgotten)
    recent_touch(table, number)
    return number

cdef inline double seconds_between(int64_t later, int64_t earlier) noexcept nogil:
    """Time from one to the other in seconds; 0 when it would be less."""
    if later <= earlier:
        return 0
    return 1e-9 * <double> (<uint64_t> later - <uint64_t> earlier)

cdef inline void move_pair(Pair *pair, int64_t time_ns, Damping *weight) noexcept nogil:
    """As `move_counts`, for all that a pair has."""
    cdef Damping left
    move_counts(&pair.counts, time_ns, &left, weight)
    pair.fwd_bytes[0] *= left.by60
    pair.fwd_bytes[1] *= left.by600
    pair.bwd_bytes[0] *= left.by60
    pair.bwd_bytes[1] *= left.by600
    pair.done *= left.by600

cdef inline uint32_t recent_again(const Recent *table, const void *key, uint32_t number, Hosts *hosts) noexcept nogil:
    """Find a key's entry where it was when its connection began, or wherever it is now."""
    if number < table.used and memcmp(recent_at(table, number), key, table.key_bytes) == 0:
        return number
    return recent_find(table, key, key_hash(<const uint8_t *> key, table.key_bytes, hosts.k0, hosts.k1))

cdef inline void find_trio(Hosts *hosts, Slot *slot, Trio *trio) noexcept nogil:
    """Find a connection's three entries, as far as they have not been forgotten."""
    cdef HostKey src, dst
    cdef PairKey both
    cdef uint32_t number
    prefetch_entry(&hosts.initiators, slot.entries[0])
    prefetch_entry(&hosts.responders, slot.entries[1])
    prefetch_entry(&hosts.pairs, slot.entries[2])
    name_hosts(&slot.rec, &src, &dst, &both)
    number = recent_again(&hosts.initiators, &src, slot.entries[0], hosts)
    trio.src = NULL if number == NO_SLOT else <Host *> recent_at(&hosts.initiators, number)
    slot.entries[0] = number
    number = recent_again(&hosts.responders, &dst, slot.entries[1], hosts)
    trio.dst = NULL if number == NO_SLOT else <Host *> recent_at(&hosts.responders, number)
    slot.entries[1] = number
    number = recent_again(&hosts.pairs, &both, slot.entries[2], hosts)
    trio.pair = NULL if number == NO_SLOT else <Pair *> recent_at(&hosts.pairs, number)
    slot.entries[2] = number

cdef inline void prefetch_entry(const Recent *table, uint32_t number) noexcept nogil:
    cdef uint8_t *entry
    if number < table.used:
        entry = recent_at(table, number)
        prefetch_line(entry)
        prefetch_line(entry + 64)

cdef void end_connection(Hosts *hosts, Slot *slot, const Trio *trio) noexcept nogil:
    """Count the end of a connection, once; its bytes have been counted piece by piece."""
    cdef FlowRecord *rec = &slot.rec
    cdef Pair *pair = trio.pair
    cdef Damping weight
    cdef bint failed = (slot.told_bwd_payload if rec.proto == TCP else slot.told_bwd_pkts) == 0
    slot.ended = True
    if trio.src != NULL:
        recent_touch(&hosts.initiators, slot.entries[0])
        end_of_host(&trio.src.counts, rec.end_ns, failed)
    if trio.dst != NULL:
        recent_touch(&hosts.responders, slot.entries[1])
        end_of_host(&trio.dst.counts, rec.end_ns, failed)
    if pair == NULL:
        return
    recent_touch(&hosts.pairs, slot.entries[2])
    move_pair(pair, rec.end_ns, &weight)
    if failed:
        add_event(pair.counts.fails, &weight)
    pair.counts.open -= pair.counts.open > 0
    pair.done += weight.by600
    pair.ends += pair.ends < RECENT_WEIGHT
    add_to_trend(&pair.fwd, pair.ends, <double> slot.told_fwd_payload)
    add_to_trend(&pair.bwd, pair.ends, <double> slot.told_bwd_payload)
    add_to_trend(&pair.time, pair.ends, seconds_between(rec.end_ns, slot.conn_start_ns))

cdef inline void end_of_host(Counts *counts, int64_t time_ns, bint failed) noexcept nogil:
    cdef Damping left, weight
    move_counts(counts, time_ns, &left, &weight)
    if failed:
        add_event(counts.fails, &weight)
    counts.open -= counts.open > 0

cdef void add_piece(Hosts *hosts, Slot *slot, const Trio *trio) noexcept nogil:
    """Count the bytes of a piece of a connection that has not ended before it."""
    cdef FlowRecord *rec = &slot.rec
    cdef Damping weight
    slot.told_fwd_payload += rec.fwd.payload
    slot.told_bwd_payload += rec.bwd.payload
    slot.told_bwd_pkts += rec.bwd.pkts
    if trio.pair == NULL:
        return
    recent_touch(&hosts.pairs, slot.entries[2])
    move_pair(trio.pair, rec.end_ns, &weight)
    trio.pair.fwd_bytes[0] += weight.by60 * <double> rec.fwd.payload
    trio.pair.fwd_bytes[1] += weight.by600 * <double> rec.fwd.payload
    trio.pair.bwd_bytes[0] += weight.by60 * <double> rec.bwd.payload
    trio.pair.bwd_bytes[1] += weight.by600 * <double> rec.bwd.payload

cdef void end_untold(Hosts *hosts, Slot *slot) noexcept nogil:
    """End a connection whose last piece has been told already."""
    cdef Trio trio
    if not slot.ended and slot.era == hosts.era:
        find_trio(hosts, slot, &trio)
        end_connection(hosts, slot, &trio)

cdef void tell_context(Hosts *hosts, Slot *slot, bint cut, bint ends, Context *told) noexcept nogil:
    """Count what a record brings (`cut`: a piece that goes on, `ends`: the last) and tell what the hosts are doing."""
    cdef Trio trio
    cdef int64_t now
    cdef Damping left
    cdef Pair *pair
    memset(told, 0, sizeof(Context))
    if slot.era != hosts.era:
        return
    find_trio(hosts, slot, &trio)
    if not slot.ended and (cut or ends):
        add_piece(hosts, slot, &trio)
        if ends:
            end_connection(hosts, slot, &trio)
    if trio.src != NULL:
        tell_host(trio.src, slot.rec.end_ns, told.src_conns, told.src_fails, told.src_peers, told.src_ports)
        told.src_open = <float> trio.src.counts.open
    if trio.dst != NULL:
        tell_host(trio.dst, slot.rec.end_ns, told.dst_conns, told.dst_fails, told.dst_peers, told.dst_ports)
        told.dst_open = <float> trio.dst.counts.open
    if trio.pair == NULL:
        return
    pair = trio.pair
    now = max(pair.counts.time_ns, slot.rec.end_ns)
    left = damping(now, pair.counts.time_ns)
    tell_damped(pair.counts.conns, &left, told.pair_conns)
    tell_damped(pair.counts.fails, &left, told.pair_fails)
    sketch_tell(pair.ports_seen, pair.ports, stamp_of(now), told.pair_ports)
    told.pair_open = <float> pair.counts.open
    told.pair_fwd_bytes[0] = <float> (pair.fwd_bytes[0] * left.by60)
    told.pair_fwd_bytes[1] = <float> (pair.fwd_bytes[1] * left.by600)
    told.pair_bwd_bytes[0] = <float> (pair.bwd_bytes[0] * left.by60)
    told.pair_bwd_bytes[1] = <float> (pair.bwd_bytes[1] * left.by600)
    told.pair_done = <float> (pair.done * left.by600)
    told.pair_gap_mean = <float> pair.gap.mean
    told.pair_gap_cv = spread(&pair.gap, pair.gaps)
    told.pair_fwd_mean = <float> pair.fwd.mean
    told.pair_fwd_cv = spread(&pair.fwd, pair.ends)
    told.pair_bwd_mean = <float> pair.bwd.mean
    told.pair_bwd_cv = spread(&pair.bwd, pair.ends)
    told.pair_time_mean = <float> pair.time.mean
    told.pair_time_cv = spread(&pair.time, pair.ends)

cdef inline void tell_host(const Host *host, int64_t end_ns, float *conns, float *fails, float *peers,
                           float *ports) noexcept nogil:
    cdef int64_t now = max(host.counts.time_ns, end_ns)
    cdef Damping left = damping(now, host.counts.time_ns)
    cdef uint32_t stamp = stamp_of(now)
    tell_damped(host.counts.conns, &left, conns)
    tell_damped(host.counts.fails, &left, fails)
    sketch_tell(host.peers_seen, host.peers, stamp, peers)
    sketch_tell(host.ports_seen, host.ports, stamp, ports)

cdef inline void tell_damped(const double *values, const Damping *left, float *told) noexcept nogil:
    told[0] = <float> (values[0] * left.by5)
    told[1] = <float> (values[1] * left.by60)
    told[2] = <float> (values[2] * left.by600)
