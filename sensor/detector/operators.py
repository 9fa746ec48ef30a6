"""The operators a bundle may use, each with the shape that it makes.

This is the allow-list: an operator without a rule here is refused, and so is every use of one that a
rule does not foresee. Two things follow that ONNX Runtime does not give. The memory and the work that
a flow may cost are known before anything runs, because no rule makes a size from data. And no flow's
score can depend on the other flows of its batch, because no rule lets an operator reach across axis 0
(a reduction over it would let an attacker hide one flow behind another).

Left out on purpose: Loop, If, Scan (endless), ConstantOfShape, Expand, Tile, Range, Pad, Resize,
OneHot (sizes from data), Constant (its values stand among the constants), quantisation (a scale that is
taken from the batch).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from sensor.detector.graph import MAX_AXES, Constant, Node, Shape
from sensor.detector.trees import check_trees


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operator: the node, the shapes of its inputs, and those inputs that are constant."""

    node: Node
    shapes: Sequence[Shape]
    constants: Sequence[Constant | None]

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute's value, or its default in the operator set."""
        return self.node.attributes.get(name, default)

    def whole(self, name: str, default: int | None = None) -> int:
        """Return an attribute that is a whole number; raises ValueError when it is none."""
        value = self.attribute(name, default)
        if not isinstance(value, int):
            raise ValueError(f"its attribute {name} is no whole number")
        return value

    def numbers(self, position: int) -> list[int]:
        """Return a constant input of whole numbers, at most a handful, as a list."""
        constant = self.constants[position] if position < len(self.constants) else None
        if constant is None or constant.dtype != np.int64 or constant.ndim > 1:
            raise ValueError(f"its input {position} is not a constant list of whole numbers")
        return [int(value) for value in constant.reshape(-1)]

    def axis(self, value: int, rank: int) -> int:
        """Return an axis as a number from 1; the batch, axis 0, is refused."""
        axis = value + rank if value < 0 else value
        if not 0 < axis < rank:
            raise ValueError(f"it works along axis {value} of {rank}")
        return axis


@dataclass(frozen=True, slots=True)
class Result:
    """What a call makes: the shape of its one output, and its multiply-adds a flow."""

    shape: Shape
    work: int = 0


Rule = Callable[[Call], Result]


def elements(shape: Shape) -> int:
    """Return how many elements a value has for one flow (all of them, if it is no batch)."""
    return prod(size for size in shape if size is not None)


def _broadcast(call: Call) -> Result:
    """Combine shapes as numpy does; the batch may only meet the batch (and stand first, see shape_of)."""
    rank = max(len(shape) for shape in call.shapes)
    sizes: list[int | None] = []
    for axis in range(rank):
        column = {shape[axis - rank] for shape in call.shapes if len(shape) >= rank - axis} - {1}
        if len(column) > 1:
            raise ValueError(f"its inputs of shapes {list(call.shapes)} do not fit together")
        sizes.append(column.pop() if column else 1)
    return Result(tuple(sizes))


def _softmax(call: Call) -> Result:
    call.axis(call.whole("axis", -1), len(call.shapes[0]))
    return Result(call.shapes[0])


def _matmul(call: Call, transposed: bool = False) -> Result:
    """Multiply a batch of rows by a constant matrix."""
    left, right = call.shapes[:2]
    if len(left) != 2 or len(right) != 2 or call.constants[1] is None:
        raise ValueError("it does not multiply rows by a constant matrix")
    inner, outer = (right[1], right[0]) if transposed else right
    if left[1] != inner or outer is None:
        raise ValueError(f"its inputs of shapes {list(call.shapes)} do not fit together")
    return Result((left[0], outer), work=elements(right))


def _gemm(call: Call) -> Result:
    if call.whole("transA", 0) or len(call.shapes) != 2:
        raise ValueError("it does not multiply rows by a constant matrix")
    return _matmul(call, transposed=bool(call.whole("transB", 0)))


def _reduce(call: Call) -> Result:
    shape = call.shapes[0]
    axes = {call.axis(axis, len(shape)) for axis in call.numbers(1)}
    if not axes:
        raise ValueError("it reduces over every axis")
    if len(shape) - 1 in axes:
        # Eigen adds along a row in an order that depends on where in memory the row begins: the same
        # flow would score one way at the head of a batch and another further down. Use MatMul.
        raise ValueError("it reduces along the last axis")
    return Result(_without(shape, axes, keep=bool(call.whole("keepdims", 1))))


def _argmax(call: Call) -> Result:
    axis = call.axis(call.whole("axis", 0), len(call.shapes[0]))
    return Result(_without(call.shapes[0], {axis}, keep=bool(call.whole("keepdims", 1))))


def _squeeze(call: Call) -> Result:
    shape = call.shapes[0]
    axes = {call.axis(axis, len(shape)) for axis in call.numbers(1)}
    if any(shape[axis] != 1 for axis in axes):
        raise ValueError("it removes an axis that is longer than one")
    return Result(_without(shape, axes, keep=False))


