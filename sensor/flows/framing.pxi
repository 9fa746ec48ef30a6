# Framing: where one packet ends and the next begins, in classic pcap and in pcapng.
# Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng (IETF).

cdef enum:
    MAX_INTERFACES = 4096
    MAX_CAPTURED = 64 * 1024 * 1024      # a longer record is a broken file, not a packet
    FRAMING_PCAP = 1
    FRAMING_PCAPNG = 2
    FRAMING_RING = 3

cdef enum:
    MAX_BLOCK = 1 << 30
    RING_HEADER = 48                     # a ring's block and each of its packets begin with as many bytes
    RING_TAGGED = 1 << 4                 # TP_STATUS_VLAN_VALID

ctypedef int Step

cdef enum:
    STEP_PACKET
    STEP_SKIP        # a whole record that holds no packet
    STEP_MORE        # the buffer ends inside a record
    STEP_CORRUPT     # no record can start here

cdef struct Interface:
    uint32_t link
    uint32_t snap
    uint32_t fcs_bytes
    uint8_t tick_base2
    uint8_t tick_exponent
    int64_t offset_s

cdef struct Frame:
    int64_t ts_ns
    uint32_t link
    uint64_t wire            # bytes on the wire, frame check sequence left out where the file says it is there
    const uint8_t *at
    size_t captured
    bint tagged              # the outermost VLAN tag is not among the bytes but in `tag`; `wire` counts it
    uint32_t tag

