# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=True, cdivision=False
"""The flow engine: a buffer of captured packets in, a table of finished flows out, without the interpreter's lock."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport INT64_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memcmp, memcpy, memset

import os

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

cdef enum:
    BATCH = 32                   # packets decoded before the first of them is counted: time for memory to arrive
    PENDING = 4096               # feed returns once this many flows wait to be taken
    SEEN_CAP = 1 << 22           # TCP packets remembered for retransmissions in profile `fork`

ctypedef int Reason

cdef enum:
    FIN_ENDED = 1
    RST_ENDED = 2
    IDLE_ENDED = 3
    ACTIVE_ENDED = 4
    EVICTED = 5
    SHUTDOWN = 6
    REUSED = 7

cdef enum:
    ROLES_DIALOGUE
    ROLES_TCP
    ROLES_ALWAYS

cdef int64_t HOUR_NS = 3600000000000


def _flow_dtype():
    """Read FLOW_DTYPE off the C struct, so that there is one definition."""
    cdef FlowRecord one
    return np.asarray(<FlowRecord[:1]> &one).dtype


FLOW_DTYPE = _flow_dtype()
SKIP_REASONS = OUTCOME_NAMES[1:]
COUNTERS = (
    "packets", "bytes", "in_flow", *SKIP_REASONS, *SEEN_NAMES, "flows", "evicted", "single_packet_flows",
    "untracked_retransmissions",
)


cdef class FlowEngine:
    """Assembles packets into flows under one profile.

    Args:
        profile: a `sensor.flows.Profile`.
        max_flows: how many flows may be open; at this number the flow idle longest leaves first, and is counted.

    Raises:
        ValueError: max_flows is not between 1 and 2**26.
        MemoryError: the table cannot be allocated.
    """

    cdef Decoder decoder
    cdef Wheel wheel
    cdef Slot *slots
    cdef Entry *index
    cdef Ranked *ranked
    cdef FlowRecord *out
    cdef uint64_t *remembered
    cdef uint64_t outcomes[OUTCOMES]
    cdef uint64_t seen[SEENS]
    cdef uint32_t mask, capacity, used_slots, free_head, live_count, ranked_count, ranked_at
    cdef size_t out_count, out_room, remembered_count, remembered_mask
    cdef uint64_t packets, octets, flows, evicted, single, untracked, serial, k0, k1
    cdef int64_t active_ns, activity_ns, linger_ns, tcp_new_ns, tcp_ns, udp_new_ns, udp_ns, icmp_ns, other_ns
    cdef int64_t clock_ns
    cdef bint by_endpoint, swap_syn_ack, first_fin_ends, whole_us, retransmissions, conn_every_end, conn_udp, sweep, started, fin_of_first
    cdef bint split_icmp, out_of_memory
    cdef int keep_roles
    cdef uint32_t min_pkts
    cdef readonly object profile

    def __cinit__(self, profile, *, max_flows=262144):
        cdef uint32_t i
        if not 1 <= max_flows <= 1 << 26:
            raise ValueError(f"max_flows must lie between 1 and {1 << 26}, not {max_flows}")
        self.capacity = max_flows
        self.mask = 1
        while self.mask < max_flows * 2:
            self.mask <<= 1
        self.mask -= 1
        self.slots = <Slot *> calloc(self.capacity, sizeof(Slot))
        self.index = <Entry *> malloc((<size_t> self.mask + 1) * sizeof(Entry))
        self.decoder.fragments = <Fragment *> calloc(FRAGMENT_SLOTS, sizeof(Fragment))
        self.out_room = PENDING + BATCH
        self.out = <FlowRecord *> malloc(self.out_room * sizeof(FlowRecord))
        if self.slots == NULL or self.index == NULL or self.decoder.fragments == NULL or self.out == NULL:
            raise MemoryError(f"a table of {max_flows} flows does not fit into memory")
        for i in range(self.mask + 1):
            self.index[i].slot = NO_SLOT
        self.free_head = NO_SLOT
        wheel_clear(&self.wheel)
        secret = os.urandom(16)
        memcpy(&self.k0, PyBytes_AS_STRING(secret), 8)
        memcpy(&self.k1, PyBytes_AS_STRING(secret) + 8, 8)
        self.decoder.seen = self.seen
        self.configure(profile)

    cdef configure(self, profile):
        self.profile = profile
        self.decoder.ipv6 = profile.ipv6
        self.decoder.vlan_in_key = profile.vlan_in_key
        self.decoder.tunnels = profile.tunnels
        self.decoder.icmp_in_key = profile.icmp_in_key
        self.decoder.match_fragments = profile.match_fragments
        self.decoder.plain_links = profile.plain_links
        self.decoder.lenient = profile.plain_links
        self.decoder.protocols = {"all": PROTOCOLS_ALL, "legacy": PROTOCOLS_LEGACY, "cns22": PROTOCOLS_CNS22,
                                  "fork": PROTOCOLS_FORK}[profile.protocols]
        self.keep_roles = {"udp_dialogue": ROLES_DIALOGUE, "tcp": ROLES_TCP, "always": ROLES_ALWAYS}[profile.keep_roles]
        self.split_icmp = profile.protocols in ("cns22", "fork")
        self.by_endpoint = profile.by_endpoint
        self.swap_syn_ack = profile.swap_syn_ack
        self.first_fin_ends = profile.first_fin_ends
        self.whole_us = profile.whole_us
        self.retransmissions = profile.count_retransmissions
        self.conn_every_end = profile.conn_every_end
        self.conn_udp = profile.conn_udp
        self.fin_of_first = profile.fin_of_first
        self.sweep = profile.sweep
        self.min_pkts = profile.min_pkts
        self.active_ns = profile.active_ns
        self.activity_ns = profile.activity_ns
        self.linger_ns = profile.linger_ns
        self.tcp_new_ns = profile.tcp_new_ns
        self.tcp_ns = profile.tcp_ns
        self.udp_new_ns = profile.udp_new_ns
        self.udp_ns = profile.udp_ns
        self.icmp_ns = profile.icmp_ns
        self.other_ns = profile.other_ns

    def __dealloc__(self):
        free(self.slots)
        free(self.index)
        free(self.ranked)
        free(self.out)
        free(self.remembered)
        free(self.decoder.fragments)

    # -- the face ---------------------------------------------------------------------------------------------------

    def feed(self, const uint8_t[::1] buffer not None, Framing framing not None):
        """Take whole records from `buffer`.

        Args:
            buffer: bytes of a capture, beginning where the last call's consumption ended.
            framing: the file's state, from `Framing.sniff`.

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
            consumed = self.run(at, size, framing)
        if self.out_of_memory:
            raise MemoryError("no memory for finished flows")
        return consumed

    def tick(self, int64_t now_ns):
        """Move packet time forward on a silent source, so that timeouts fire."""
        with nogil:
            self.advance(now_ns)
        if self.out_of_memory:
            raise MemoryError("no memory for finished flows")

    def finish(self):
        """End every open flow (reason SHUTDOWN, or FIN and RST for closed ones), idle longest first, and forget time."""
        with nogil:
            self.drain()
        if self.out_of_memory:
            raise MemoryError("no memory for finished flows")

    def take(self):
        """Return the flows that ended since the last call: array (n,) of FLOW_DTYPE, in the order of their ends."""
        flows = np.empty(self.out_count, FLOW_DTYPE)
        cdef uint8_t[::1] room
        if self.out_count:
            room = flows.view(np.uint8)
            memcpy(&room[0], self.out, self.out_count * sizeof(FlowRecord))
            self.out_count = 0
        return flows

    @property
    def pending(self):
        """How many finished flows wait to be taken."""
        return self.out_count

    @property
    def live(self):
        """How many flows are open."""
        return self.live_count

    @property
    def now_ns(self):
        """The latest packet time or tick, ns."""
        return self.clock_ns

    @property
    def memory_bytes(self):
        """Bytes of the flow table that have been in use so far."""
        return self.used_slots * sizeof(Slot) + (<size_t> self.mask + 1) * sizeof(Entry)

    @property
    def counters(self):
        """Every count since the start, by name (`COUNTERS`); `in_flow` and the skip reasons add up to `packets`."""
        values = [self.packets, self.octets]
        values += [self.outcomes[i] for i in range(OUTCOMES)]
        values += [self.seen[i] for i in range(SEENS)]
        values += [self.flows, self.evicted, self.single, self.untracked]
        return dict(zip(COUNTERS, values, strict=True))

    # -- packets ----------------------------------------------------------------------------------------------------

    cdef size_t run(self, const uint8_t *at, size_t size, Framing framing) noexcept nogil:
        cdef Packet batch[BATCH]
        cdef Frame frame
        cdef size_t consumed = 0, taken = 0
        cdef int count, i
        cdef Step step = STEP_SKIP
        cdef Outcome outcome
        cdef Entry *entry
        cdef char *line
        while self.out_count < PENDING and not self.out_of_memory:
            count = 0
            while count < BATCH:
                step = framing.next(at + consumed, size - consumed, &taken, &frame)
                if step == STEP_MORE or step == STEP_CORRUPT:
                    break
                consumed += taken
                if step == STEP_SKIP:
                    continue
                if self.whole_us:
                    frame.ts_ns -= frame.ts_ns % 1000
                self.decoder.depth = 0
                outcome = decode_frame(&self.decoder, &frame, &batch[count])
                self.packets += 1
                self.octets += frame.wire
                self.outcomes[outcome] += 1
                if outcome == IN_FLOW:
                    batch[count].hash = <uint32_t> hash_key(&batch[count].key, self.k0, self.k1, 0)
                    prefetch_line(&self.index[batch[count].hash & self.mask])
                    count += 1
            for i in range(count):
                entry = &self.index[batch[i].hash & self.mask]
                if entry.slot != NO_SLOT:
                    line = <char *> &self.slots[entry.slot]
                    prefetch_line(line)
                    prefetch_line(line + 64)
                    prefetch_line(line + 128)
                    prefetch_line(line + 192)
                    prefetch_line(line + 256)
                    if batch[i].from_low != self.slots[entry.slot].forward_low:
                        prefetch_line(line + 384)
                        prefetch_line(line + 448)
            for i in range(count):
                self.add(&batch[i])
            if step == STEP_MORE:
                break
            if step == STEP_CORRUPT:
                framing.corrupt = True
                break
        return consumed

    cdef void add(self, Packet *packet) noexcept nogil:
        """Count one packet to its flow, ending and beginning flows as the rules say."""
        cdef uint32_t number
        cdef Slot *slot
        cdef int64_t idle
        cdef bint syn, reuse, backward
        self.advance(packet.ts_ns)
        number = self.find(packet)
        if number == NO_SLOT:
            self.begin(packet)
            return
        slot = &self.slots[number]
        syn = (packet.flags & F_SYN) != 0 and (not self.sweep or (packet.flags & F_ACK) == 0)
        reuse = syn and slot.closing >= CLOSED_FIN
        idle = self.idle_ns(slot) if self.sweep else 0
        if idle and packet.ts_ns - slot.rec.end_ns > idle:
            self.end(number, IDLE_ENDED if slot.closing < CLOSED_FIN else self.closed_reason(slot))
            self.begin(packet)
        elif slot.dormant:
            self.succeed(number, packet, False)
        elif (self.active_ns and packet.ts_ns - slot.rec.start_ns > self.active_ns) or reuse:
            self.report(slot, REUSED if reuse else ACTIVE_ENDED)
            self.succeed(number, packet, reuse)
        elif (self.split_icmp and slot.rec.proto == ICMP4 and slot.rec.icmp_type != packet.icmp_type
              and slot.rec.icmp_code != packet.icmp_code):
            self.end(number, REUSED)
            self.begin(packet)
        else:
            backward = self.goes_back(slot, packet)
            self.count(slot, packet, backward)
            self.advance_state(number, packet, backward)

    cdef inline uint32_t find(self, Packet *packet) noexcept nogil:
        cdef uint32_t at = packet.hash & self.mask
        while self.index[at].slot != NO_SLOT:
            if (self.index[at].hash == packet.hash
                    and memcmp(&self.slots[self.index[at].slot].key, &packet.key, sizeof(Key)) == 0):
                return self.index[at].slot
            at = (at + 1) & self.mask
        return NO_SLOT

    cdef inline bint goes_back(self, Slot *slot, Packet *packet) noexcept nogil:
        if self.by_endpoint:
            return packet.from_low != slot.forward_low
        return memcmp(source(packet), slot.rec.src, 16) != 0

    cdef void begin(self, Packet *packet) noexcept nogil:
        """Open a flow that owes nothing to an earlier one."""
        cdef uint32_t number, at
        cdef Slot *slot
        if self.live_count >= self.capacity:
            self.evict()
        number = self.free_head
        if number != NO_SLOT:
            self.free_head = self.slots[number].next
        elif self.used_slots < self.capacity:
            number = self.used_slots
            self.used_slots += 1
        else:                                 # nothing could be evicted: memory for the ranking ran out
            self.out_of_memory = True
            return
        slot = &self.slots[number]
        memset(slot, 0, sizeof(Slot))
        slot.key = packet.key
        slot.hash = packet.hash
        slot.used = True
        slot.bucket = NO_SLOT
        at = packet.hash & self.mask
        while self.index[at].slot != NO_SLOT:
            at = (at + 1) & self.mask
        self.index[at].hash = packet.hash
        self.index[at].slot = number
        self.live_count += 1
        self.open_piece(slot, packet, True)
        if self.sweep:
            wheel_add(&self.wheel, self.slots, number, self.deadline(slot))

    cdef void open_piece(self, Slot *slot, Packet *packet, bint fresh) noexcept nogil:
        """Begin a flow in `slot`, with roles of its own or those of the flow before it."""
        cdef FlowRecord *rec = &slot.rec
        cdef bint swap, backward
        cdef uint8_t roles[40]
        if not fresh:
            memcpy(roles, rec.src, 32)
            memcpy(roles + 32, &rec.src_port, 2)
            memcpy(roles + 34, &rec.dst_port, 2)
            roles[36] = rec.swapped
        memset(rec, 0, sizeof(FlowRecord))
        memset(slot.bulk, 0, sizeof(slot.bulk))
        self.serial += 1
        slot.serial = self.serial
        slot.closing = OPEN
        slot.dormant = False
        if fresh:
            swap = self.swap_syn_ack and (packet.flags & (F_SYN | F_ACK)) == (F_SYN | F_ACK)
            slot.forward_low = packet.from_low != swap
            slot.connection = self.serial
            slot.conn_base_ns = 0
            memcpy(rec.src, destination(packet) if swap else source(packet), 16)
            memcpy(rec.dst, source(packet) if swap else destination(packet), 16)
            rec.src_port = destination_port(packet) if swap else source_port(packet)
            rec.dst_port = source_port(packet) if swap else destination_port(packet)
            rec.swapped = swap
        else:
            memcpy(rec.src, roles, 32)
            memcpy(&rec.src_port, roles + 32, 2)
            memcpy(&rec.dst_port, roles + 34, 2)
            rec.swapped = roles[36]
            rec.roles_kept = True
        rec.proto = packet.key.proto
        rec.ip_version = packet.key.ip_version
        rec.vlan[0] = packet.key.vlan[0]
        rec.vlan[1] = packet.key.vlan[1]
        rec.vlans = packet.key.vlans
        rec.tunnel = packet.key.tunnel
        rec.icmp_type = packet.icmp_type
        rec.icmp_code = packet.icmp_code
        rec.start_ns = packet.ts_ns
        rec.end_ns = packet.ts_ns
        slot.active_from_ns = packet.ts_ns
        rec.first_flags = packet.flags
        rec.first_payload = packet.payload
        rec.fwd_init_win = -1
        rec.bwd_init_win = -1
        rec.bwd_last_win = -1
        backward = self.goes_back(slot, packet) and not self.first_fin_ends
        rec.first_backward = backward
        if not backward and packet.key.proto == TCP:
            rec.fwd_init_win = packet.window
        self.count(slot, packet, backward)
        slot.fins = 0
        if self.sweep:                        # CICFlowMeter does not move its state by a first packet
            self.note_flags(slot, packet, backward)
        elif self.fin_of_first and packet.flags & F_FIN:
            slot.fins = 2 if backward else 1

    cdef void succeed(self, uint32_t number, Packet *packet, bint reuse) noexcept nogil:
        """Begin the flow that follows one that was cut, on the same key."""
        cdef Slot *slot = &self.slots[number]
        cdef int64_t gap = packet.ts_ns - slot.rec.end_ns
        cdef bint keep
        if self.keep_roles == ROLES_ALWAYS:
            keep = True
        elif self.keep_roles == ROLES_TCP:    # only a SYN without ACK begins a new connection
            keep = slot.rec.proto == TCP and not (reuse and (packet.flags & F_ACK) == 0)
        else:
            keep = not reuse and (slot.rec.proto == TCP or (slot.rec.proto == UDP and gap <= self.active_ns))
        if keep:
            slot.conn_base_ns += gap
            if not slot.dormant:
                slot.conn_base_ns += self.own_duration(&slot.rec)
        self.open_piece(slot, packet, not keep)
        if self.sweep:
            wheel_remove(&self.wheel, self.slots, number)
            wheel_add(&self.wheel, self.slots, number, self.deadline(slot))

    cdef inline int64_t own_duration(self, FlowRecord *rec) noexcept nogil:
        """What a flow adds to its connection's time: its duration, for TCP (and UDP in `fork`)."""
        if rec.proto == TCP or (rec.proto == UDP and self.conn_udp):
            return rec.end_ns - rec.start_ns
        return 0

    cdef inline void count(self, Slot *slot, Packet *packet, bint backward) noexcept nogil:
        cdef FlowRecord *rec = &slot.rec
        cdef Direction *d = &rec.bwd if backward else &rec.fwd
        cdef int64_t ts = packet.ts_ns
        if rec.fwd.pkts + rec.bwd.pkts:
            if not (self.first_fin_ends and packet.flags & F_FIN):
                add_period(rec, &slot.active_from_ns, ts, self.activity_ns)
            if ts - rec.end_ns > SECOND_NS:
                rec.gaps_1s += 1
            add_moment(&rec.iat, ts - rec.end_ns)
        add_bulk(d, &slot.bulk[backward], &slot.bulk[not backward], ts, packet.payload)
        add_to_direction(d, packet)
        add_windows(rec, packet, backward)
        rec.end_ns = ts
        if self.retransmissions and packet.key.proto == TCP:
            self.note_retransmission(slot, packet, d)

    cdef void advance_state(self, uint32_t number, Packet *packet, bint backward) noexcept nogil:
        cdef Slot *slot = &self.slots[number]
        if self.first_fin_ends:
            if packet.flags & F_FIN:
                self.end(number, FIN_ENDED)
            return
        if packet.flags & (F_FIN | F_RST | F_ACK) and slot.closing < CLOSED_FIN:
            self.note_flags(slot, packet, backward)
            if slot.closing >= CLOSED_FIN and self.sweep:
                wheel_remove(&self.wheel, self.slots, number)
                wheel_add(&self.wheel, self.slots, number, self.deadline(slot))

    cdef inline void note_flags(self, Slot *slot, Packet *packet, bint backward) noexcept nogil:
        """Move the closing state: FIN from both sides and one more ACK, or a RST, close a connection."""
        if packet.key.proto != TCP:
            return
        if packet.flags & F_FIN:
            slot.fins |= 2 if backward else 1
            if slot.closing == OPEN:
                slot.closing = FIRST_FIN
            elif slot.closing == FIRST_FIN and slot.fins == 3:
                slot.closing = SECOND_FIN
        elif packet.flags & F_RST:
            slot.closing = CLOSED_RST
        elif packet.flags & F_ACK and slot.closing == SECOND_FIN:
            slot.closing = CLOSED_FIN

    cdef inline Reason closed_reason(self, Slot *slot) noexcept nogil:
        return RST_ENDED if slot.closing == CLOSED_RST else FIN_ENDED

    cdef void note_retransmission(self, Slot *slot, Packet *packet, Direction *d) noexcept nogil:
        """Count a TCP packet whose sender, numbers, length and window were seen before in this connection."""
        cdef Sip s
        cdef uint64_t tag
        cdef size_t at
        if self.remembered == NULL:
            self.remembered = <uint64_t *> calloc(SEEN_CAP * 2, sizeof(uint64_t))
            self.remembered_mask = SEEN_CAP * 2 - 1
        if self.remembered == NULL or self.remembered_count >= SEEN_CAP:
            self.untracked += 1
            return
        sip_start(&s, self.k0, self.k1)
        sip_word(&s, slot.connection)
        sip_word(&s, word_at(source(packet)))
        sip_word(&s, (<uint64_t> packet.seq << 32) | packet.ack)
        sip_word(&s, (<uint64_t> packet.payload << 32) | packet.window)
        tag = sip_end(&s) | 1
        at = tag & self.remembered_mask
        while self.remembered[at]:
            if self.remembered[at] == tag:
                d.retrans += 1
                return
            at = (at + 1) & self.remembered_mask
        self.remembered[at] = tag
        self.remembered_count += 1

    # -- ends -------------------------------------------------------------------------------------------------------

    cdef inline int64_t idle_ns(self, Slot *slot) noexcept nogil:
        """The idle timeout of a flow's protocol and state; 0 is none."""
        cdef bint both = slot.rec.fwd.pkts != 0 and slot.rec.bwd.pkts != 0
        if slot.closing >= CLOSED_FIN:
            return self.linger_ns
        if slot.rec.proto == TCP:
            return self.tcp_ns if both or slot.dormant else self.tcp_new_ns
        if slot.rec.proto == UDP:
            return self.udp_ns if both or slot.dormant else self.udp_new_ns
        if slot.rec.icmp_type >= 0:
            return self.icmp_ns
        return self.other_ns

    cdef inline int64_t deadline(self, Slot *slot) noexcept nogil:
        """When a flow's time is up if no packet comes."""
        cdef int64_t idle = self.idle_ns(slot), at = INT64_MAX
        if idle:
            at = slot.rec.end_ns + idle
        if self.active_ns and not slot.dormant and slot.rec.start_ns + self.active_ns < at:
            at = slot.rec.start_ns + self.active_ns
        return at

    cdef void advance(self, int64_t now) noexcept nogil:
        """Move the clock; flows whose time is up by then leave. A clock that fell back over an hour starts anew."""
        cdef int64_t tick = now >> TICK_SHIFT, first
        cdef uint32_t number, following
        if not self.started or now < self.clock_ns - HOUR_NS:
            self.started = True
            self.clock_ns = now
            self.wheel.tick = tick
            return
        if now > self.clock_ns:
            self.clock_ns = now
        if tick <= self.wheel.tick or not self.sweep:
            return
        first = self.wheel.tick + 1
        if tick - first >= BUCKETS:
            first = tick - BUCKETS + 1
        self.wheel.tick = tick
        while first <= tick:
            number = self.wheel.head[first & (BUCKETS - 1)]
            self.wheel.head[first & (BUCKETS - 1)] = NO_SLOT
            self.wheel.tail[first & (BUCKETS - 1)] = NO_SLOT
            first += 1
            while number != NO_SLOT:
                following = self.slots[number].next
                self.slots[number].bucket = NO_SLOT
                self.look(number, now)
                number = following

    cdef void look(self, uint32_t number, int64_t now) noexcept nogil:
        """End a flow whose time is up, or file it again."""
        cdef Slot *slot = &self.slots[number]
        cdef int64_t idle = self.idle_ns(slot)
        if idle and now - slot.rec.end_ns > idle:
            self.end(number, IDLE_ENDED if slot.closing < CLOSED_FIN else self.closed_reason(slot))
            return
        if self.active_ns and not slot.dormant and now - slot.rec.start_ns > self.active_ns:
            self.report(slot, ACTIVE_ENDED)
            slot.conn_base_ns += self.own_duration(&slot.rec)
            slot.dormant = True
        wheel_add(&self.wheel, self.slots, number, self.deadline(slot))

    cdef void end(self, uint32_t number, Reason reason) noexcept nogil:
        """Report a flow and free its slot."""
        cdef Slot *slot = &self.slots[number]
        if not slot.dormant:
            self.report(slot, reason)
        wheel_remove(&self.wheel, self.slots, number)
        index_remove(self.index, self.mask, slot.hash, number)
        slot.used = False
        slot.next = self.free_head
        self.free_head = number
        self.live_count -= 1

    cdef void report(self, Slot *slot, Reason reason) noexcept nogil:
        """Put a copy of the flow among the finished ones."""
        cdef FlowRecord *rec = &slot.rec
        cdef FlowRecord *larger
        cdef int64_t own = 0
        if rec.fwd.pkts + rec.bwd.pkts < self.min_pkts:
            self.single += 1
            return
        if self.out_count == self.out_room:
            larger = <FlowRecord *> realloc(self.out, self.out_room * 2 * sizeof(FlowRecord))
            if larger == NULL:
                self.out_of_memory = True
                return
            self.out = larger
            self.out_room *= 2
        if self.conn_every_end or reason == ACTIVE_ENDED or reason == REUSED:
            own = self.own_duration(rec)
        rec.conn_ns = slot.conn_base_ns + own
        rec.reason = reason
        rec.state = 2 if slot.closing >= CLOSED_FIN else (1 if rec.fwd.pkts and rec.bwd.pkts else 0)
        rec.flow_id = hash_key(&slot.key, <uint64_t> 0x6E657474727573ULL, <uint64_t> 0x696F6E,
                               (<uint64_t> rec.start_ns << 1) | 1)
        rec.flow_id &= <uint64_t> 0x7FFFFFFFFFFFFULL          # below 2**51, as EVE's readers need
        self.out[self.out_count] = rec[0]
        self.out_count += 1
        self.flows += 1

    cdef void evict(self) noexcept nogil:
        """Make room: the flow idle longest leaves.

        The order of idleness is taken once for all flows and then used up: a flow that was touched since it was taken
        is younger than any that was not, so the first untouched one is the idlest. One sort serves many evictions.
        """
        cdef Ranked *entry
        cdef Slot *slot
        while True:
            while self.ranked_at < self.ranked_count:
                entry = &self.ranked[self.ranked_at]
                self.ranked_at += 1
                slot = &self.slots[entry.slot]
                if slot.used and slot.serial == entry.serial and slot.rec.end_ns == entry.last_ns:
                    self.evicted += 1
                    self.end(entry.slot, EVICTED)
                    return
            self.rank()
            if self.ranked_count == 0:
                return

    cdef void rank(self) noexcept nogil:
        """Sort the open flows by how long they have been idle."""
        cdef uint32_t number
        cdef Slot *slot
        self.ranked_count = 0
        self.ranked_at = 0
        if self.ranked == NULL:
            self.ranked = <Ranked *> malloc(<size_t> self.capacity * sizeof(Ranked))
            if self.ranked == NULL:
                self.out_of_memory = True
                return
        for number in range(self.used_slots):
            slot = &self.slots[number]
            if slot.used:
                self.ranked[self.ranked_count].last_ns = slot.rec.end_ns
                self.ranked[self.ranked_count].serial = slot.serial
                self.ranked[self.ranked_count].slot = number
                self.ranked_count += 1
        qsort(self.ranked, self.ranked_count, sizeof(Ranked), by_idleness)

    cdef void drain(self) noexcept nogil:
        cdef uint32_t i
        cdef Slot *slot
        self.rank()
        for i in range(self.ranked_count):
            slot = &self.slots[self.ranked[i].slot]
            self.end(self.ranked[i].slot, self.closed_reason(slot)
                     if self.sweep and slot.closing >= CLOSED_FIN else SHUTDOWN)
        self.ranked_count = 0
        self.ranked_at = 0
        self.used_slots = 0
        self.free_head = NO_SLOT
        self.started = False
        self.remembered_count = 0
        if self.remembered != NULL:
            memset(self.remembered, 0, (self.remembered_mask + 1) * sizeof(uint64_t))
        memset(self.decoder.fragments, 0, FRAGMENT_SLOTS * sizeof(Fragment))
