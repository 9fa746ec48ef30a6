"""One event, one line, at most 16 kB."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.eve import MAX_LINE_BYTES, encode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def alert(**metadata: list[str]) -> dict[str, Any]:
    return {"event_type": "alert", "alert": {"signature": "x", "metadata": metadata}}


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=4), max_size=8))
def test_a_line_is_ascii_ends_in_its_only_newline_and_reads_back(event):
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line) == event


def test_half_a_surrogate_pair_is_a_question_mark():
    assert json.loads(encode({"a\udcff": ["b\udc80", {"c": "\U0001f600"}]})) == {"a?": ["b?", {"c": "\U0001f600"}]}


def test_nan_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"score": float("nan")})


def test_a_line_of_exactly_the_limit_is_left_alone():
    room = MAX_LINE_BYTES - len(encode({"a": ""}))
    assert len(encode({"a": "x" * room})) == MAX_LINE_BYTES
    assert json.loads(encode({"a": "x" * room}))["a"] == "x" * room


def test_features_go_first_from_the_end_and_no_more_than_must():
    features = [f"feature_{number}=" + "x" * 900 for number in range(30)]
    line = encode(alert(ml_features=features, tag=["t"]))
    kept = json.loads(line)["alert"]["metadata"]
    assert MAX_LINE_BYTES - 1000 < len(line) <= MAX_LINE_BYTES
    assert kept["ml_features"] == features[: len(kept["ml_features"])]
    assert kept["tag"] == ["t"]


def test_then_the_rules_own_metadata_goes():
    long = alert(ml_features=["f=1"], ml_model=["m"], tag=["x" * MAX_LINE_BYTES])
    assert json.loads(encode(long))["alert"]["metadata"] == {"ml_model": ["m"]}


def test_then_texts_are_cut():
    long = alert(ml_model=["m"])
    long["alert"]["signature"] = "s" * MAX_LINE_BYTES
    cut = json.loads(encode(long))["alert"]
    assert cut["signature"] == "s" * 1021 + "..."
    assert cut["metadata"] == {"ml_model": ["m"]}


@given(st.lists(st.integers(0, 40_000), min_size=30, max_size=30), st.sampled_from(["x", "\x00", "\U0001f600"]))
def test_no_event_is_ever_too_long(sizes, letter):
    event = alert(ml_features=[letter * size for size in sizes[:5]], ml_model=[letter * sizes[5]])
    event |= {f"key{number}": letter * size for number, size in enumerate(sizes[6:])}
    line = encode(event)
    assert len(line) <= MAX_LINE_BYTES
    assert json.loads(line).keys() == event.keys()
