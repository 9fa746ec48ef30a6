"""Community ID version 1, seed 0: the same text for the same conversation in every tool.

Definition: Corelight's Community ID specification. Both directions of a conversation give the same
id, because the smaller endpoint is hashed first; an ICMP message stands as a pair of ports, its
type and the type that answers it.
"""

import binascii
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132

# Message types that ask and answer each other. Every other type is one-way: its code stands for
# the second port, and the ends are never put in order.
_ICMP_PAIRS = ((0, 8), (9, 10), (13, 14), (15, 16), (17, 18))
_ICMPV6_PAIRS = ((128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145))

Records = npt.NDArray[np.void]
Rows = npt.NDArray[np.intp]
Ends = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _answers(pairs: tuple[tuple[int, int], ...]) -> npt.NDArray[np.int64]:
    """Return, by message type, the type that answers it; int64 of shape (256,), -1 for none."""
    table = np.full(256, -1, dtype=np.int64)
    for one, other in pairs:
        table[one], table[other] = other, one
    return table


_ANSWERS = {ICMP: _answers(_ICMP_PAIRS), ICMPV6: _answers(_ICMPV6_PAIRS)}


def community_ids(flows: Records) -> list[str]:
    """Return the Community ID of each flow.

    Args:
        flows: FLOW_DTYPE, shape (n,).

    Returns:
        n texts like `1:LQU9qZlK+B5F3KDmev6m5PMibrg=`; an empty one for a flow without IP addresses,
        and for ICMP whose type never came by.
    """
    proto = flows["proto"]
    icmp = (proto == ICMP) | (proto == ICMPV6)
    typed = icmp & (flows["icmp_type"] >= 0)
    ported = typed | (proto == TCP) | (proto == UDP) | (proto == SCTP)
    ids = [""] * len(flows)
    for version, width in ((4, 4), (6, 16)):
        chosen = flows["ip_version"] == version
        for rows, has_ports in ((chosen & ported, True), (chosen & ~ported & ~icmp, False)):
            at = np.flatnonzero(rows)
            if len(at):
                digests = _digests(flows, at, width, has_ports)
                for row, text in zip(at.tolist(), digests, strict=True):
                    ids[row] = text
    return ids


def _digests(flows: Records, at: Rows, width: int, has_ports: bool) -> list[str]:
    """Return the ids of the flows at some rows: of one address width, all with ports or all without."""
    size = 2 + 2 * width + 2 + (4 if has_ports else 0)
    hashed: npt.NDArray[np.uint8] = np.zeros((len(at), size), dtype=np.uint8)
    # Columns, never records: a record has hundreds of bytes, and copying them costs as much as hashing.
    source, target = flows["src"][at, :width], flows["dst"][at, :width]
    swap = _precedes(target, source)
    if has_ports:
        (first, second), one_way = _ports(flows, at)
        swap |= (source == target).all(axis=1) & (second < first)
        swap &= ~one_way
        for place, port in ((0, np.where(swap, second, first)), (2, np.where(swap, first, second))):
            hashed[:, 4 + 2 * width + place] = port >> 8
            hashed[:, 5 + 2 * width + place] = port & 0xFF
    hashed[:, 2 : 2 + width] = np.where(swap[:, None], target, source)
    hashed[:, 2 + width : 2 + 2 * width] = np.where(swap[:, None], source, target)
    hashed[:, 2 + 2 * width] = flows["proto"][at]
    return _texts(hashed.tobytes(), size)


def _ports(flows: Records, at: Rows) -> tuple[Ends, npt.NDArray[np.bool_]]:
    """Return the two ports of the flows at some rows, or what stands for them, and which are one-way."""
    first = flows["src_port"][at].astype(np.int64)
    second = flows["dst_port"][at].astype(np.int64)
    one_way = np.zeros(len(at), dtype=bool)
    protos = flows["proto"][at]
    for proto, answers in _ANSWERS.items():
        own = np.flatnonzero(protos == proto)
        kind = flows["icmp_type"][at[own]].astype(np.int64) & 0xFF
        code = flows["icmp_code"][at[own]].astype(np.int64) & 0xFF
        answer = answers[kind]
        first[own] = kind
        second[own] = np.where(answer < 0, code, answer)
        one_way[own] = answer < 0
    return (first, second), one_way


def _precedes(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Say for each row whether `one` is the smaller address in network byte order."""
    kind = ">u4" if one.shape[1] == 4 else ">u8"
    left: Any = np.ascontiguousarray(one).view(kind)
    right: Any = np.ascontiguousarray(other).view(kind)
    smaller: npt.NDArray[np.bool_] = left[:, 0] < right[:, 0]
    if left.shape[1] == 2:
        smaller |= (left[:, 0] == right[:, 0]) & (left[:, 1] < right[:, 1])
    return smaller


def _texts(hashed: bytes, size: int) -> list[str]:
    """Return the id of each `size` bytes of `hashed`.

    All digests go through Base64 at once: 20 bytes and a zero make 28 characters without a rest,
    of which the last is what stands for the padding.
    """
    sha1 = hashlib.sha1
    digests = [sha1(hashed[at : at + size], usedforsecurity=False).digest() for at in range(0, len(hashed), size)]
    text = binascii.b2a_base64(b"\0".join([*digests, b""]), newline=False).decode("ascii")
    return [f"1:{text[at : at + 27]}=" for at in range(0, len(text), 28)]
