# What hosts have been doing: who began how many connections with whom, how they ended, at what rhythm.
#
# Three tables of fixed size, of initiators, responders and ordered pairs, keyed by address alone. A connection is an
# event twice: when it begins, and at the first record that tells it closed or gone. Only the times of packets go in.
# A damped count of half-life h is the sum of 2^(-(t - t_i) / h) over its events, at the entry's latest time t.

cdef enum:
    RECENT_WEIGHT = 8            # means give the newest value 1/8 once they have seen eight

cdef enum:
    HOST_WORDS = 3               # of a key: the address and the IP version
    PAIR_WORDS = 5               # both addresses and the version

cdef struct Trend:               # mean and variance of the latest values
    double mean
    double variance

cdef struct Counts:              # damped, at time_ns
    int64_t time_ns
    double conns[HALF_LIVES]
    double fails[HALF_LIVES]
    uint64_t open

cdef struct Host:
    uint64_t key[HOST_WORDS]
    Counts counts
    uint64_t peers_seen
    uint64_t ports_seen
    uint64_t reserved[3]         # whole cache lines
    uint32_t peers[SKETCH]
    uint32_t ports[SKETCH]

cdef struct Pair:
    uint64_t key[PAIR_WORDS]
    Counts counts
    double fwd_bytes[SPANS]
    double bwd_bytes[SPANS]
    double done
    int64_t begun_ns             # latest beginning
    uint64_t ports_seen
    uint32_t begun
    uint32_t gaps                # values that a mean has seen, at most RECENT_WEIGHT
    uint32_t ends
    uint32_t reserved
    Trend gap
    Trend fwd
    Trend bwd
    Trend time
    uint32_t ports[SKETCH]

cdef struct Hosts:
    Recent initiators
    Recent responders
    Recent pairs
    uint64_t forgotten
    uint64_t k0
    uint64_t k1
    uint32_t era                 # grows when all is forgotten: connections of before are none of these

cdef struct Damping:
    double by5
    double by60
    double by600

cdef bint make_hosts(Hosts *hosts, uint32_t host_capacity, uint32_t pair_capacity) noexcept nogil:
    return (make_recent(&hosts.initiators, host_capacity, sizeof(Host), HOST_WORDS)
            and make_recent(&hosts.responders, host_capacity, sizeof(Host), HOST_WORDS)
            and make_recent(&hosts.pairs, pair_capacity, sizeof(Pair), PAIR_WORDS))

cdef void forget_hosts(Hosts *hosts) noexcept nogil:
    hosts.era += 1
    clear_recent(&hosts.initiators)
    clear_recent(&hosts.responders)
    clear_recent(&hosts.pairs)

cdef void free_hosts(Hosts *hosts) noexcept nogil:
    free_recent(&hosts.initiators)
    free_recent(&hosts.responders)
    free_recent(&hosts.pairs)

cdef size_t hosts_bytes(const Hosts *hosts) noexcept nogil:
    return recent_bytes(&hosts.initiators) + recent_bytes(&hosts.responders) + recent_bytes(&hosts.pairs)

cdef inline Damping damping(int64_t later, int64_t earlier) noexcept nogil:
    """What is left of 1 between two times, by half-life; 60 s is 12 times 5 s, 600 s 10 times 60 s."""
    cdef Damping left
    cdef double x, y
    if later <= earlier:
        left.by5 = left.by60 = left.by600 = 1
        return left
    x = exp2(-1e-9 / 600 * <double> (<uint64_t> later - <uint64_t> earlier))
    left.by600 = x
    y = x * x
    x = y * y
    x = x * x * y
    left.by60 = x
    y = x * x
    y = y * y
    left.by5 = y * y * y
    return left

cdef inline void damp(double *values, const Damping *left) noexcept nogil:
    values[0] *= left.by5
    values[1] *= left.by60
    values[2] *= left.by600

cdef inline void move_counts(Counts *counts, int64_t time_ns, Damping *left, Damping *weight) noexcept nogil:
    """Bring counts to an event's time: what is left of them, and what the event weighs if it is older than they are."""
    if counts.time_ns == 0:              # an entry's first event
        counts.time_ns = time_ns
    left[0] = damping(time_ns, counts.time_ns)
    weight[0] = damping(counts.time_ns, time_ns)
    if time_ns > counts.time_ns:
        counts.time_ns = time_ns
        damp(counts.conns, left)
        damp(counts.fails, left)

cdef inline void add_event(double *values, const Damping *weight) noexcept nogil:
    values[0] += weight.by5
    values[1] += weight.by60
    values[2] += weight.by600

@cython.cdivision(True)          # n is at least 1
cdef inline void add_to_trend(Trend *trend, uint32_t n, double value) noexcept nogil:
    """Mean and variance with weight 1/n for the newest (Finch, "Incremental calculation of weighted mean and
    variance", 2009); with n the number of values so far they are the plain ones (Welford, 1962)."""
    cdef double weight = 1.0 / n, delta = value - trend.mean
    trend.mean += weight * delta
    trend.variance = (1 - weight) * (trend.variance + weight * delta * delta)

@cython.cdivision(True)
cdef inline float spread(const Trend *trend, uint32_t n) noexcept nogil:
    """Standard deviation over mean; 0 while there are fewer than two values, and where the mean is 0."""
    if n < 2 or trend.mean == 0:
        return 0
    return <float> (sqrt(trend.variance) / trend.mean)
