# SipHash-1-3 over a flow key (Aumasson and Bernstein, 2012), with a key that is drawn anew in each process, so that
# nobody outside can choose flows that fall on one place of the table. A second, fixed use of it names flows.

cdef inline uint64_t rotated(uint64_t value, int bits) noexcept nogil:
    return (value << bits) | (value >> (64 - bits))

cdef struct Sip:
    uint64_t a
    uint64_t b
    uint64_t c
    uint64_t d

cdef inline void sip_start(Sip *s, uint64_t k0, uint64_t k1) noexcept nogil:
    s.a = k0 ^ 0x736F6D6570736575ULL
    s.b = k1 ^ 0x646F72616E646F6DULL
    s.c = k0 ^ 0x6C7967656E657261ULL
    s.d = k1 ^ 0x7465646279746573ULL

cdef inline void sip_round(Sip *s) noexcept nogil:
    s.a += s.b
    s.b = rotated(s.b, 13) ^ s.a
    s.a = rotated(s.a, 32)
    s.c += s.d
    s.d = rotated(s.d, 16) ^ s.c
    s.a += s.d
    s.d = rotated(s.d, 21) ^ s.a
    s.c += s.b
    s.b = rotated(s.b, 17) ^ s.c
    s.c = rotated(s.c, 32)

cdef inline void sip_word(Sip *s, uint64_t word) noexcept nogil:
    s.d ^= word
    sip_round(s)
    s.a ^= word

cdef inline uint64_t sip_end(Sip *s) noexcept nogil:
    s.c ^= 0xFF
    sip_round(s)
    sip_round(s)
    sip_round(s)
    return s.a ^ s.b ^ s.c ^ s.d

cdef inline uint64_t word_at(const uint8_t *at) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, at, 8)
    return word

cdef uint64_t hash_key(const Key *key, uint64_t k0, uint64_t k1, uint64_t extra) noexcept nogil:
    """Hash a flow key; `extra` tells flows of one key apart (their start) or is 0."""
    cdef Sip s
    cdef const uint8_t *fields = <const uint8_t *> &key.low_port
    sip_start(&s, k0, k1)
    sip_word(&s, <uint32_t> word_at(key.low) | (word_at(key.high) << 32))
    if key.ip_version != 4:
        sip_word(&s, word_at(key.low) >> 32 | ((word_at(key.high) >> 32) << 32))
        sip_word(&s, word_at(key.low + 8))
        sip_word(&s, word_at(key.high + 8))
    sip_word(&s, word_at(fields))
    sip_word(&s, word_at(fields + 8))
    if extra:
        sip_word(&s, extra)
    return sip_end(&s)
