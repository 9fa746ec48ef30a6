"""The part of a bundle that scores: the same file without the output that explains, and without what leads to it alone.

ONNX Runtime runs every node of a graph, whether an output needs it or not. Explaining costs many times what scoring
does and is wanted for the few flows that become alerts, so most flows are scored by a session that was given the nodes
and constants that the other outputs need. The file that was admitted is one, and nothing else of it changes.
"""

from collections.abc import Iterator
from typing import Final

from sensor.detector.wire import take, varint

# Numbers of fields by https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
_GRAPH: Final = 7
"""ModelProto.graph."""
_NODE, _CONSTANT, _OUTPUT = 1, 5, 12
"""GraphProto.node, .initializer and .output."""
_NODE_INPUT, _NODE_OUTPUT = 1, 2
"""NodeProto.input and .output."""
_NAMES: Final = {_CONSTANT: 8, _OUTPUT: 1}
"""TensorProto.name and ValueInfoProto.name."""
_FIXED_BYTES: Final = {1: 8, 5: 4}


def without_output(model: bytes, name: str) -> bytes:
    """Return an admitted model's bytes without one of its graph's outputs and what only that one needs.

    Raises ValueError when they are cut short.
    """
    return b"".join(
        _delimited(_GRAPH, b"".join(_kept(body, name.encode()))) if number == _GRAPH else bytes(whole)
        for number, whole, body in _fields(memoryview(model))
    )


def _kept(graph: memoryview, name: bytes) -> Iterator[memoryview]:
    fields = list(_fields(graph))
    outputs = {_name(body, _OUTPUT) for number, _, body in fields if number == _OUTPUT}
    needed = outputs - {name}
    nodes = [body for number, _, body in fields if number == _NODE]
    # A node stands behind those that it needs: admission has looked.
    for body in reversed(nodes):
        if needed & _names(body, _NODE_OUTPUT):
            needed |= _names(body, _NODE_INPUT)
    for number, whole, body in fields:
        known = number not in (_NODE, *_NAMES)
        if known or needed & (_names(body, _NODE_OUTPUT) if number == _NODE else {_name(body, number)}):
            yield whole


def _names(node: memoryview, field: int) -> set[bytes]:
    return {bytes(text) for number, _, text in _fields(node) if number == field}


def _name(body: memoryview, kind: int) -> bytes:
    return next((bytes(text) for number, _, text in _fields(body) if number == _NAMES[kind]), b"")


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
