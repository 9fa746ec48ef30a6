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
