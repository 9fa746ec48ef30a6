"""The sheet: canonical bytes, equal constants once, nothing that no output needs."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from exporter.sheet import Sheet
from sensor.errors import NettrusionError


def finished(sheet, value, width=2):
    return sheet.finish({"features": 2}, {"y": (value, width)})


def run(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.array(rows, np.float32)})[0].tolist()


def test_what_is_written_is_what_runs():
    sheet = Sheet()
    doubled = sheet.add("Add", "features", "features")
    model = finished(sheet, sheet.clip(sheet.add("Mul", doubled, sheet.number(3)), -1, 10))
    onnx.checker.check_model(model, full_check=True)
    assert run(model, [[1, 2], [-1, 0]]) == [[6, 10], [-1, 0]]


def test_a_sign_is_one_with_a_sign():
    sheet = Sheet()
    assert run(finished(sheet, sheet.sign("features")), [[3e18, -1e-9], [0, -3e38]]) == [[1, -1], [0, -1]]


def test_bytes_follow_from_structure_alone():
    def once(before):
        sheet = Sheet()
        for _ in range(before):
            sheet.add("Abs", sheet.constant(np.arange(3)))
        left = sheet.add("Relu", "features")
        right = sheet.add("Tanh", "features")
        return finished(sheet, sheet.add("Add", left, right)).SerializeToString(deterministic=True)

    assert once(0) == once(5)


def test_equal_constants_stand_once_and_unlike_ones_do_not():
    sheet = Sheet()
    assert sheet.constant(np.array([1, 2], np.float32)) == sheet.constant([1.0, 2.0])
    names = [[1.0, 2.0], [1, 2], [[1.0, 2.0]], 1.0, [1.0]]
    assert len({sheet.constant(value) for value in names}) == len(names)


def test_what_no_output_needs_is_left_out():
    sheet = Sheet()
    sheet.add("Abs", sheet.number(9))
    model = finished(sheet, sheet.add("Relu", "features"))
    assert [node.op_type for node in model.graph.node] == ["Relu"]
    assert not model.graph.initializer


def test_two_outputs_of_one_value_are_refused():
    sheet = Sheet()
    value = sheet.add("Relu", "features")
    with pytest.raises(NettrusionError, match="one and the same"):
        sheet.finish({"features": 2}, {"a": (value, 2), "b": (value, 2)})


def test_text_is_no_constant():
    with pytest.raises(NettrusionError, match="type <U1"):
        Sheet().constant(np.array(["a"]))


def other_model(nodes, opset=18):
    graph = helper.make_graph(
        nodes,
        "other",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([5], np.float32), "five")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def test_another_graph_is_written_in_without_its_identities_and_constants():
    value = numpy_helper.from_array(np.array([2], np.float32))
    model = other_model(
        [
            helper.make_node("Constant", [], ["two"], value=value),
            helper.make_node("Mul", ["in", "two"], ["double"]),
            helper.make_node("Identity", ["double"], ["same"]),
            helper.make_node("Add", ["same", "five"], ["out"]),
        ]
    )
    sheet = Sheet()
    (out,) = sheet.inline(model, ["features"])
    done = finished(sheet, out)
    assert [node.op_type for node in done.graph.node] == ["Mul", "Add"]
    assert run(done, [[1, 2]]) == [[7, 9]]


def test_another_operator_set_is_refused():
    with pytest.raises(NettrusionError, match="operator set 17"):
        Sheet().inline(other_model([], opset=17), ["features"])


def test_a_node_of_several_outputs_is_refused():
    nodes = [helper.make_node("Split", ["in"], ["a", "out"], axis=1, num_outputs=2)]
    with pytest.raises(NettrusionError, match="Split with several outputs"):
        Sheet().inline(other_model(nodes), ["features"])
