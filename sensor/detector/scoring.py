"""The part of a bundle that scores: the same file without the output that explains.

ONNX Runtime computes every output that a graph names, asked for or not. Explaining costs more than scoring and is
wanted for the few flows that become alerts, so most flows are scored by a session whose graph does not name
`contributions`; what leads to it alone is dropped when the session is made. The file that was admitted is one, and
nothing else of it changes.
"""

from collections.abc import Iterator
from typing import Final

from sensor.detector.wire import take, varint

_GRAPH: Final = 7
"""ModelProto.graph, by https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3."""
_OUTPUT: Final = 12
"""GraphProto.output."""
_NAME: Final = 1
"""ValueInfoProto.name."""
_FIXED_BYTES: Final = {1: 8, 5: 4}


def without_output(model: bytes, name: str) -> bytes:
    """Return an admitted model's bytes without one of its graph's outputs; raises ValueError when cut short."""
    return b"".join(
        _delimited(_GRAPH, b"".join(_kept(body, name))) if number == _GRAPH else bytes(whole)
        for number, whole, body in _fields(memoryview(model))
    )


def _kept(graph: memoryview, name: str) -> Iterator[memoryview]:
    for number, whole, body in _fields(graph):
        named = {inner: bytes(text) for inner, _, text in _fields(body)} if number == _OUTPUT else {}
        if named.get(_NAME) != name.encode():
            yield whole


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Yield (number, the whole field, its content) of a message; the content of a number is empty."""
    at = 0
    while at < len(data):
        start = at
        tag, at = varint(data, at, "the model")
        body = data[:0]
        if tag & 7 == 2:
            length, at = varint(data, at, "the model")
            body = take(data, at, length, "the model")
            at += length
        elif tag & 7 == 0:
            _, at = varint(data, at, "the model")
        else:
            at += _FIXED_BYTES[tag & 7]
        yield tag >> 3, data[start:at], body


def _delimited(number: int, body: bytes) -> bytes:
    return _number(number << 3 | 2) + _number(len(body)) + body


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
