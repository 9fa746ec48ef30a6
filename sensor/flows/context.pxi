# The two events of a connection, and what is told of its hosts with each record.

cdef struct Trio:                # a connection's entries; NULL where it has been forgotten
    Host *src
    Host *dst
    Pair *pair

cdef inline uint64_t address_hash(const uint8_t *address, uint64_t version, Hosts *hosts) noexcept nogil:
    """Hash an address under the process's own secret; it says only where an entry is found."""
    cdef Sip s
    sip_start(&s, hosts.k0, hosts.k1 ^ version)
    sip_word(&s, word_at(address))
    if version != 4:
        sip_word(&s, word_at(address + 8))
    return sip_end(&s)

cdef inline uint32_t pair_hash(uint64_t src, uint64_t dst) noexcept nogil:
    return <uint32_t> mixed(src + 3 * dst)

cdef inline void name_host(uint64_t *key, const uint8_t *address, uint64_t version) noexcept nogil:
    memcpy(key, address, 16)
    key[2] = version

cdef inline void name_pair(uint64_t *key, const uint8_t *src, const uint8_t *dst, uint64_t version) noexcept nogil:
    memcpy(key, src, 16)
    memcpy(key + 2, dst, 16)
    key[4] = version

cdef void foresee(Hosts *hosts, Opening *opening, const uint8_t *src, const uint8_t *dst, uint16_t dst_port,
                  uint64_t version) noexcept nogil:
    """Work out where the beginning of a connection is counted to, and send for the memory."""
    cdef uint64_t a = address_hash(src, version, hosts), b = address_hash(dst, version, hosts), port
    opening.src.hash = <uint32_t> a
    opening.dst.hash = <uint32_t> b
    opening.pair.hash = pair_hash(a, b)
    prefetch_index(&hosts.initiators, opening.src.hash)
    prefetch_index(&hosts.responders, opening.dst.hash)
    prefetch_index(&hosts.pairs, opening.pair.hash)
    a = folded(src)
    b = folded(dst)
    port = mixed(<uint64_t> dst_port + 1)
    opening.src.peer = bucket_of(a, b)
    opening.src.port = bucket_of(a, port)
    opening.dst.peer = bucket_of(b, a)
    opening.dst.port = bucket_of(b, port)
    opening.pair.port = bucket_of(mixed(a + 3 * b), port)
    opening.known = True

cdef inline void send_for(Hosts *hosts, const Opening *opening) noexcept nogil:
    """Send for the entries themselves."""
    cdef Pair *pair
    cdef uint32_t number = recent_guess(&hosts.pairs, opening.pair.hash)
    send_for_host(&hosts.initiators, &opening.src)
    send_for_host(&hosts.responders, &opening.dst)
    if number != NO_SLOT:
        pair = <Pair *> recent_at(&hosts.pairs, number)
        prefetch_line(pair)
        prefetch_line(&pair.counts.fails)
        prefetch_line(&pair.begun)
        prefetch_line(&pair.ports[opening.pair.port])

cdef inline void send_for_host(const Recent *table, const Place *place) noexcept nogil:
    cdef Host *host
    cdef uint32_t number = recent_guess(table, place.hash)
    if number != NO_SLOT:
        host = <Host *> recent_at(table, number)
        prefetch_line(host)
        prefetch_line(&host.counts.open)
        prefetch_line(&host.peers[place.peer])
        prefetch_line(&host.ports[place.port])

cdef void begin_connection(Hosts *hosts, Slot *slot, const Opening *opening) noexcept nogil:
    """Count the beginning of a connection to its initiator, its responder and to both."""
    cdef FlowRecord *rec = &slot.rec
    cdef uint64_t key[PAIR_WORDS]
    cdef Pair *pair
    cdef Damping weight
    slot.era = hosts.era
    slot.entries[0] = begin_at_host(hosts, &hosts.initiators, rec.src, &opening.src, rec)
    slot.entries[1] = begin_at_host(hosts, &hosts.responders, rec.dst, &opening.dst, rec)
    name_pair(key, rec.src, rec.dst, rec.ip_version)
    slot.entries[2] = recent_update(&hosts.pairs, key, opening.pair.hash, hosts)
    pair = <Pair *> recent_at(&hosts.pairs, slot.entries[2])
    move_pair(pair, rec.start_ns, &weight)
    add_event(pair.counts.conns, &weight)
    pair.counts.open += 1
    sketch_hit(&pair.ports_seen, pair.ports, opening.pair.port, stamp_of(rec.start_ns))
    if pair.begun:
        pair.gaps += pair.gaps < RECENT_WEIGHT
        add_to_trend(&pair.gap, pair.gaps, seconds_between(rec.start_ns, pair.begun_ns))
    if not pair.begun or rec.start_ns > pair.begun_ns:
        pair.begun_ns = rec.start_ns
    pair.begun = True

