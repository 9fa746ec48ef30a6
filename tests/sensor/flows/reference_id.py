"""What a flow_id is: 51 bits of SipHash-1-3, under a fixed key, over the connection's key and the start of its first
piece. So it is the same on every run, and for every record that is told of a connection.

SipHash: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; here over whole 64-bit words, without the
length byte of the paper's last word.
"""

from __future__ import annotations

import struct

from tests.sensor.flows.reference import Flow

WORD = (1 << 64) - 1
K0, K1 = 0x6E657474727573, 0x696F6E
ID_BITS = 51
CONSTANTS = b"somepseudorandomlygeneratedbytes"

State = tuple[int, int, int, int]


def rotated(value: int, bits: int) -> int:
    """Return a word turned to the left."""
    return (value << bits | value >> 64 - bits) & WORD


def sip_round(state: State) -> State:
    """Return the state after one SipRound."""
    a, b, c, d = state
    a = (a + b) & WORD
    b = rotated(b, 13) ^ a
    a = rotated(a, 32)
    c = (c + d) & WORD
    d = rotated(d, 16) ^ c
    a = (a + d) & WORD
    d = rotated(d, 21) ^ a
    c = (c + b) & WORD
    b = rotated(b, 17) ^ c
    return a, b, rotated(c, 32), d


def sip(words: list[int]) -> int:
    """Return the hash of 64-bit words: one round for each, three at the end."""
    one, two, three, four = struct.unpack(">4Q", CONSTANTS)
    state = (K0 ^ one, K1 ^ two, K0 ^ three, K1 ^ four)
    for word in words:
        a, b, c, d = sip_round((*state[:3], state[3] ^ word))
        state = (a ^ word, b, c, d)
    state = (*state[:2], state[2] ^ 0xFF, state[3])
    for _ in range(3):
        state = sip_round(state)
    a, b, c, d = state
    return a ^ b ^ c ^ d


def flow_id(flow: Flow) -> int:
    """Return the identity of the connection that a flow is a piece of."""
    first = flow.packets[0]
    (low, low_port), (high, high_port) = sorted(((first.src, first.src_port), (first.dst, first.dst_port)))
    if flow.one_name and low == high:
        low_port, high_port = first.src_port, first.dst_port
    if first.icmp_key != (-1, -1):
        low_port, high_port = first.icmp_key
    low, high = low.ljust(16, b"\0"), high.ljust(16, b"\0")
    ends = [low[:4] + high[:4]]
    if first.ip_version != 4:
        ends += [low[4:8] + high[4:8], low[8:], high[8:]]
    tags = (*first.vlans, 0, 0)[:2]
    kind = (flow.proto, first.ip_version, min(len(first.vlans), 2), first.orphan)
    fields = struct.pack("<4HI4B", low_port, high_port, *tags, 0, *kind)
    start_ns = flow.connection.start_ns or 0
    words = [word for (word,) in struct.iter_unpack("<Q", b"".join(ends) + fields)]
    return sip([*words, (start_ns << 1 | 1) & WORD]) & ((1 << ID_BITS) - 1)
