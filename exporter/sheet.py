"""A sheet to write an ONNX graph on, and the canonical form it is turned into.

Names in the finished graph follow from its structure alone, so that the same network, statistics and
metadata give the same bytes, whatever names a converter invented on the way.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sensor.detector.graph import IR_VERSION, OPSETS
from sensor.errors import NettrusionError

ONNX_ML: Final = "ai.onnx.ml"


class Sheet:
    """Nodes and constants in the order in which they were written; `add` and `constant` name them."""

    def __init__(self) -> None:
        """Start with nothing on the sheet."""
        self._nodes: dict[str, onnx.NodeProto] = {}
        self._constants: dict[str, NDArray[Any]] = {}

    def constant(self, values: Any) -> str:
        """Put down a constant, float32 or int64, and return its name; equal ones are put down once."""
        array = np.ascontiguousarray(values)
        if array.dtype.kind in "iub":
            array = array.astype("<i8")
        elif array.dtype.kind == "f":
            array = array.astype("<f4")
        else:
            raise NettrusionError(f"a constant of type {array.dtype} cannot stand in a bundle")
        array = array.reshape(np.shape(values))
        for name, other in self._constants.items():
            same = other.dtype == array.dtype and other.shape == array.shape
            if same and other.tobytes() == array.tobytes():
                return name
        name = f"constant {len(self._constants)}"
        self._constants[name] = array
        return name

    def number(self, value: float) -> str:
        """Put down one float32, of shape (1,), and return its name."""
        return self.constant(np.array([value], np.float32))

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Write one node with one output and return the output's name."""
        name = f"value {len(self._nodes)}"
        self._nodes[name] = helper.make_node(
            operator, list(inputs), [name], domain=domain, **dict(sorted(attributes.items()))
        )
        return name

    def clip(self, value: str, low: float, high: float) -> str:
        """Write a clip between two numbers."""
        bounds = (self.constant(np.float32(low)), self.constant(np.float32(high)))
        return self.add("Clip", value, *bounds)

    def sign(self, value: str) -> str:
        """Write the sign of a value as a product and a clip: eight times as fast as the operator.

        Numbers nearer to 0 than 1e-30 count as 0, partly.
        """
        return self.clip(self.add("Mul", value, self.number(1e30)), -1, 1)

    def inline(self, model: onnx.ModelProto, inputs: Sequence[str]) -> list[str]:
        """Write another model's graph onto this sheet and return the names of its outputs.

        Its inputs become the values named by `inputs`. Raises NettrusionError when it asks for an
        operator set other than a bundle's or has nodes with more than one output in use.
        """
        for opset in model.opset_import:
            if opset.domain == "" and opset.version != OPSETS[""]:
                raise NettrusionError(f"a graph of operator set {opset.version} is not one of 18")
        here: dict[str, str] = {port.name: name for port, name in zip(model.graph.input, inputs, strict=True)}
        for tensor in model.graph.initializer:
            here[tensor.name] = self.constant(numpy_helper.to_array(tensor))
        for node in model.graph.node:
            if node.op_type == "Identity":
                here[node.output[0]] = here[node.input[0]]
                continue
            if len(node.output) != 1:
                raise NettrusionError(f"{node.op_type} with several outputs cannot be exported")
            attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
            if node.op_type == "Constant":
                here[node.output[0]] = self.constant(numpy_helper.to_array(attributes["value"]))
                continue
            here[node.output[0]] = self.add(
                node.op_type, *(here[name] for name in node.input), domain=node.domain, **attributes
            )
        return [here[port.name] for port in model.graph.output]

    def finish(self, inputs: Mapping[str, int], outputs: Mapping[str, tuple[str, int | None]]) -> onnx.ModelProto:
        """Return the canonical model.

        `inputs` maps a graph input, as used on the sheet, to its width; `outputs` maps an output's
        name to the value on the sheet and its width (None: one number a flow). Nodes that no output
        needs are left out. Nodes stand in the order of a depth-first walk from the outputs, values
        and constants are numbered in that order.
        """
        order: list[str] = []
        for value, _ in outputs.values():
            self._visit(value, order)
        public = {value: name for name, (value, _) in outputs.items()}
        if len(public) != len(outputs):
            raise NettrusionError("two outputs of the graph are one and the same value")
        names = {name: name for name in inputs}
        names |= {value: public.get(value, f"v{at}") for at, value in enumerate(order)}
        used = dict.fromkeys(name for value in order for name in self._nodes[value].input if name in self._constants)
        names |= {name: f"c{at}" for at, name in enumerate(used)}
        graph = helper.make_graph(
            [self._renamed(self._nodes[value], names) for value in order],
            "nettrusion",
            [_port(name, width) for name, width in inputs.items()],
            [_port(name, width) for name, (_, width) in outputs.items()],
            [numpy_helper.from_array(self._constants[name], names[name]) for name in used],
        )
        domains = {node.domain for node in graph.node} | {""}
        opsets = [helper.make_opsetid(domain, OPSETS[domain]) for domain in sorted(domains)]
        return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opsets, producer_name="nettrusion")

    def _visit(self, value: str, order: list[str]) -> None:
        """Append the nodes that a value needs, each after what it needs itself."""
        seen = set(order)
        stack = [(value, False)]
        while stack:
            name, ready = stack.pop()
            if name in seen or name not in self._nodes:
                continue
            if ready:
                seen.add(name)
                order.append(name)
                continue
            stack.append((name, True))
            stack.extend((needed, False) for needed in reversed(self._nodes[name].input))

    @staticmethod
    def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.ClearField("name")
        copy.ClearField("input")
        copy.ClearField("output")
        copy.input.extend(names[name] for name in node.input)
        copy.output.extend(names[name] for name in node.output)
        return copy


def _port(name: str, width: int | None) -> onnx.ValueInfoProto:
    shape: list[str | int] = ["N"] if width is None else ["N", width]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
