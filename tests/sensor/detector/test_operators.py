"""The shape that each rule promises is the shape that ONNX Runtime makes."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from sensor.detector.graph import INT64, Node
from sensor.detector.operators import OPERATORS, Call, shape_of

N, K = 5, 4
W = np.arange(12, dtype=np.float32).reshape(K, 3)

CASES = [
    ("Abs", [], {}),
    ("Log", [], {}),
    ("Relu", [], {}),
    ("Elu", [], {"alpha": 1.0}),
    ("Tanh", [], {}),
    ("Sigmoid", [], {}),
    ("IsNaN", [], {}),
    ("Add", [W[:, 0]], {}),
    ("Sub", [np.ones((1, K), np.float32)], {}),
    ("Mul", [np.ones(1, np.float32)], {}),
    ("Mul", [np.ones((2, 1, K), np.float32)], {}),
    ("Min", [np.float32(0)], {}),
    ("Max", [np.float32(0)], {}),
    ("Clip", [np.float32(0), np.float32(1)], {}),
    ("Softmax", [], {"axis": -1}),
    ("MatMul", [W], {}),
    ("Gemm", [W.T.copy()], {"transB": 1}),
    ("Gemm", [W], {}),
    ("ArgMax", [], {"axis": 1, "keepdims": 0}),
    ("ArgMax", [], {"axis": 1}),
    ("Concat", [], {"axis": 1}),
    ("Gather", [np.array([0, 2, 2])], {"axis": 1}),
    ("Gather", [np.array(2)], {"axis": 1}),
    ("Reshape", [np.array([-1, 2, 2])], {}),
    ("Reshape", [np.array([-1])], {}),
]


def call(operator, constants, attributes):
    node = Node("", operator, ("features", *(f"c{at}" for at in range(len(constants)))), ("y",), attributes)
    arrays = [np.asarray(array) for array in constants]
    return Call(node, [(None, K), *(array.shape for array in arrays)], [None, *arrays])


def made(operator, constants, attributes):
    """Return the shape that ONNX Runtime makes of N rows."""
    names = [f"c{at}" for at in range(len(constants))]
    graph = helper.make_graph(
        [helper.make_node(operator, ["features", *names], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", K])],
        [helper.make_tensor_value_info("y", TensorProto.UNDEFINED, None)],
        [numpy_helper.from_array(np.asarray(a), n) for a, n in zip(constants, names, strict=True)],
    )
    kind = TensorProto.BOOL if operator == "IsNaN" else INT64 if operator == "ArgMax" else TensorProto.FLOAT
    graph.output[0].CopyFrom(helper.make_tensor_value_info("y", kind, None))
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.ones((N, K), np.float32)})[0].shape


@pytest.mark.parametrize(("operator", "constants", "attributes"), CASES)
def test_a_rule_promises_what_onnx_runtime_makes(operator, constants, attributes):
    try:
        promised = shape_of(call(operator, constants, attributes)).shape
    except ValueError:
        # A batch may only stand first; ONNX Runtime would put it further back.
        assert made(operator, constants, attributes)[0] != N
        return
    assert tuple(N if size is None else size for size in promised) == made(operator, constants, attributes)


def test_work_is_the_matrix_of_a_product():
    assert shape_of(call("MatMul", [W], {})).work == W.size


def test_every_allowed_operator_has_a_case_here_or_elsewhere():
    assert {name for _, name in OPERATORS} - {name for name, _, _ in CASES} == {
        "Where",
        "ReduceSum",
        "Squeeze",
        "TreeEnsembleRegressor",
    }
    assert not {name for _, name in OPERATORS} & {"Loop", "If", "Scan", "Constant", "Cast"}
