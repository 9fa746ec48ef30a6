# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True, cdivision=False
"""The flow engine: a buffer of captured packets in, a table of finished flows out, without the interpreter's lock."""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport INT64_MAX, UINT32_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.math cimport exp2, log, sqrt
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memcmp, memcpy, memset

import os
import sys

import numpy as np

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define prefetch_line(p) __builtin_prefetch(p)
    #else
    #define prefetch_line(p) ((void)(p))
    #endif
    """
    void prefetch_line(const void *at) noexcept nogil

include "record.pxi"
include "view.pxi"
include "framing.pxi"
include "packet.pxi"
include "hashing.pxi"
include "ip.pxi"
include "link.pxi"
include "slots.pxi"
include "update.pxi"
include "sketch.pxi"
include "recent.pxi"
include "hosts.pxi"
include "context.pxi"
include "table.pxi"
include "assemble.pxi"
include "ends.pxi"


def _flow_dtype():
    """Read FLOW_DTYPE off the C struct, so that there is one definition."""
    cdef FlowRecord one
    return np.asarray(<FlowRecord[:1]> &one).dtype


cdef set_decoder(Decoder *decoder, profile):
    decoder.ipv6 = profile.ipv6
    decoder.vlan_in_key = profile.vlan_in_key
    decoder.tunnels = profile.tunnels
    decoder.icmp_in_key = profile.icmp_in_key
    decoder.match_fragments = profile.match_fragments
    decoder.icmp_errors_join = profile.icmp_errors_join
    decoder.plain_links = profile.plain_links
    decoder.lenient = profile.plain_links
    decoder.protocols = {"all": PROTOCOLS_ALL, "legacy": PROTOCOLS_LEGACY, "cns22": PROTOCOLS_CNS22,
                         "fork": PROTOCOLS_FORK}[profile.protocols]


cdef set_rules(Rules *rules, profile):
    rules.active_ns = profile.active_ns
    rules.activity_ns = profile.activity_ns
    rules.linger_ns = profile.linger_ns
    rules.tcp_new_ns = profile.tcp_new_ns
    rules.tcp_ns = profile.tcp_ns
    rules.udp_new_ns = profile.udp_new_ns
    rules.udp_ns = profile.udp_ns
    rules.icmp_ns = profile.icmp_ns
    rules.other_ns = profile.other_ns
    rules.min_pkts = profile.min_pkts
    rules.keep_roles = {"udp_dialogue": ROLES_DIALOGUE, "tcp": ROLES_TCP, "always": ROLES_ALWAYS}[profile.keep_roles]
    rules.by_endpoint = profile.by_endpoint
    rules.swap_syn_ack = profile.swap_syn_ack
    rules.first_fin_ends = profile.first_fin_ends
    rules.fin_of_first = profile.fin_of_first
    rules.whole_us = profile.whole_us
    rules.retransmissions = profile.count_retransmissions
    rules.conn_every_end = profile.conn_every_end
    rules.conn_udp = profile.conn_udp
    rules.split_icmp = profile.protocols in ("cns22", "fork")
    rules.sweep = profile.sweep
    rules.same_syn_joins = profile.same_syn_joins
    rules.snapshot_pkts = profile.snapshot_pkts
    rules.snapshot_closed = profile.snapshot_closed and profile.sweep
    rules.context = profile.context


FLOW_DTYPE = _flow_dtype()
SKIP_REASONS = OUTCOME_NAMES[1:]
COUNTERS = (
    "packets", "bytes", "in_flow", *SKIP_REASONS, *SEEN_NAMES, "flows", "evicted", "single_packet_flows",
    "untracked_retransmissions", "snapshots", "context_forgotten",
)


cdef class Block:
    """Memory of finished flows that an array has taken over from an engine."""

    cdef FlowRecord *at
    cdef Py_ssize_t size

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.at, self.size, 0, flags)

    def __dealloc__(self):
        free(self.at)


cdef class FlowEngine:
    """Assembles packets into flows under one profile.

    Args:
        profile: a `sensor.flows.Profile`.
        max_flows: how many flows may be open; at this number the flow idle longest leaves first, and is counted.

    Raises:
        ValueError: max_flows is not between 1 and 2**26.
        MemoryError: the table cannot be allocated.
    """

    cdef Table table
    cdef readonly object profile

    def __cinit__(self, profile, *, max_flows=262144):
        if not 1 <= max_flows <= 1 << 26:
            raise ValueError(f"max_flows must lie between 1 and {1 << 26}, not {max_flows}")
        if not make_table(&self.table, max_flows):
            raise MemoryError(f"a table of {max_flows} flows does not fit into memory")
        if profile.context and not make_hosts(&self.table.hosts, profile.context_hosts, profile.context_pairs):
            raise MemoryError(f"tables of {profile.context_hosts} hosts and {profile.context_pairs} pairs do not fit")
        secret = os.urandom(16)
        memcpy(&self.table.k0, PyBytes_AS_STRING(secret), 8)
        memcpy(&self.table.k1, PyBytes_AS_STRING(secret) + 8, 8)
        self.table.hosts.k0 = self.table.k0
        self.table.hosts.k1 = self.table.k1
        self.table.decoder.seen = self.table.seen
        self.profile = profile
        set_decoder(&self.table.decoder, profile)
        set_rules(&self.table.rules, profile)

    def __dealloc__(self):
        free(self.table.slots)
        free(self.table.index)
        free(self.table.ranked)
        free(self.table.out)
        free(self.table.remembered)
        free(self.table.decoder.fragments)
        free_hosts(&self.table.hosts)

    def feed(self, const uint8_t[::1] buffer not None, Framing framing not None):
        """Take whole records from `buffer`.

        Args:
            buffer: bytes of a capture, or one block of a ring, beginning where the last call's consumption ended.
            framing: the state of the file or ring, from `Framing.sniff` or `Framing.ring`.

        Returns:
            Bytes consumed. It stops before the end when the buffer ends inside a record, when `framing.corrupt` says
            that no record can begin there, or when 4,096 flows wait to be taken.

        Raises:
            MemoryError: there is no room for finished flows.
        """
        cdef size_t size = buffer.shape[0], consumed = 0
        cdef const uint8_t *at
        if size == 0:
            return 0
        at = &buffer[0]
        with nogil:
            consumed = feed_records(&self.table, at, size, framing)
        if self.table.out_of_memory:
            raise MemoryError("no memory for finished flows")
        return consumed

    def tick(self, int64_t now_ns):
        """Move packet time forward on a silent source, so that timeouts fire."""
        with nogil:
            advance_clock(&self.table, now_ns)
        if self.table.out_of_memory:
            raise MemoryError("no memory for finished flows")

    def drain(self):
        """End open flows, idle longest first, until 4,096 wait; the reason is SHUTDOWN, or how a flow closed.

        Returns:
            True while flows are open still: take those that wait and call again. After the last, time is forgotten
            and the engine is ready for another capture.
        """
        cdef bint more
        with nogil:
            more = end_some(&self.table, PENDING)
        if self.table.out_of_memory:
            raise MemoryError("no memory for finished flows")
        return more

    def finish(self):
        """End every open flow at once, as `drain` does piece by piece."""
        with nogil:
            end_some(&self.table, <size_t> -1)
        if self.table.out_of_memory:
            raise MemoryError("no memory for finished flows")

    def take(self):
        """Return the flows that ended since the last call: array (n,) of FLOW_DTYPE, in the order of their ends."""
        cdef size_t count = self.table.out_count
        cdef FlowRecord *room = NULL
        cdef uint8_t[::1] bytes_of
        cdef Block block
        if count >= HANDED_OVER:         # no copy: the array takes the memory, the engine takes new
            room = <FlowRecord *> malloc((PENDING + BATCH) * sizeof(FlowRecord))
        if room != NULL:
            block = Block()
            block.at = self.table.out
            block.size = count * sizeof(FlowRecord)
            self.table.out = room
            self.table.out_room = PENDING + BATCH
            self.table.out_count = 0
            return np.frombuffer(block, FLOW_DTYPE)
        flows = np.empty(count, FLOW_DTYPE)
        if count:
            bytes_of = flows.view(np.uint8)
            memcpy(&bytes_of[0], self.table.out, count * sizeof(FlowRecord))
            self.table.out_count = 0
        return flows

    @property
    def pending(self):
        """How many finished flows wait to be taken."""
        return self.table.out_count

    @property
    def live(self):
        """How many flows are open."""
        return self.table.live

    @property
    def now_ns(self):
        """The latest packet time or tick, ns."""
        return self.table.clock_ns

    @property
    def memory_bytes(self):
        """Bytes of the flow table and of what is remembered of hosts that have been in use so far."""
        return (self.table.used_slots * sizeof(Slot) + (<size_t> self.table.mask + 1) * sizeof(Entry)
                + hosts_bytes(&self.table.hosts))

    @property
    def counters(self):
        """Every count since the start, by name (`COUNTERS`); `in_flow` and the skip reasons add up to `packets`."""
        values = [self.table.packets, self.table.octets]
        values += [self.table.outcomes[i] for i in range(OUTCOMES)]
        values += [self.table.seen[i] for i in range(SEENS)]
        values += [self.table.flows, self.table.evicted, self.table.single, self.table.untracked,
                   self.table.snapshots, self.table.hosts.forgotten]
        return dict(zip(COUNTERS, values, strict=True))
