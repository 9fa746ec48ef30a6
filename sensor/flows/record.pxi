# The record of one flow: the only definition, which FLOW_DTYPE is read from at import.
# Fields are ordered so that nothing is padded and what a packet touches lies together.

cdef struct Moments:
    uint64_t n
    double mean
    double m2
    int64_t min
    int64_t max

cdef struct Direction:
    # first cache line: touched by every packet of the direction
    uint64_t pkts
    uint64_t bytes
    uint64_t ip_bytes
    uint64_t payload
    uint64_t payload_sq
    uint64_t header
    int64_t first_ns
    int64_t last_ns
    # second: gaps and sizes
    Moments iat
    uint32_t payload_min
    uint32_t payload_max
    uint32_t header_min
    uint32_t data_pkts
    # third: flags and bulk totals
    uint32_t flags[8]
    uint64_t bulk_bytes
    int64_t bulk_ns
    uint32_t bulk_pkts
    uint32_t bulk_count
    uint32_t retrans
    uint32_t reserved

cdef enum:
    FIRST_PACKETS = 12           # packets of a flow that are kept one by one
    HALF_LIVES = 3               # of the damped windows: 5, 60, 600 s
    SPANS = 2                    # of the distinct counts: the last 60, 600 s

cdef struct Context:             # what the two hosts have been doing; all zero where nobody kept count
    float src_conns[HALF_LIVES]      # damped number of connections that the initiator began
    float src_fails[HALF_LIVES]      # of those, the ones that came to nothing
    float src_peers[SPANS]           # distinct responders
    float src_ports[SPANS]           # distinct responder ports
    float src_open                   # connections of the initiator open now
    float dst_conns[HALF_LIVES]      # the same for the responder: connections that it was asked for
    float dst_fails[HALF_LIVES]
    float dst_peers[SPANS]           # distinct initiators
    float dst_ports[SPANS]           # distinct ports of its own that were asked for
    float dst_open
    float pair_conns[HALF_LIVES]     # the same for initiator and responder together
    float pair_fails[HALF_LIVES]
    float pair_ports[SPANS]
    float pair_open
    float pair_fwd_bytes[SPANS]      # damped payload bytes, half-lives 60, 600 s
    float pair_bwd_bytes[SPANS]
    float pair_done                  # damped number of finished connections, half-life 600 s
    float pair_gap_mean              # seconds between the beginnings of connections
    float pair_gap_cv                # standard deviation over mean
    float pair_fwd_mean              # payload bytes of a finished connection
    float pair_fwd_cv
    float pair_bwd_mean
    float pair_bwd_cv
    float pair_time_mean             # seconds that a finished connection took
    float pair_time_cv

cdef struct FlowRecord:
    int64_t start_ns
    int64_t end_ns
    Moments iat
    Direction fwd
    Direction bwd
    Moments active
    Moments idle
    uint64_t flow_id
    int64_t conn_ns
    uint8_t src[16]
    uint8_t dst[16]
    uint32_t tunnel
    uint32_t gaps_1s
    uint32_t first_payload
    int32_t fwd_init_win
    int32_t bwd_init_win
    int32_t bwd_last_win
    uint32_t part
    uint16_t src_port
    uint16_t dst_port
    uint16_t vlan[2]
    int16_t icmp_type
    int16_t icmp_code
    uint8_t vlans
    uint8_t proto
    uint8_t ip_version
    uint8_t reason
    uint8_t state
    uint8_t first_backward
    uint8_t first_flags
    uint8_t fwd_flags
    uint8_t bwd_flags
    uint8_t roles_kept
    uint8_t swapped
    uint8_t reserved[5]
    # the first packets: gap to the one before in microseconds (saturates), payload bytes and one more, negative from
    # the responder (0: no such packet), TCP flags
    uint32_t seq_gap_us[FIRST_PACKETS]
    int32_t seq_size[FIRST_PACKETS]
    uint8_t seq_flags[FIRST_PACKETS]
    uint32_t reserved_seq
    Context context

cdef size_t CONTEXT_AT = sizeof(FlowRecord) - sizeof(Context)      # where the context begins: it is the record's end