def _without(shape: Shape, axes: set[int], *, keep: bool) -> Shape:
    pairs = [(1 if at in axes else size, at in axes) for at, size in enumerate(shape)]
    return tuple(size for size, gone in pairs if keep or not gone)


def _concat(call: Call) -> Result:
    first = call.shapes[0]
    axis = call.axis(call.whole("axis"), len(first))
    rests = {shape[:axis] + shape[axis + 1 :] for shape in call.shapes}
    if len(rests) != 1 or any(len(shape) != len(first) for shape in call.shapes):
        raise ValueError(f"its inputs of shapes {list(call.shapes)} do not fit together")
    size = sum(size for shape in call.shapes if (size := shape[axis]) is not None)
    return Result((*first[:axis], size, *first[axis + 1 :]))


def _gather(call: Call) -> Result:
    """Take columns by constant numbers, or a row of a constant table for each flow."""
    data, indices = call.shapes
    axis = call.whole("axis", 0)
    table, numbers = call.constants
    if table is not None and axis == 0 and None not in data:
        return Result((*indices, *data[1:]))
    axis = call.axis(axis, len(data))
    size = data[axis]
    if numbers is None or size is None or not ((numbers >= -size) & (numbers < size)).all():
        raise ValueError("it takes columns that are not there")
    return Result((*data[:axis], *indices, *data[axis + 1 :]))


def _reshape(call: Call) -> Result:
    """Give each flow's row another shape: the batch stays the first axis."""
    shape, target = call.shapes[0], call.numbers(1)
    if shape[:1] != (None,) or target[:1] != [-1] or min(target[1:], default=1) < 1:
        raise ValueError(f"it does not keep the batch apart: {shape} to {target}")
    if prod(target[1:]) != elements(shape) or call.whole("allowzero", 0):
        raise ValueError(f"its new shape {target} has another size than {shape}")
    return Result((None, *target[1:]))


def _trees(call: Call) -> Result:
    shape = call.shapes[0]
    if len(shape) != 2 or shape[1] is None:
        raise ValueError("its input is not a batch of rows")
    work = check_trees(call.node.attributes, features=shape[1])
    return Result((shape[0], call.whole("n_targets")), work=work)


def _same(call: Call) -> Result:
    return Result(call.shapes[0])


@dataclass(frozen=True, slots=True)
class Operator:
    """An allowed operator: its rule, how many inputs it may have, and the attributes it may have."""

    rule: Rule
    inputs: tuple[int, int]
    attributes: frozenset[str] = frozenset()


def _family(names: str, rule: Rule, inputs: tuple[int, int], attributes: str = "") -> Any:
    return {("", name): Operator(rule, inputs, frozenset(attributes.split())) for name in names.split()}


_TREES = (
    "n_targets post_transform aggregate_function base_values nodes_treeids nodes_nodeids"
    " nodes_featureids nodes_modes nodes_values nodes_truenodeids nodes_falsenodeids"
    " target_treeids target_nodeids target_ids target_weights"
)
OPERATORS: Final[Mapping[tuple[str, str], Operator]] = {
    **_family("Abs Log Relu Tanh Sigmoid IsNaN", _same, (1, 1)),
    **_family("Elu", _same, (1, 1), "alpha"),
    **_family("Add Sub Mul Min Max", _broadcast, (2, 2)),
    **_family("Where Clip", _broadcast, (3, 3)),
    **_family("Softmax", _softmax, (1, 1), "axis"),
    **_family("MatMul", _matmul, (2, 2)),
    **_family("Gemm", _gemm, (2, 2), "transA transB"),
    **_family("ReduceSum", _reduce, (2, 2), "keepdims"),
    **_family("ArgMax", _argmax, (1, 1), "axis keepdims"),
    **_family("Squeeze", _squeeze, (2, 2)),
    **_family("Concat", _concat, (1, 8), "axis"),
    **_family("Gather", _gather, (2, 2), "axis"),
    **_family("Reshape", _reshape, (2, 2)),
    ("ai.onnx.ml", "TreeEnsembleRegressor"): Operator(_trees, (1, 1), frozenset(_TREES.split())),
}
"""Every operator a bundle may use. MAX_AXES bounds the axes of what they make."""


def shape_of(call: Call) -> Result:
    """Return the shape that a call makes.

    Raises ValueError with a reason when the operator, an attribute, or the use of it is not allowed.
    """
    node = call.node
    operator = OPERATORS.get((node.domain, node.operator))
    if operator is None:
        raise ValueError(f"the operator {node.domain or 'ai.onnx'}.{node.operator} is not allowed")
    low, high = operator.inputs
    if not low <= len(node.inputs) <= high or node.attributes.keys() - operator.attributes:
        raise ValueError(f"{node.operator} is used with other inputs or attributes than allowed")
    try:
        result = operator.rule(call)
    except ValueError as error:
        raise ValueError(f"the operator {node.operator} is not allowed so: {error}") from None
    if len(result.shape) > MAX_AXES or None in result.shape[1:]:
        raise ValueError(f"{node.operator} makes the shape {result.shape}")
    return result
