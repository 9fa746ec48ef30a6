"""The bounded reader of protocol-buffer bytes, against the real library and against nonsense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto

from sensor.detector import wire
from sensor.detector.wire import Kind, Reader

INTS = {1: ("name", Kind.BYTES), 8: ("ints", Kind.INT_LIST), 20: ("type", Kind.INT)}
FLOATS = {7: ("floats", Kind.FLOAT_LIST), 20: ("type", Kind.INT)}


def read(data, schema):
    return Reader().read(memoryview(data), schema, "a message")


@given(st.text(max_size=9), st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(0, 2**31 - 1))
def test_whole_numbers_come_back_as_the_library_wrote_them(name, ints, kind):
    message = AttributeProto(name=name, ints=ints)
    message.type = AttributeProto.INTS
    found = read(message.SerializeToString(), INTS)
    assert bytes(found["name"]).decode() == name
    assert found.get("ints", np.zeros(0)).tolist() == ints
    assert found["type"] == AttributeProto.INTS


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_floats_come_back_as_the_library_wrote_them(floats):
    message = AttributeProto(floats=floats, type=AttributeProto.FLOATS)
    assert read(message.SerializeToString(), FLOATS).get("floats", np.zeros(0)).tolist() == floats


def test_a_negative_number_is_negative():
    message = AttributeProto(i=-5)
    assert read(message.SerializeToString(), {3: ("i", Kind.INT)}) == {"i": -5}


def test_a_list_ends_where_another_field_begins():
    message = TensorProto(dims=[3, 200, 70_000], name="x", raw_data=bytes(range(256)))
    schema = {1: ("dims", Kind.INT_LIST), 8: ("name", Kind.BYTES), 9: ("raw", Kind.BYTES)}
    found = read(message.SerializeToString(), schema)
    assert found["dims"].tolist() == [3, 200, 70_000]
    assert bytes(found["raw"]) == bytes(range(256))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x08\x01", "the field name has another type"),
        (b"\xa0\x01\x80", "cut short"),
        (b"\x0a\x05ab", "cut short"),
        (b"\x42\x01", "the field ints has another type"),
        (b"\xa0\x01\x01\xa0\x01\x01", "stands twice"),
        (b"\x40\x01\xa0\x01\x01\x40\x01", "stands twice"),
        (b"\x10\x01", "field number 2"),
        (b"\x0b", "another type"),
        (b"\xa0\x01" + b"\xff" * 10 + b"\x01", "more than 64 bits"),
        (b"\x40" + b"\xff" * 11 + b"\x01", "more than 64 bits"),
        (b"\x40", "cut short"),
    ],
)
def test_what_is_not_such_a_message_is_refused_with_a_reason(data, reason):
    with pytest.raises(ValueError, match=reason):
        read(data, INTS)


def test_a_list_may_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(wire, "MAX_LIST_BYTES", 1_000)
    data = AttributeProto(ints=[1] * 5_000).SerializeToString()
    with pytest.raises(ValueError, match="a list of more than 1000 bytes"):
        read(data, INTS)


def test_fields_are_counted_over_a_whole_file():
    reader = Reader(fields_left=3)
    message = memoryview(AttributeProto(i=1).SerializeToString())
    for _ in range(3):
        reader.read(message, {3: ("i", Kind.INT)}, "a message")
    with pytest.raises(ValueError, match="fields"):
        reader.read(message, {3: ("i", Kind.INT)}, "a message")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    for schema in (INTS, FLOATS):
        try:
            assert isinstance(read(data, schema), dict)
        except ValueError as error:
            assert str(error)
