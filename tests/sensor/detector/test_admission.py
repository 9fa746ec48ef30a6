"""What a bundle's graph may be: hostile and careless ones are refused before anything runs."""

from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sensor.detector.admission import MAX_BYTES, admit
from tests.sensor.detector.made import K, edited, good, replaced, spliced

node = helper.make_node


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_a_good_bundle_is_admitted_and_its_cost_is_known(kind):
    admitted = admit(good(kind))
    assert (admitted.features, admitted.classes) == (K, 3)
    assert K < admitted.elements < 1_000
    assert 0 < admitted.work < 1_000


@pytest.mark.parametrize(
    "operator",
    [
        "Loop",
        "If",
        "Scan",
        "ConstantOfShape",
        "Expand",
        "Tile",
        "Range",
        "Pad",
        "Resize",
        "OneHot",
        "Constant",
        "DynamicQuantizeLinear",
        "RandomNormal",
        "NonZero",
        "Shape",
        "Cast",
        "LSTM",
    ],
)
def test_an_operator_that_no_bundle_needs_is_refused(operator):
    with pytest.raises(ValueError, match=rf"{operator} is not allowed"):
        admit(spliced(node(operator, ["features"], ["x"])))


def test_an_operator_of_another_domain_is_refused():
    data = spliced(node("Abs", ["features"], ["x"], domain="com.example"))
    with pytest.raises(ValueError, match=r"com\.example\.Abs is not allowed"):
        admit(data)


def doubling(times):
    """Return nodes that make a row twice as long again and again."""
    names = ["features", *(f"x{at}" for at in range(times))]
    return [node("Concat", [a, a], [b], axis=1) for a, b in pairwise(names)]


COLUMN = np.zeros((60_000, 1), np.float32)
HEAVY = np.zeros((K, 400_000), np.float32)


@pytest.mark.parametrize(
    "data",
    [
        lambda: spliced(*doubling(40)),
        lambda: spliced(node("Add", ["a", "b"], ["x"]), a=COLUMN, b=COLUMN.reshape(1, -1)),
        lambda: spliced(node("MatMul", ["features", "w"], ["x"]), w=HEAVY),
        lambda: spliced(
            *(node("Gemm", ["wide", "w"], [f"x{at}"]) for at in range(100)),
            wide=np.zeros((1, 400), np.float32),
            w=np.zeros((400, 400), np.float32),
        ),
    ],
    ids=["doubling", "outer sum", "wide product", "many products"],
)
def test_a_graph_that_fills_memory_or_takes_for_ever_is_refused(data):
    with pytest.raises(ValueError, match="a flow fills more than"):
        admit(data())


def test_rows_of_constants_gathered_a_thousandfold_are_refused():
    indices = np.zeros((1_000, 1_000), np.int64)
    with pytest.raises(ValueError, match="a flow fills more than"):
        admit(spliced(node("Gather", ["t", "i"], ["x"], axis=0), t=np.zeros((1, 9), np.float32), i=indices))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: spliced(node("Softmax", ["features"], ["x"], axis=0)), "along axis 0"),
        (lambda: spliced(node("ArgMax", ["features"], ["x"], axis=-2)), "along axis -2"),
        (lambda: spliced(node("ReduceSum", ["features", "a"], ["x"]), a=np.array([0])), "axis 0"),
        (lambda: spliced(node("ReduceSum", ["features"], ["x"])), "other inputs"),
        (lambda: spliced(node("ReduceSum", ["features", "a"], ["x"]), a=np.array([1])), "last axis"),
        (lambda: spliced(node("Concat", ["features", "features"], ["x"], axis=0)), "along axis 0"),
        (lambda: spliced(node("Reshape", ["features", "a"], ["x"]), a=np.array([1, -1])), "apart"),
        (lambda: spliced(node("Reshape", ["s", "a"], ["x"]), s=np.float32(1), a=np.array([-1])), "apart"),
        (lambda: spliced(node("Reshape", ["features", "a"], ["x"]), a=np.array([-1, 3])), "size"),
        (lambda: spliced(node("Gather", ["features", "a"], ["x"], axis=0), a=np.array([0])), "axis 0"),
        (lambda: spliced(node("Gather", ["features", "a"], ["x"], axis=1), a=np.array([K])), "not there"),
        (lambda: spliced(node("Gemm", ["features", "w"], ["x"], transA=1), w=np.eye(K)), "float32"),
        (lambda: spliced(node("MatMul", ["features", "features"], ["x"])), "constant matrix"),
        (lambda: spliced(node("Add", ["features", "w"], ["x"]), w=np.ones((3, K), np.float32)), "fit"),
        (lambda: spliced(node("Add", ["features", "gone"], ["x"])), "not in order"),
        (lambda: spliced(node("Relu", ["features"], ["score"])), "not in order"),
        (lambda: spliced(node("Relu", ["features"], ["x", "y"])), "not in order"),
        (lambda: spliced(node("Relu", ["features"], ["x"], extra=1)), "attributes"),
        (lambda: spliced(node("Relu", ["f"], ["x"]), f=np.array([np.nan], np.float32)), "not finite"),
        (lambda: spliced(node("Relu", ["f"], ["x"]), f=np.zeros(3)), "not float32 or int64"),
        (lambda: replaced(-1, "Relu"), "other inputs"),
    ],
)
def test_a_graph_in_which_flows_could_meet_or_that_is_wrong_is_refused(data, reason):
    with pytest.raises(ValueError, match=reason):
        admit(data())


def rename_input(model):
    model.graph.input[0].name = "x"


def second_input(model):
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3]))


def third_output(model):
    del model.graph.output[2]


def untrue_width(model):
    model.graph.output[2].type.tensor_type.shape.dim[1].dim_value = K + 1


def fixed_batch(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def double_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def wide_input(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40


def constant_input(model):
    rows = np.zeros((1, K), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(rows, "features"))


def constant_score(model):
    for at, each in enumerate(model.graph.node):
        if each.output[0] == "score":
            del model.graph.node[at]
            break
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "score"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rename_input, "its inputs are x, not features"),
        (second_input, "its inputs are features, y"),
        (third_output, "its outputs are score, classes, not"),
        (untrue_width, "contributions has the shape"),
        (fixed_batch, "features has the shape"),
        (double_input, "not float32"),
        (wide_input, "features has the shape"),
        (constant_input, "stands in for its input"),
        (constant_score, "its output score has the shape"),
        (lambda model: model.graph.ClearField("input"), "its inputs are none"),
    ],
)
def test_inputs_and_outputs_must_be_a_bundles(change, reason):
    with pytest.raises(ValueError, match=reason):
        admit(edited(change))


def test_a_file_that_is_too_large_is_refused_unread():
    with pytest.raises(ValueError, match="larger than"):
        admit(bytes(MAX_BYTES + 1))


def test_onnx_runtime_itself_would_have_taken_several_of_these():
    # The reason for this gate: the checker of ONNX finds nothing wrong with a mixing batch.
    data = spliced(node("Softmax", ["features"], ["x"], axis=0))
    onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