cdef inline uint32_t begin_at_host(Hosts *hosts, Recent *table, const uint8_t *address, const Place *place,
                                   const FlowRecord *rec) noexcept nogil:
    cdef uint64_t key[HOST_WORDS]
    cdef uint32_t number, stamp = stamp_of(rec.start_ns)
    cdef Host *host
    cdef Damping left, weight
    name_host(key, address, rec.ip_version)
    number = recent_update(table, key, place.hash, hosts)
    host = <Host *> recent_at(table, number)
    move_counts(&host.counts, rec.start_ns, &left, &weight)
    add_event(host.counts.conns, &weight)
    host.counts.open += 1
    sketch_hit(&host.peers_seen, host.peers, place.peer, stamp)
    sketch_hit(&host.ports_seen, host.ports, place.port, stamp)
    return number

cdef inline uint32_t recent_update(Recent *table, const uint64_t *key, uint32_t hash, Hosts *hosts) noexcept nogil:
    """Return the entry of a key as the one updated last, a new one where there is none."""
    cdef uint32_t number = recent_find(table, key, hash)
    if number == NO_SLOT:
        return recent_claim(table, key, hash, &hosts.forgotten)
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

cdef inline bint is_there(const Recent *table, const uint64_t *key, uint32_t number) noexcept nogil:
    """Whether a key's entry is where it was when its connection began."""
    return number < table.used and is_at(table, key, number)

cdef inline void send_for_trio(Hosts *hosts, const Slot *slot) noexcept nogil:
    prefetch_entry(&hosts.initiators, slot.entries[0])
    prefetch_entry(&hosts.responders, slot.entries[1])
    prefetch_entry(&hosts.pairs, slot.entries[2])

cdef inline void find_trio(Hosts *hosts, Slot *slot, Trio *trio) noexcept nogil:
    """Find a connection's three entries, as far as they have not been forgotten."""
    cdef uint64_t src[HOST_WORDS]
    cdef uint64_t dst[HOST_WORDS]
    cdef uint64_t both[PAIR_WORDS]
    cdef uint64_t a = 0, b = 0
    cdef uint64_t version = slot.rec.ip_version
    cdef uint32_t *at = slot.entries
    send_for_trio(hosts, slot)
    name_host(src, slot.rec.src, version)
    name_host(dst, slot.rec.dst, version)
    name_pair(both, slot.rec.src, slot.rec.dst, version)
    if not is_there(&hosts.initiators, src, at[0]):
        at[0] = recent_find(&hosts.initiators, src, <uint32_t> address_hash(slot.rec.src, version, hosts))
    if not is_there(&hosts.responders, dst, at[1]):
        at[1] = recent_find(&hosts.responders, dst, <uint32_t> address_hash(slot.rec.dst, version, hosts))
    if not is_there(&hosts.pairs, both, at[2]):
        a = address_hash(slot.rec.src, version, hosts)
        b = address_hash(slot.rec.dst, version, hosts)
        at[2] = recent_find(&hosts.pairs, both, pair_hash(a, b))
    trio.src = NULL if at[0] == NO_SLOT else <Host *> recent_at(&hosts.initiators, at[0])
    trio.dst = NULL if at[1] == NO_SLOT else <Host *> recent_at(&hosts.responders, at[1])
    trio.pair = NULL if at[2] == NO_SLOT else <Pair *> recent_at(&hosts.pairs, at[2])

cdef inline void prefetch_entry(const Recent *table, uint32_t number) noexcept nogil:
    cdef uint8_t *entry
    if number < table.used:
        entry = recent_at(table, number)
        prefetch_line(entry)
        prefetch_line(entry + 64)
        prefetch_line(entry + 128)
        prefetch_line(entry + 192)

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
    if slot.era != hosts.era:
        memset(told, 0, sizeof(Context))
        return
    find_trio(hosts, slot, &trio)
    if trio.src == NULL or trio.dst == NULL or trio.pair == NULL:
        memset(told, 0, sizeof(Context))
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
