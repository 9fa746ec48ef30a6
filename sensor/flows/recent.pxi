# Tables of fixed size in which the entry that was updated longest ago makes room: exact LRU, entries found by a hash.
#
# The entries themselves lie apart, `stride` bytes each and each beginning with its key; here is who they are and in
# which order they were updated. That order is all that decides who leaves, so nothing hangs on the hash's secret.

cdef struct Link:
    uint32_t newer
    uint32_t older
    uint32_t hash

cdef struct Recent:
    uint8_t *entries             # zeros that take memory once they are used
    size_t stride
    uint32_t key_words           # of 64 bits
    Entry *index
    Link *links
    uint32_t mask
    uint32_t capacity
    uint32_t used
    uint32_t newest
    uint32_t oldest

cdef bint make_recent(Recent *table, uint32_t capacity, size_t stride, uint32_t key_words) noexcept nogil:
    """Allocate an empty table; False when there is no memory."""
    table.capacity = capacity
    table.stride = stride
    table.key_words = key_words
    table.mask = 1
    while table.mask < capacity * 2:
        table.mask <<= 1
    table.mask -= 1
    table.entries = <uint8_t *> calloc(capacity, stride)
    table.links = <Link *> calloc(capacity, sizeof(Link))
    table.index = <Entry *> malloc((<size_t> table.mask + 1) * sizeof(Entry))
    if table.entries == NULL or table.links == NULL or table.index == NULL:
        return False
    table.used = 1               # so that the index is set
    clear_recent(table)
    return True

cdef void clear_recent(Recent *table) noexcept nogil:
    if table.used == 0:
        return
    memset(table.index, 0xFF, (<size_t> table.mask + 1) * sizeof(Entry))
    table.used = 0
    table.newest = NO_SLOT
    table.oldest = NO_SLOT

cdef void free_recent(Recent *table) noexcept nogil:
    free(table.entries)
    free(table.links)
    free(table.index)

cdef inline size_t recent_bytes(const Recent *table) noexcept nogil:
    """Memory in use: the index whole, entries as far as they were ever used."""
    if table.entries == NULL:
        return 0
    return (<size_t> table.mask + 1) * sizeof(Entry) + <size_t> table.used * (table.stride + sizeof(Link))

cdef inline uint8_t *recent_at(const Recent *table, uint32_t number) noexcept nogil:
    return table.entries + <size_t> number * table.stride

cdef inline bint is_at(const Recent *table, const uint64_t *key, uint32_t number) noexcept nogil:
    """Whether a key's entry is at a place that has been used."""
    cdef const uint64_t *held = <const uint64_t *> recent_at(table, number)
    cdef uint64_t unlike = 0
    cdef uint32_t at
    for at in range(table.key_words):
        unlike |= held[at] ^ key[at]
    return unlike == 0

cdef inline uint32_t recent_find(const Recent *table, const uint64_t *key, uint32_t hash) noexcept nogil:
    cdef uint32_t at = hash & table.mask
    while table.index[at].slot != NO_SLOT:
        if table.index[at].hash == hash and is_at(table, key, table.index[at].slot):
            return table.index[at].slot
        at = (at + 1) & table.mask
    return NO_SLOT

cdef inline void recent_unlink(Recent *table, uint32_t number) noexcept nogil:
    cdef Link *link = &table.links[number]
    if link.newer == NO_SLOT:
        table.newest = link.older
    else:
        table.links[link.newer].older = link.older
    if link.older == NO_SLOT:
        table.oldest = link.newer
    else:
        table.links[link.older].newer = link.newer

cdef inline void recent_link(Recent *table, uint32_t number) noexcept nogil:
    table.links[number].newer = NO_SLOT
    table.links[number].older = table.newest
    if table.newest == NO_SLOT:
        table.oldest = number
    else:
        table.links[table.newest].newer = number
    table.newest = number

cdef inline void recent_touch(Recent *table, uint32_t number) noexcept nogil:
    """Make an entry the one that was updated last."""
    if table.newest != number:
        recent_unlink(table, number)
        recent_link(table, number)

cdef uint32_t recent_claim(Recent *table, const uint64_t *key, uint32_t hash, uint64_t *forgotten) noexcept nogil:
    """Return an entry of zeros for a key that has none; the one updated longest ago makes room."""
    cdef uint32_t number, at
    if table.used < table.capacity:
        number = table.used
        table.used += 1
    else:
        number = table.oldest
        forgotten[0] += 1
        recent_unlink(table, number)
        index_remove(table.index, table.mask, table.links[number].hash, number)
    memset(recent_at(table, number), 0, table.stride)
    memcpy(recent_at(table, number), key, table.key_words * 8)
    recent_link(table, number)
    table.links[number].hash = hash
    at = hash & table.mask
    while table.index[at].slot != NO_SLOT:
        at = (at + 1) & table.mask
    table.index[at].hash = hash
    table.index[at].slot = number
    return number

cdef inline void prefetch_index(const Recent *table, uint32_t hash) noexcept nogil:
    prefetch_line(&table.index[hash & table.mask])

cdef inline uint32_t recent_guess(const Recent *table, uint32_t hash) noexcept nogil:
    """The entry that a hash leads to first, most often the right one; NO_SLOT when there is surely none."""
    return table.index[hash & table.mask].slot
