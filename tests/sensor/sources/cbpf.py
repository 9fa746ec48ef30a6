"""Classic BPF as the kernel defines it, for the instructions that our programs use: slow and obvious."""

from dataclasses import dataclass

from sensor.sources.bpf import NETWORK, PACKET_TYPE, PROTOCOL, Program

LOADS = {0x20: 4, 0x28: 2, 0x30: 1}
WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Packet:
    """What the kernel knows of a packet: EtherType, what stands from the network header on, 4 when it goes out."""

    protocol: int
    network: bytes
    kind: int = 0


def run(program: Program, packet: Packet) -> int:
    """Return the program's value; a load that reaches beyond the packet makes it 0."""
    a = x = at = 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        if code in LOADS:
            if k == PROTOCOL:
                a = packet.protocol
            elif k == PACKET_TYPE:
                a = packet.kind
            else:
                begin = k - NETWORK
                assert 0 <= begin < 1 << 16
                if begin + LOADS[code] > len(packet.network):
                    return 0
                a = int.from_bytes(packet.network[begin : begin + LOADS[code]], "big")
        elif code == 0x07:
            x = a
        elif code == 0xAC:
            a ^= x
        elif code == 0xA4:
            a ^= k
        elif code == 0x74:
            a >>= k
        elif code == 0x24:
            a = a * k & WORD
        elif code == 0x05:
            at += k
        elif code == 0x15:
            at += if_true if a == k else if_false
        elif code in (0x06, 0x16):
            return k if code == 0x06 else a
        else:
            raise AssertionError(f"unknown instruction {code:#x}")
