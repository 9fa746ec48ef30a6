"""Large blocks are given back to the system, whatever was freed before."""

import subprocess
import sys

import pytest

from sensor.daemon.memory import return_large_blocks

# A block freed above the limit raises glibc's own limit; the next of that size then comes from the heap.
PROBE = """
import ctypes, sys
from sensor.daemon.memory import return_large_blocks
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_void_p], [ctypes.c_size_t]
if sys.argv[1] == "set":
    assert return_large_blocks()
libc.free(libc.malloc(8 << 20))
block = libc.malloc(4 << 20)
heap = next(line for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]")).split()[0]
low, high = (int(end, 16) for end in heap.split("-"))
print(low <= block < high)
"""


@pytest.mark.skipif(not return_large_blocks(), reason="this C library has no such setting")
@pytest.mark.parametrize(("how", "in_heap"), [("set", "False"), ("default", "True")])
def test_a_large_block_is_mapped_by_itself_also_after_one_was_freed(how: str, in_heap: str):
    done = subprocess.run([sys.executable, "-c", PROBE, how], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == in_heap
