"""What the walker reads of a file equals what the onnx package reads; the rest is refused by name."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sensor.detector.graph import MAX_NODES, parse
from tests.sensor.detector.made import edited, empty_graph, good


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_the_walker_reads_what_the_onnx_package_reads(kind):
    data = good(kind)
    model, graph = onnx.load_model_from_string(data), parse(data)
    assert [node.operator for node in graph.nodes] == [node.op_type for node in model.graph.node]
    for ours, theirs in zip(graph.nodes, model.graph.node, strict=True):
        assert ours.inputs == tuple(theirs.input)
        assert ours.outputs == tuple(theirs.output)
        assert ours.domain == theirs.domain
        assert set(ours.attributes) == {item.name for item in theirs.attribute}
        for item in theirs.attribute:
            value = helper.get_attribute_value(item)
            if item.type == onnx.AttributeProto.STRINGS:
                value = [text.decode() for text in value]
            assert np.array_equal(ours.attributes[item.name], value), item.name
    for tensor in model.graph.initializer:
        assert np.array_equal(graph.constants[tensor.name], numpy_helper.to_array(tensor))
    assert graph.metadata == {entry.key: entry.value for entry in model.metadata_props}
    assert [port.shape for port in graph.outputs] == [(None,), (None, 3), (None, 6)]


def external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def nested(model):
    attribute = helper.make_attribute("then_branch", empty_graph())
    model.graph.node[0].attribute.append(attribute)


def sparse(model):
    values = numpy_helper.from_array(np.ones(1, np.float32), "huge")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "at")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [40_000_000_000]))


def function(model):
    body = [helper.make_node("Identity", ["x"], ["y"])]
    opset = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], body, opset))


def tensor_attribute(model):
    value = numpy_helper.from_array(np.ones(1, np.float32))
    model.graph.node[0].attribute.append(helper.make_attribute("value", value))


def untrue_type(model):
    attribute = helper.make_attribute("axis", 1)
    attribute.type = onnx.AttributeProto.FLOAT
    model.graph.node[0].attribute.append(attribute)


def typed_data(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.float_data.extend([1.0])


def wrong_size(model):
    model.graph.initializer[0].dims[:] = [40_000_000_000]


def twice(model):
    model.graph.initializer.append(model.graph.initializer[0])


def many_nodes(model):
    model.graph.node.extend([model.graph.node[0]] * MAX_NODES)


def other_opset(model):
    model.opset_import[0].version = 21


def custom_domain(model):
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def training_info(model):
    model.training_info.add()


def no_graph(model):
    model.ClearField("graph")


def attribute_reference(model):
    attribute = helper.make_attribute("axis", 1)
    attribute.ref_attr_name = "axis"
    model.graph.node[0].attribute.append(attribute)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external, "a constant has the field number"),
        (nested, "an attribute has the field number 6"),
        (sparse, "the graph has the field number 15"),
        (function, "the model has the field number 25"),
        (tensor_attribute, "an attribute has the field number 5"),
        (untrue_type, "no single value of a known type"),
        (typed_data, "a constant has the field number 4"),
        (wrong_size, "has 24 bytes"),
        (twice, "stands twice"),
        (many_nodes, "more than 2000"),
        (other_opset, "operator sets"),
        (custom_domain, "operator sets"),
        (training_info, "field number 20"),
        (no_graph, "no graph"),
        (attribute_reference, "field number 21"),
        (lambda model: setattr(model, "ir_version", 10), "format version is 10"),
    ],
)
def test_what_a_bundle_never_has_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        parse(edited(change))


def test_two_graphs_in_one_file_are_refused():
    # A protocol-buffer library would merge them: what was checked would not be what runs.
    with pytest.raises(ValueError, match="graph stands twice"):
        parse(good() + b"\x3a\x00")
