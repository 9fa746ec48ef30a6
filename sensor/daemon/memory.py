"""How the C library hands memory back: a process that runs for months should not grow by its own fragments."""

import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3  # malloc.h
THRESHOLD_BYTES: Final = 1 << 20


def return_large_blocks() -> bool:
    """Have blocks of a megabyte and more mapped by themselves, and so given back to the system when they are freed.

    glibc raises that limit by itself as blocks are freed; batches of flows then leave holes in its heap, which grows
    for as long as a flood lasts. To be called before threads are there.

    Returns:
        Whether the C library has such a setting and took it; others (musl) have no need of it.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES))
    except (OSError, AttributeError):
        return False
