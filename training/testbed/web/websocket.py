"""WebSocket frames (RFC 6455): as much as two ends of a chat need, values in, values out."""

import base64
import hashlib
from dataclasses import dataclass

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole, unfragmented frame; `used` is how many bytes it took on the wire."""

    opcode: int
    payload: bytes
    used: int


def accept(key: str) -> str:
    """Return the value of Sec-WebSocket-Accept for a client's key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def encode(opcode: int, payload: bytes, mask: bytes = b"") -> bytes:
    """Return a frame of up to 65,535 bytes; a client gives four bytes as mask, a server none."""
    length = len(payload)
    if length > 0xFFFF:
        raise ValueError(f"a frame of {length} bytes is longer than 65535")
    masked = 0x80 if mask else 0
    head = bytes([0x80 | opcode, masked | length]) if length < 126 else bytes([0x80 | opcode, masked | 126])
    if length >= 126:
        head += length.to_bytes(2, "big")
    return head + mask + _masked(payload, mask)


def decode(buffer: bytes) -> Frame | None:
    """Return the first frame of a buffer, None while it is not whole; ValueError above 65,535 bytes."""
    if len(buffer) < 2:
        return None
    length, at = buffer[1] & 0x7F, 2
    if length == 127:
        raise ValueError("a frame is longer than 65535 bytes")
    if length == 126:
        length, at = int.from_bytes(buffer[2:4], "big"), 4
    mask = b""
    if buffer[1] & 0x80:
        mask, at = buffer[at : at + 4], at + 4
    if len(buffer) < at + length:
        return None
    return Frame(buffer[0] & 0x0F, _masked(buffer[at : at + length], mask), at + length)


def _masked(payload: bytes, mask: bytes) -> bytes:
    if not mask:
        return payload
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
