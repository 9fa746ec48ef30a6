# Checked access to the bytes of one packet.
#
# A `View` is a pointer and how many bytes stand behind it. Every read of packet bytes in this module goes through
# the four functions below; a read that would leave the view yields 0 and marks the view `short`, so a caller reads a
# whole header and asks once. Nothing else dereferences `View.at`.

cdef struct View:
    const uint8_t *at
    size_t size
    bint short

cdef inline uint32_t u8(View *view, size_t offset) noexcept nogil:
    if offset >= view.size:
        view.short = True
        return 0
    return view.at[offset]

cdef inline uint32_t u16(View *view, size_t offset) noexcept nogil:
    """Big-endian 16 bits at `offset`."""
    if view.size < 2 or offset > view.size - 2:
        view.short = True
        return 0
    return (<uint32_t> view.at[offset] << 8) | view.at[offset + 1]

cdef inline uint32_t u32(View *view, size_t offset) noexcept nogil:
    """Big-endian 32 bits at `offset`."""
    if view.size < 4 or offset > view.size - 4:
        view.short = True
        return 0
    return ((<uint32_t> view.at[offset] << 24) | (<uint32_t> view.at[offset + 1] << 16)
            | (<uint32_t> view.at[offset + 2] << 8) | view.at[offset + 3])

cdef inline void copy_bytes(View *view, size_t offset, uint8_t *out, size_t count) noexcept nogil:
    """Copy `count` bytes to `out`; zeros, and `short`, when they are not all there."""
    if view.size < count or offset > view.size - count:
        view.short = True
        memset(out, 0, count)
        return
    memcpy(out, view.at + offset, count)

cdef inline uint32_t swapped16(uint32_t value) noexcept nogil:
    return ((value & 0xFF) << 8) | ((value >> 8) & 0xFF)

cdef inline uint32_t swapped32(uint32_t value) noexcept nogil:
    return ((value & 0xFF) << 24) | ((value & 0xFF00) << 8) | ((value >> 8) & 0xFF00) | (value >> 24)

cdef inline uint32_t file16(View *view, size_t offset, bint big) noexcept nogil:
    """16 bits in the file's own byte order."""
    cdef uint32_t value = u16(view, offset)
    return value if big else swapped16(value)

cdef inline uint32_t file32(View *view, size_t offset, bint big) noexcept nogil:
    """32 bits in the file's own byte order."""
    cdef uint32_t value = u32(view, offset)
    return value if big else swapped32(value)
