"""Filters in tcpdump's words, compiled by libpcap itself.

libpcap is called where it is installed and needed by nothing else: a sensor without a filter never loads it.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from sensor.errors import NettrusionError
from sensor.sources.bpf import Instruction, Program

NAMES = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so")
UNKNOWN_NETMASK = 0xFFFF_FFFF
ERROR_BYTES = 256
# What libpcap calls the LINKTYPE_ numbers inside; only these two differ or occur.
DLT = {1: 1, 101: 12}


class _Step(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("constant", ctypes.c_uint32),
    ]


class _Compiled(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("steps", ctypes.POINTER(_Step))]


def compile_filter(expression: str, interface: str, link_type: int) -> Program:
    """Compile a filter for one interface.

    It is compiled against the live interface, since only then libpcap knows that the kernel has taken VLAN
    tags off the packets and asks for them where they are.

    Args:
        expression: a filter as for tcpdump, `vlan and not port 22`.
        interface: the interface's name; the process must be allowed to capture on it.
        link_type: LINKTYPE_ number of its frames.

    Raises NettrusionError with libpcap's own sentence when it does not understand the expression, and when
    libpcap is not installed.
    """
    library = _load()
    with _handle(library, interface, link_type) as handle:
        compiled = _Compiled()
        if library.pcap_compile(handle, ctypes.byref(compiled), expression.encode(), 1, UNKNOWN_NETMASK):
            said = library.pcap_geterr(handle).decode(errors="replace")
            raise NettrusionError(
                f"capture.filter: `{expression}` is no filter that libpcap understands: {said}; "
                f"see `man pcap-filter`, and try it: tcpdump -d -i {interface} '{expression}'"
            )
        try:
            steps = compiled.steps[: compiled.length]
            return [Instruction(step.code, step.if_true, step.if_false, step.constant) for step in steps]
        finally:
            library.pcap_freecode(ctypes.byref(compiled))


@contextmanager
def _handle(library: ctypes.CDLL, interface: str, link_type: int) -> Iterator[int]:
    """Open the interface as tcpdump would; where it is down, a handle that knows the kind of frames alone."""
    said = ctypes.create_string_buffer(ERROR_BYTES)
    handle = library.pcap_create(interface.encode(), said)
    if not handle:
        raise NettrusionError(f"{interface}: libpcap cannot open it: {said.value.decode(errors='replace')}")
    library.pcap_set_buffer_size(handle, 1 << 16)
    if library.pcap_activate(handle) < 0:
        library.pcap_close(handle)
        handle = library.pcap_open_dead(DLT.get(link_type, link_type), 65_535)
    try:
        yield handle
    finally:
        library.pcap_close(handle)


def _load() -> ctypes.CDLL:
    for name in NAMES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.pcap_create.restype = library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_geterr.restype = ctypes.c_char_p
        library.pcap_create.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        library.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
        library.pcap_set_buffer_size.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.pcap_compile.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(_Compiled),
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint32,
        ]
        library.pcap_freecode.argtypes = [ctypes.POINTER(_Compiled)]
        for function in (library.pcap_activate, library.pcap_close, library.pcap_geterr):
            function.argtypes = [ctypes.c_void_p]
        library.pcap_close.restype = library.pcap_freecode.restype = None
        return library
    raise NettrusionError(
        "capture.filter: filters are compiled by libpcap, which is not installed; "
        "install it (apt install libpcap0.8), or leave the filter empty"
    )
