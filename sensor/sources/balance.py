"""Which worker gets a packet: a program that gives all packets between two hosts the same number.

Both addresses are joined by xor, so that direction does not matter, and then mixed, so that neither
neighbouring addresses nor random ones favour a worker. Ports take no part: fragments, which have none, stay
with the flows that they belong to.
"""

import secrets

from sensor.sources.bpf import (
    COPY_TO_X,
    JUMP,
    JUMP_EQUAL,
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_WORD,
    MULTIPLY,
    NETWORK,
    PACKET_TYPE,
    PROTOCOL,
    RETURN,
    RETURN_A,
    SHIFT_RIGHT,
    XOR,
    XOR_X,
    Instruction,
    Program,
)

IPV4, IPV6, VLAN, SERVICE_VLAN, PPPOE = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8864
PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
VLAN_BYTES, PPPOE_BYTES = 4, 8
OUTGOING = 4
# Where the words of both addresses stand in a header.
IPV4_WORDS, IPV6_WORDS = (12, 16), tuple(range(8, 40, 4))

# Rounds of shift and multiplication that leave no bit of the sum of addresses without a say in the lowest one
# (the constants of Chris Wellons' lowbias32).
ROUNDS = ((16, 0x7FEB_352D), (15, 0x846C_A68B))
LAST_SHIFT = 16

# An instruction whose jumps are labels ("" goes on with the next), or a label itself.
Line = tuple[int, int, str, str] | str


def by_hosts(seed: int | None = None) -> Program:
    """Return the program; its value is to be taken modulo the number of workers.

    It reads IPv4 and IPv6, below them one VLAN tag that the kernel left in place (it takes off the outermost)
    and PPPoE sessions; everything else goes to worker 0. An ICMP error is numbered by its own addresses, as the
    engine keys it: one of a host goes with the flows to that host, one of a router on the way need not.

    Args:
        seed: 32 bits; random when None, so that nobody can aim all packets at one worker.
    """
    lines = [_do(LOAD_WORD, PROTOCOL), _do(JUMP_EQUAL, VLAN, "tagged"), _do(JUMP_EQUAL, SERVICE_VLAN, "tagged")]
    lines += _by_protocol("plain")
    # A tag put on by this machine stands before the network header, one that came in behind it.
    lines += ["tagged", _do(LOAD_WORD, PACKET_TYPE), _do(JUMP_EQUAL, OUTGOING, "sent", "came")]
    lines += ["sent", _do(LOAD_BYTE, NETWORK), _do(SHIFT_RIGHT, 4)]
    lines += [_do(JUMP_EQUAL, 4, "plain4"), _do(JUMP_EQUAL, 6, "plain6", "other")]
    lines += ["came", _do(LOAD_HALF, NETWORK + 2), *_by_protocol("inner")]
    lines += [*_headers("plain", 0), *_headers("inner", VLAN_BYTES)]
    lines += ["other", _do(RETURN), "mix"]
    lines += [_do(XOR, secrets.randbits(32) if seed is None else seed)]
    for shift, factor in ROUNDS:
        lines += [_do(COPY_TO_X), _do(SHIFT_RIGHT, shift), _do(XOR_X), _do(MULTIPLY, factor)]
    lines += [_do(COPY_TO_X), _do(SHIFT_RIGHT, LAST_SHIFT), _do(XOR_X), _do(RETURN_A)]
    return _assemble(lines)


def _do(code: int, constant: int = 0, if_true: str = "", if_false: str = "") -> Line:
    return code, constant, if_true, if_false


def _by_protocol(name: str) -> list[Line]:
    return [
        _do(JUMP_EQUAL, IPV4, f"{name}4"),
        _do(JUMP_EQUAL, IPV6, f"{name}6"),
        _do(JUMP_EQUAL, PPPOE, f"{name}pppoe", "other"),
    ]


def _headers(name: str, at: int) -> list[Line]:
    """Sum up the addresses of an IP header that stands so many bytes behind the network header, or in PPPoE there."""
    inside = at + PPPOE_BYTES
    return [
        *(f"{name}4", *_sum(at, IPV4_WORDS), f"{name}6", *_sum(at, IPV6_WORDS)),
        *(f"{name}pppoe", _do(LOAD_HALF, NETWORK + inside - 2)),
        *(_do(JUMP_EQUAL, PPP_IPV4, f"{name}ppp4"), _do(JUMP_EQUAL, PPP_IPV6, f"{name}ppp6", "other")),
        *(f"{name}ppp4", *_sum(inside, IPV4_WORDS), f"{name}ppp6", *_sum(inside, IPV6_WORDS)),
    ]


def _sum(at: int, words: tuple[int, ...]) -> list[Line]:
    first, *others = words
    lines = [_do(LOAD_WORD, NETWORK + at + first)]
    for word in others:
        lines += [_do(COPY_TO_X), _do(LOAD_WORD, NETWORK + at + word), _do(XOR_X)]
    return [*lines, _do(JUMP, 0, "mix")]


def _assemble(lines: list[Line]) -> Program:
    """Turn labels into distances."""
    labels: dict[str, int] = {}
    steps: list[tuple[int, int, str, str]] = []
    for line in lines:
        if isinstance(line, str):
            labels[line] = len(steps)
        else:
            steps.append(line)
    program = []
    for here, (code, constant, if_true, if_false) in enumerate(steps, 1):
        near, far = (labels[label] - here if label else 0 for label in (if_true, if_false))
        program.append(Instruction(code, 0, 0, near) if code == JUMP else Instruction(code, near, far, constant))
    return program
