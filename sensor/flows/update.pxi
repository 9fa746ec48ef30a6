# What one packet adds to its flow: counts, gaps, bulks, active and idle periods.
# Definitions: docs/features.md.

cdef int64_t SECOND_NS = 1000000000
cdef enum:
    BULK_PACKETS = 4             # packets with payload in one direction that make a bulk

@cython.cdivision(True)          # n is counted up before it divides
cdef inline void add_moment(Moments *m, int64_t value) noexcept nogil:
    """Welford's update of mean and squared deviations (Welford, 1962)."""
    cdef double x = <double> value, delta = x - m.mean
    m.n += 1
    if m.n == 1:
        m.mean = x
        m.min = value
        m.max = value
        return
    m.mean += delta / <double> m.n
    m.m2 += delta * (x - m.mean)
    if value < m.min:
        m.min = value
    if value > m.max:
        m.max = value

cdef inline void add_bulk(Direction *d, Bulk *mine, const Bulk *other, int64_t ts, uint64_t size) noexcept nogil:
    """A bulk is four or more packets with payload, gaps of at most a second, none from the other side between."""
    if mine.running and other.seen and other.last_ns > mine.start_ns:
        mine.running = False
    if size == 0:
        return
    mine.seen = True
    if not mine.running or ts - mine.last_ns > SECOND_NS:
        mine.running = True
        mine.start_ns = ts
        mine.pkts = 1
        mine.size = size
    else:
        mine.pkts += 1
        mine.size += size
        if mine.pkts == BULK_PACKETS:
            d.bulk_count += 1
            d.bulk_pkts += BULK_PACKETS
            d.bulk_bytes += mine.size
            d.bulk_ns += ts - mine.start_ns
        elif mine.pkts > BULK_PACKETS:
            d.bulk_pkts += 1
            d.bulk_bytes += size
            d.bulk_ns += ts - mine.last_ns
    mine.last_ns = ts

cdef inline void add_to_direction(Direction *d, const Packet *packet) noexcept nogil:
    cdef uint32_t payload = packet.payload, flags = packet.flags
    cdef int bit
    if d.pkts == 0:
        d.first_ns = packet.ts_ns
        d.payload_min = payload
        d.payload_max = payload
        d.header_min = packet.header
    else:
        add_moment(&d.iat, packet.ts_ns - d.last_ns)
        if payload < d.payload_min:
            d.payload_min = payload
        if payload > d.payload_max:
            d.payload_max = payload
        if packet.header < d.header_min:
            d.header_min = packet.header
    d.last_ns = packet.ts_ns
    d.pkts += 1
    d.bytes += packet.wire
    d.ip_bytes += packet.ip_bytes
    d.payload += payload
    d.payload_sq += <uint64_t> payload * payload
    d.header += packet.header
    if payload:
        d.data_pkts += 1
    if flags:
        for bit in range(8):
            d.flags[bit] += (flags >> bit) & 1

cdef inline void add_period(FlowRecord *rec, int64_t *active_from_ns, int64_t ts, int64_t activity_ns) noexcept nogil:
    """A gap longer than the activity timeout closes an active period and is an idle one."""
    if ts - rec.end_ns > activity_ns:
        if rec.end_ns > active_from_ns[0]:
            add_moment(&rec.active, rec.end_ns - active_from_ns[0])
        add_moment(&rec.idle, ts - rec.end_ns)
        active_from_ns[0] = ts

cdef inline void add_windows(FlowRecord *rec, const Packet *packet, bint backward) noexcept nogil:
    if backward:
        rec.bwd_flags |= packet.flags
        if packet.key.proto == TCP:
            rec.bwd_last_win = packet.window
            if rec.bwd_init_win <= 0:
                rec.bwd_init_win = packet.window
    else:
        rec.fwd_flags |= packet.flags

cdef inline void add_to_sequence(FlowRecord *rec, uint64_t place, const Packet *packet, bint backward) noexcept nogil:
    """Keep one of the first packets by itself; `place` lies below FIRST_PACKETS. Time that runs back is no gap."""
    cdef uint64_t gap_us = 0
    cdef int32_t size = 0x7FFFFFFF
    if packet.payload < 0x7FFFFFFF:
        size = <int32_t> packet.payload + 1
    if place and packet.ts_ns > rec.end_ns:
        gap_us = (<uint64_t> packet.ts_ns - <uint64_t> rec.end_ns) // 1000
    if gap_us > UINT32_MAX:
        gap_us = UINT32_MAX
    rec.seq_gap_us[place] = <uint32_t> gap_us
    rec.seq_size[place] = -size if backward else size
    rec.seq_flags[place] = packet.flags
