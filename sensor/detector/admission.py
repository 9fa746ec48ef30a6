"""The gate for a model file: what its graph may be, before ONNX Runtime sees a byte of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from sensor.detector.graph import FLOAT, Graph, Port, Shape, parse
from sensor.detector.operators import Call, elements, shape_of

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_ELEMENTS: Final = 65_536
"""Numbers a flow may fill on its way through the graph: 256 KiB, 256 MB for a batch of 1024."""
MAX_WORK: Final = 4 * 1024 * 1024
"""Multiply-adds a flow may cost: about 0.4 ms on one core. A dense network takes 20 thousand."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A graph that has passed, with the sizes of its rows and what one flow costs in it."""

    graph: Graph
    features: int
    classes: int
    elements: int
    work: int


def admit(data: bytes) -> Admitted:
    """Return the graph of a model file that a sensor may run.

    Checked: size, the parts of the file, number of nodes, operators and their use, memory and work a
    flow, finite constants, and that inputs and outputs are features float32 [N, k] -> score [N],
    classes [N, C], contributions [N, k]. Raises ValueError with the first reason against it.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    graph = parse(data)
    ports = {port.name: port.shape for port in (*graph.inputs, *graph.outputs)}
    if [port.name for port in graph.inputs] != ["features"]:
        raise ValueError(f"its inputs are {_names(graph.inputs)}, not features")
    if [port.name for port in graph.outputs] != ["score", "classes", "contributions"]:
        raise ValueError(f"its outputs are {_names(graph.outputs)}, not score, classes, contributions")
    if any(port.element != FLOAT for port in (*graph.inputs, *graph.outputs)):
        raise ValueError("an input or output is not float32")
    features, classes = _width(ports, "features"), _width(ports, "classes")
    if classes < 2:
        raise ValueError("it has fewer than two classes")
    for name, constant in graph.constants.items():
        if constant.dtype == np.float32 and not np.isfinite(constant).all():
            raise ValueError(f"the constant {name!r} has values that are not finite")
    shapes, filled, work = _walk(graph, features)
    want: dict[str, Shape] = {
        "score": (None,),
        "classes": (None, classes),
        "contributions": (None, features),
    }
    for name, shape in want.items():
        if shapes.get(name) != shape or ports[name] != shape:
            raise ValueError(f"its output {name} has the shape {shapes.get(name)}, not {shape}")
    return Admitted(graph, features, classes, filled, work)


def _walk(graph: Graph, features: int) -> tuple[dict[str, Shape], int, int]:
    """Return the shape of every value, and the elements and multiply-adds of one flow."""
    shapes: dict[str, Shape] = {name: value.shape for name, value in graph.constants.items()}
    if "features" in shapes:
        raise ValueError("a constant stands in for its input")
    shapes["features"] = (None, features)
    filled = work = 0
    for node in graph.nodes:
        missing = [name for name in node.inputs if name not in shapes]
        if missing or len(node.outputs) != 1 or node.outputs[0] in shapes:
            raise ValueError(f"its nodes are not in order at {node.operator} {list(node.outputs)}")
        constants = [graph.constants.get(name) for name in node.inputs]
        result = shape_of(Call(node, [shapes[name] for name in node.inputs], constants))
        shapes[node.outputs[0]] = result.shape
        filled += elements(result.shape)
        work += result.work
        if filled > MAX_ELEMENTS or work > MAX_WORK:
            raise ValueError(
                f"a flow fills more than {MAX_ELEMENTS} numbers or costs more than {MAX_WORK} multiply-adds in it"
            )
    return shapes, filled, work


def _width(ports: dict[str, Shape], name: str) -> int:
    shape = ports[name]
    if len(shape) != 2 or shape[0] is not None or shape[1] is None or not 0 < shape[1] <= 4096:
        raise ValueError(f"{name} has the shape {shape}, not [N, width]")
    return shape[1]


def _names(ports: tuple[Port, ...]) -> str:
    return ", ".join(port.name for port in ports) or "none"
