"""What a bundle's bytes say, read without the onnx package: graph, constants, metadata.

The sensor has no onnx package, and a model file is untrusted, so the file is read by a small walker
that knows the part of ONNX which bundles use and refuses the rest by name: functions, nested graphs,
external data, sparse tensors, training information. Field numbers are those of onnx.proto (IR 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sensor.detector.wire import Kind, Reader, Schema

MAX_NODES: Final = 2_000
MAX_AXES: Final = 4
IR_VERSION: Final = 8
OPSETS: Final = {"": 18, "ai.onnx.ml": 3}
"""The operator sets a bundle imports, exactly these: the rules in operators.py are written for them."""

FLOAT, INT64 = 1, 7
_DTYPES: Final[Mapping[int, np.dtype[Any]]] = {FLOAT: np.dtype("<f4"), INT64: np.dtype("<i8")}
_ATTRIBUTE_TYPES: Final = {1: "float", 2: "int", 3: "text", 6: "floats", 7: "ints", 8: "texts"}
_EMPTY: Final[Mapping[str, Any]] = {
    "floats": np.zeros(0, np.float32),
    "ints": np.zeros(0, np.int64),
    "texts": [],
}

_MODEL: Final[Schema] = {
    1: ("ir_version", Kind.INT),
    2: ("producer_name", Kind.BYTES),
    3: ("producer_version", Kind.BYTES),
    4: ("domain", Kind.BYTES),
    5: ("model_version", Kind.INT),
    6: ("doc_string", Kind.BYTES),
    7: ("graph", Kind.BYTES),
    8: ("opset_import", Kind.BYTES_LIST),
    14: ("metadata_props", Kind.BYTES_LIST),
}
_GRAPH: Final[Schema] = {
    1: ("node", Kind.BYTES_LIST),
    2: ("name", Kind.BYTES),
    5: ("initializer", Kind.BYTES_LIST),
    10: ("doc_string", Kind.BYTES),
    11: ("input", Kind.BYTES_LIST),
    12: ("output", Kind.BYTES_LIST),
}
_NODE: Final[Schema] = {
    1: ("input", Kind.BYTES_LIST),
    2: ("output", Kind.BYTES_LIST),
    3: ("name", Kind.BYTES),
    4: ("op_type", Kind.BYTES),
    5: ("attribute", Kind.BYTES_LIST),
    6: ("doc_string", Kind.BYTES),
    7: ("domain", Kind.BYTES),
}
_ATTRIBUTE: Final[Schema] = {
    1: ("name", Kind.BYTES),
    2: ("float", Kind.FLOAT),
    3: ("int", Kind.INT),
    4: ("text", Kind.BYTES),
    7: ("floats", Kind.FLOAT_LIST),
    8: ("ints", Kind.INT_LIST),
    9: ("texts", Kind.BYTES_LIST),
    20: ("type", Kind.INT),
}
_TENSOR: Final[Schema] = {
    1: ("dims", Kind.INT_LIST),
    2: ("data_type", Kind.INT),
    8: ("name", Kind.BYTES),
    9: ("raw_data", Kind.BYTES),
}
_OPSET: Final[Schema] = {1: ("domain", Kind.BYTES), 2: ("version", Kind.INT)}
_ENTRY: Final[Schema] = {1: ("key", Kind.BYTES), 2: ("value", Kind.BYTES)}
_VALUE: Final[Schema] = {1: ("name", Kind.BYTES), 2: ("type", Kind.BYTES)}
_TYPE: Final[Schema] = {1: ("tensor_type", Kind.BYTES)}
_TENSOR_TYPE: Final[Schema] = {1: ("elem_type", Kind.INT), 2: ("shape", Kind.BYTES)}
_SHAPE: Final[Schema] = {1: ("dim", Kind.BYTES_LIST)}
_DIM: Final[Schema] = {1: ("value", Kind.INT), 2: ("param", Kind.BYTES)}

Shape = tuple[int | None, ...]
"""The size of each axis; None is the number of flows in the batch."""
Constant = NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of the graph. Attribute values: int, float, str, list of str, or an array."""

    domain: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Port:
    """A named input or output of the graph, with its element type (ONNX number) and shape."""

    name: str
    element: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Graph:
    """A bundle's graph, its constants by name, and its metadata."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, Constant]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]


def parse(data: bytes) -> Graph:
    """Return the graph and metadata of an ONNX file.

    Raises ValueError with a reason for bytes that are not such a file, and for everything in it that
    a bundle does not have. The graph is read, not judged: see admission.py for what it may compute.
    """
    reader = Reader()
    model = reader.read(memoryview(data), _MODEL, "the model")
    if model.get("ir_version") != IR_VERSION:
        raise ValueError(f"its format version is {model.get('ir_version')}, not {IR_VERSION}")
    opsets = _pairs(reader, model.get("opset_import", []), _OPSET, "an operator set")
    if any(OPSETS.get(domain) != version for domain, version in opsets.items()):
        raise ValueError(f"it imports the operator sets {opsets}, a bundle {OPSETS}")
    if "graph" not in model:
        raise ValueError("it has no graph")
    graph = reader.read(model["graph"], _GRAPH, "the graph")
    nodes = graph.get("node", [])
    if len(nodes) > MAX_NODES:
        raise ValueError(f"it has {len(nodes)} nodes, more than {MAX_NODES}")
    return Graph(
        nodes=tuple(_node(reader, node) for node in nodes),
        constants=_constants(reader, graph.get("initializer", [])),
        inputs=tuple(_port(reader, port) for port in graph.get("input", [])),
        outputs=tuple(_port(reader, port) for port in graph.get("output", [])),
        metadata=_pairs(reader, model.get("metadata_props", []), _ENTRY, "a metadata entry"),
    )


def _text(data: memoryview | bytes = b"") -> str:
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a name in it is not UTF-8") from None


def _pairs(reader: Reader, entries: Sequence[memoryview], schema: Schema, what: str) -> Any:
    """Return {first field: second field} of messages that are pairs; a key may stand once."""
    key, (value, kind) = schema[1][0], schema[2]
    pairs: dict[str, Any] = {}
    for entry in entries:
        fields = reader.read(entry, schema, what)
        name = _text(fields.get(key, b""))
        if name in pairs:
            raise ValueError(f"{what}, {name!r}, stands twice")
        pairs[name] = fields.get(value, 0) if kind is Kind.INT else _text(fields.get(value, b""))
    return pairs


def _node(reader: Reader, data: memoryview) -> Node:
    fields = reader.read(data, _NODE, "a node")
    attributes: dict[str, Any] = {}
    for attribute in fields.get("attribute", []):
        name, value = _attribute(reader, attribute)
        if name in attributes:
            raise ValueError(f"a node has the attribute {name} twice")
        attributes[name] = value
    return Node(
        domain=_text(fields.get("domain", b"")),
        operator=_text(fields.get("op_type", b"")),
        inputs=tuple(_text(name) for name in fields.get("input", [])),
        outputs=tuple(_text(name) for name in fields.get("output", [])),
        attributes=attributes,
    )


def _attribute(reader: Reader, data: memoryview) -> tuple[str, Any]:
    fields = reader.read(data, _ATTRIBUTE, "an attribute")
    name = _text(fields.pop("name", b""))
    kind = _ATTRIBUTE_TYPES.get(fields.pop("type", 0))
    # What the type does not name would be invisible to ONNX Runtime, but not to another reader.
    if kind is None or fields.keys() - {kind}:
        raise ValueError(f"the attribute {name} has no single value of a known type")
    if kind not in fields and kind not in _EMPTY:
        raise ValueError(f"the attribute {name} has no value")
    value: Any = fields.get(kind, _EMPTY.get(kind))
    if kind == "text":
        return name, _text(value)
    return name, [_text(item) for item in value] if kind == "texts" else value


def _constants(reader: Reader, tensors: Sequence[memoryview]) -> dict[str, Constant]:
    """Return the constants by name; each must hold exactly the bytes that its shape asks for."""
    constants: dict[str, Constant] = {}
    for tensor in tensors:
        fields = reader.read(tensor, _TENSOR, "a constant")
        name = _text(fields.get("name", b""))
        dtype = _DTYPES.get(fields.get("data_type", 0))
        shape = tuple(int(size) for size in fields.get("dims", ()))
        raw = fields.get("raw_data", memoryview(b""))
        if name in constants or dtype is None:
            raise ValueError(f"the constant {name!r} stands twice or is not float32 or int64")
        fits = len(shape) <= MAX_AXES and all(size > 0 for size in shape)
        if not fits or prod(shape) * dtype.itemsize != len(raw):
            raise ValueError(f"the constant {name!r} of shape {shape} has {len(raw)} bytes")
        constants[name] = np.frombuffer(raw, dtype).reshape(shape)
    return constants


def _port(reader: Reader, data: memoryview) -> Port:
    fields = reader.read(data, _VALUE, "an input or output")
    kind = reader.read(fields.get("type", memoryview(b"")), _TYPE, "a type")
    tensor = reader.read(kind.get("tensor_type", memoryview(b"")), _TENSOR_TYPE, "a tensor type")
    shape = reader.read(tensor.get("shape", memoryview(b"")), _SHAPE, "a shape")
    sizes = [reader.read(dim, _DIM, "a dimension") for dim in shape.get("dim", [])]
    return Port(
        name=_text(fields.get("name", b"")),
        element=int(tensor.get("elem_type", 0)),
        shape=tuple(size.get("value") for size in sizes),
    )