cdef class Framing:
    """The state of one capture file or ring: kind, byte order, clock and link type of each interface.

    Make one with `Framing.sniff` for each file, with `Framing.ring` for a live interface, and hand it to every
    `FlowEngine.feed` of that file or interface.
    """

    cdef int kind
    cdef bint big
    cdef bint started
    cdef int64_t nano                # nanoseconds a tick of classic pcap
    cdef size_t record_header
    cdef Interface *interfaces
    cdef uint32_t interface_count
    cdef uint32_t interface_room
    cdef int64_t last_ts
    cdef uint32_t block_left         # packets of the ring's block at hand that have not been read
    cdef uint64_t usual_bytes        # no frame of the ring's interface should be longer; 0 is unknown
    cdef readonly bint corrupt
    cdef readonly uint64_t records
    cdef readonly uint64_t oversized

    def __cinit__(self):
        self.interfaces = <Interface *> calloc(1, sizeof(Interface))
        if self.interfaces == NULL:
            raise MemoryError()
        self.interface_room = 1

    def __dealloc__(self):
        free(self.interfaces)

    @staticmethod
    def sniff(head):
        """Recognise a capture by its first four bytes.

        Args:
            head: the first bytes of the file, at least four.

        Raises:
            ValueError: the bytes begin neither a pcap nor a pcapng file.
        """
        cdef bytes magic = bytes(head[:4])
        cdef Framing framing = Framing()
        if len(magic) < 4:
            raise ValueError("too short for a capture file: a pcap or pcapng file begins with four bytes of magic")
        if magic == b"\x0a\x0d\x0d\x0a":
            framing.kind = FRAMING_PCAPNG
            return framing
        framing.kind = FRAMING_PCAP
        framing.big = magic[0] == 0xA1
        value = int.from_bytes(magic, "big" if framing.big else "little")
        framing.nano = 1 if value == 0xA1B23C4D else 1000
        framing.record_header = 24 if value == 0xA1B2CD34 else 16
        if value not in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34):
            raise ValueError(f"not a pcap or pcapng file: it begins with {magic.hex(' ')}")
        return framing

    @staticmethod
    def ring(uint16_t link_type, uint32_t mtu=0):
        """Begin the ring of a live interface: its TPACKET_V3 blocks, each fed from its first byte to its last.

        A buffer given to `feed` is one block or what the last call left of it. A damaged block sets `corrupt`;
        the next buffer begins a block again.

        Args:
            link_type: LINKTYPE_ number of the interface's frames.
            mtu: the interface's largest packet, bytes; frames that are longer than this and 22 bytes of Ethernet
                with two tags are counted in `oversized`. 0 is unknown.
        """
        cdef Framing framing = Framing()
        framing.kind = FRAMING_RING
        framing.big = sys.byteorder == "big"
        framing.interfaces[0].link = link_type
        framing.interface_count = 1
        framing.usual_bytes = <uint64_t> mtu + 22 if mtu else 0
        return framing

    @property
    def format(self):
        """'pcap', 'pcapng' or 'ring'."""
        return {FRAMING_PCAP: "pcap", FRAMING_PCAPNG: "pcapng", FRAMING_RING: "ring"}[self.kind]

    @property
    def link_types(self):
        """Link types (LINKTYPE_ numbers) of the interfaces seen so far."""
        return [self.interfaces[i].link for i in range(self.interface_count)]

    cdef Step next(self, const uint8_t *at, size_t size, size_t *taken, Frame *frame) noexcept nogil:
        """Read one record at `at`; `taken` is its length when the answer is STEP_PACKET or STEP_SKIP."""
        if self.kind == FRAMING_PCAP:
            return self.next_pcap(at, size, taken, frame)
        if self.kind == FRAMING_RING:
            return self.next_ring(at, size, taken, frame)
        return self.next_pcapng(at, size, taken, frame)

    cdef Step next_pcap(self, const uint8_t *at, size_t size, size_t *taken, Frame *frame) noexcept nogil:
        cdef View view
        cdef uint64_t captured, wire
        cdef uint32_t link
        view.at, view.size, view.short = at, size, False
        if not self.started:
            if size < 24:
                return STEP_MORE
            link = file32(&view, 20, self.big)
            self.interfaces[0].link = link & 0xFFFF
            if link & 0x04000000:
                self.interfaces[0].fcs_bytes = (link >> 28) * 2
            self.interface_count = 1
            self.started = True
            taken[0] = 24
            return STEP_SKIP
        if size < self.record_header:
            return STEP_MORE
        captured = file32(&view, 8, self.big)
        wire = file32(&view, 12, self.big)
        if captured > MAX_CAPTURED:
            return STEP_CORRUPT
        if size - self.record_header < captured:
            return STEP_MORE
        frame.ts_ns = (<int64_t> file32(&view, 0, self.big) * 1000000000
                       + <int64_t> file32(&view, 4, self.big) * self.nano)
        frame.at = at + self.record_header
        taken[0] = self.record_header + captured
        self.fill(frame, 0, captured, wire)
        return STEP_PACKET

    cdef Step next_pcapng(self, const uint8_t *at, size_t size, size_t *taken, Frame *frame) noexcept nogil:
        cdef View view
        cdef uint32_t kind, length, order, number
        cdef uint64_t captured, wire, ticks
        view.at, view.size, view.short = at, size, False
        if size < 12:
            return STEP_MORE
        kind = file32(&view, 0, self.big)
        if kind == 0x0A0D0D0A:
            order = u32(&view, 8)
            if order != 0x1A2B3C4D and order != 0x4D3C2B1A:
                return STEP_CORRUPT
            self.big = order == 0x1A2B3C4D
            self.interface_count = 0
            self.started = True
        length = file32(&view, 4, self.big)
        if length < 12 or length % 4 or length > MAX_CAPTURED or not self.started:
            return STEP_CORRUPT
        if size < length:
            return STEP_MORE
        view.size = length - 4                # the trailing length is not the block's own
        taken[0] = length
        if kind == 1:
            return self.add_interface(&view)
        if kind == 6 or kind == 2:
            if length < 32:
                return STEP_CORRUPT
            number = file32(&view, 8, self.big) if kind == 6 else file16(&view, 8, self.big)
            captured = file32(&view, 20, self.big)
            wire = file32(&view, 24, self.big)
            if number >= self.interface_count or captured > length - 32:
                return STEP_CORRUPT
            ticks = (<uint64_t> file32(&view, 12, self.big) << 32) | file32(&view, 16, self.big)
            frame.ts_ns = in_ns(ticks, &self.interfaces[number])
            frame.at = at + 28
            self.last_ts = frame.ts_ns
            self.fill(frame, number, captured, wire)
            return STEP_PACKET
        if kind == 3:
            if length < 16 or self.interface_count == 0:
                return STEP_CORRUPT
            wire = file32(&view, 8, self.big)
            captured = length - 16
            if captured > wire:
                captured = wire
            if self.interfaces[0].snap and captured > self.interfaces[0].snap:
                captured = self.interfaces[0].snap
            frame.ts_ns = self.last_ts        # a simple packet block carries no time
            frame.at = at + 12
            self.fill(frame, 0, captured, wire)
            return STEP_PACKET
        return STEP_SKIP

    cdef void fill(self, Frame *frame, uint32_t number, uint64_t captured, uint64_t wire) noexcept nogil:
        cdef uint64_t fcs = self.interfaces[number].fcs_bytes
        if wire < captured:
            wire = captured
        if fcs and wire > fcs:
            wire -= fcs
            if captured > wire:
                captured = wire
        frame.link = self.interfaces[number].link
        frame.captured = captured
        frame.wire = wire
        frame.tagged = False
        self.records += 1

    cdef Step next_ring(self, const uint8_t *at, size_t size, size_t *taken, Frame *frame) noexcept nogil:
        """Read the head of a block, or one packet of it; with its last packet what is left of the block is taken.

        Layout: linux/if_packet.h, tpacket_block_desc with tpacket_hdr_v1, and tpacket3_hdr; both take 48 bytes.
        """
        cdef View view
        cdef uint32_t room, held, place, status
        view.at, view.size, view.short = at, size, False
        if size == 0:
            return STEP_MORE if self.block_left == 0 else self.leave_block()
        if size < RING_HEADER or size > MAX_BLOCK:
            return self.leave_block()
        if self.block_left == 0:
            self.block_left = file32(&view, 12, self.big)
            place = file32(&view, 16, self.big)
            taken[0] = place if self.block_left else size
            if self.block_left and (place < RING_HEADER or place > size - RING_HEADER):
                return self.leave_block()
            return STEP_SKIP
        room = <uint32_t> size
        if self.block_left > 1:
            room = file32(&view, 0, self.big)
            if room > size - RING_HEADER:                # the next packet's header does not fit
                return self.leave_block()
        held = file32(&view, 12, self.big)
        status = file32(&view, 20, self.big)
        place = file16(&view, 24, self.big)
        if place < RING_HEADER or place > room or held > room - place:
            return self.leave_block()
        frame.ts_ns = <int64_t> file32(&view, 4, self.big) * 1000000000 + file32(&view, 8, self.big)
        frame.at = at + place
        self.fill(frame, 0, held, file32(&view, 16, self.big))
        if status & RING_TAGGED:
            frame.tagged = True
            frame.tag = file32(&view, 32, self.big)
            frame.wire += 4
        if self.usual_bytes and frame.wire > self.usual_bytes:
            self.oversized += 1
        self.block_left -= 1
        taken[0] = room
        return STEP_PACKET

    cdef Step leave_block(self) noexcept nogil:
        self.block_left = 0
        return STEP_CORRUPT

    cdef bint make_room(self) noexcept nogil:
        """See that one more interface has a place."""
        cdef Interface *more
        if self.interface_count < self.interface_room:
            return True
        more = <Interface *> realloc(self.interfaces, 2 * self.interface_room * sizeof(Interface))
        if more == NULL:
            return False
        self.interfaces = more
        self.interface_room *= 2
        return True

    cdef Step add_interface(self, View *view) noexcept nogil:
        cdef Interface *added
        cdef size_t at = 16
        cdef uint32_t code, length, value
        if view.size < 16 or self.interface_count >= MAX_INTERFACES or not self.make_room():
            return STEP_CORRUPT
        added = &self.interfaces[self.interface_count]
        memset(added, 0, sizeof(Interface))
        added.link = file16(view, 8, self.big)
        added.snap = file32(view, 12, self.big)
        added.tick_exponent = 6
        while at + 4 <= view.size:
            code = file16(view, at, self.big)
            length = file16(view, at + 2, self.big)
            if code == 0 or length > view.size - at - 4:
                break
            if code == 9 and length >= 1:          # if_tsresol
                value = u8(view, at + 4)
                added.tick_base2 = value >> 7
                added.tick_exponent = value & 0x7F
            elif code == 14 and length >= 8:       # if_tsoffset, 64 bits in file order
                if self.big:
                    added.offset_s = <int64_t> ((<uint64_t> u32(view, at + 4) << 32) | u32(view, at + 8))
                else:
                    added.offset_s = <int64_t> ((<uint64_t> file32(view, at + 8, False) << 32)
                                                | file32(view, at + 4, False))
            elif code == 13 and length >= 1:       # if_fcslen, bytes
                added.fcs_bytes = u8(view, at + 4)
                if added.fcs_bytes > 8:
                    added.fcs_bytes = 0
            at += 4 + ((length + 3) & ~<uint32_t> 3)
        self.interface_count += 1
        return STEP_SKIP


cdef int64_t in_ns(uint64_t ticks, const Interface *clock) noexcept nogil:
    """Ticks of an interface's clock in nanoseconds; what does not fit 63 bits wraps, as any nonsense time may."""
    cdef uint64_t ns = 0
    cdef uint32_t exponent = clock.tick_exponent
    if clock.tick_base2:
        if exponent >= 64:
            ns = 0
        else:
            if exponent > 32:
                ticks >>= exponent - 32
                exponent = 32
            ns = (ticks >> exponent) * 1000000000
            ns += ((ticks & ((<uint64_t> 1 << exponent) - 1)) * 1000000000) >> exponent
    elif exponent <= 9:
        ns = ticks
        while exponent < 9:
            ns *= 10
            exponent += 1
    else:
        ns = ticks
        while exponent > 9 and ns:
            ns //= 10
            exponent -= 1
    return <int64_t> (ns + <uint64_t> clock.offset_s * 1000000000) & (INT64_MAX >> 1)
