"""Metadata come back as they were written, and lies in them are named by their key."""

import json

import pytest

from sensor.detector.graph import parse
from sensor.detector.meta import Budget, Edge, read_meta
from tests.sensor.detector.made import CLASSES, PATH, good

PROPERTIES = dict(parse(good()).metadata)


def test_metadata_come_back_as_they_were_written():
    meta = read_meta(PATH, "cd" * 32, PROPERTIES)
    assert (meta.name, meta.version, meta.kind) == ("made", "1.2", "classifier")
    assert (meta.network, meta.contributions) == ("scikit-learn: logistic regression", "linear")
    assert (meta.feature_set, meta.feature_set_version) == ("tiny", "3")
    assert (meta.classes, meta.variant, meta.sha256) == (CLASSES, "cns22", "cd" * 32)
    assert meta.budget == Budget(0.05, meta.budget.flows, True)
    assert meta.calibration[-1][1] == 1.0
    assert len(meta.medians) == 6
    assert meta.training["figures"] == {"recall": 0.9}


def test_entries_of_other_programs_do_not_matter():
    assert read_meta(PATH, "", PROPERTIES | {"author": "x"}).name == "made"


@pytest.mark.parametrize("key", sorted(PROPERTIES))
def test_every_entry_is_needed(key):
    rest = {name: value for name, value in PROPERTIES.items() if name != key}
    with pytest.raises(ValueError, match=f"lack {key}"):
        read_meta(PATH, "", rest)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "a\x1b[31m"),
        ("name", ""),
        ("name", "x" * 65),
        ("version", "../1"),
        ("kind", "oracle"),
        ("network", "two\nlines"),
        ("contributions", "none"),
        ("feature_set_sha256", "AB" * 32),
        ("classes", "benign,dos"),
        ("classes", '["dos","benign"]'),
        ("classes", '["benign"]'),
        ("classes", '["benign","DoS"]'),
        ("classes", '["benign","dos","dos"]'),
        ("classes", '["benign",1]'),
        ("classes", "[" * 100_000),
        ("threshold", "1.5"),
        ("threshold", "NaN"),
        ("threshold", "true"),
        ("threshold", "1e999"),
        ("threshold", '"0.5"'),
        ("threshold", "1" * 10_000),
        ("budget", "{}"),
        ("budget", "[]"),
        ("budget", '{"false_positive_rate":0.1,"flows":1.5,"certified":true}'),
        ("budget", '{"false_positive_rate":0.1,"flows":1,"certified":1}'),
        ("calibration", "[]"),
        ("calibration", "[[0.5]]"),
        ("calibration", "[[0.5,0.1],[0.6,0.2]]"),
        ("calibration", "[[0.6,0.2],[0.5,0.1]]"),
        ("calibration", "[[0.6,0.2],[0.6,0.2]]"),
        ("calibration", "[[0.6,2]]"),
        ("medians", "[1,null]"),
        ("medians", "7"),
        ("training", "[]"),
        ("card", "x" * 20_001),
        ("training", '{"a":[' + "[]," * 200_000 + "1]}"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_key(key, value):
    with pytest.raises(ValueError, match=rf"its metadata nettrusion\.{key} has the value"):
        read_meta(PATH, "", PROPERTIES | {f"nettrusion.{key}": value})


def quantiles(*rows, flows=10) -> str:
    return json.dumps({"flows": flows, "features": list(rows)})


ROW = [[0.1, 0, 4], [2, 4, 5]]


def test_quantiles_may_be_absent_and_come_as_shares():
    assert read_meta(PATH, "", PROPERTIES).quantiles == ()
    text = quantiles(ROW, [], *[ROW] * 4)
    meta = read_meta(PATH, "", PROPERTIES | {"nettrusion.quantiles": text})
    # The number that features are compared with is a float32.
    assert meta.quantiles[0] == (Edge(0.10000000149011612, 0.0, 0.4), Edge(2.0, 0.4, 0.5))
    assert meta.quantiles[1] == ()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "[]",
        "{}",
        quantiles(),
        quantiles(*[ROW] * 5),
        quantiles(*[ROW] * 7),
        quantiles(*[ROW] * 6, flows=0),
        quantiles(*[ROW] * 6, flows=4),
        quantiles(*[ROW] * 6, flows=-10),
        quantiles(*[ROW] * 6, flows=True),
        quantiles(*[ROW] * 6, flows="10"),
        quantiles(*[[[0, 0]]] * 6),
        quantiles(*[[[0, 3, 3]]] * 6),
        quantiles(*[[[0, 4, 3]]] * 6),
        quantiles(*[[[0, -1, 3]]] * 6),
        quantiles(*[[[0, 1, 11]]] * 6),
        quantiles(*[[[0, 1, 4], [1, 3, 5]]] * 6),
        quantiles(*[[[0, 1, 4], [0, 4, 5]]] * 6),
        quantiles(*[[[0.1, 1, 4], [0.1000000001, 4, 5]]] * 6),
        quantiles(*[[[1e39, 1, 4]]] * 6),
        quantiles(*[[[float("nan"), 1, 4]]] * 6),
        quantiles(*[[["0", 1, 4]]] * 6),
        quantiles(*[[[at, at, at + 1] for at in range(100)]] * 6, flows=100),
        "[" * 100_000,
    ],
)
def test_quantiles_that_can_be_no_distribution_are_refused(value):
    with pytest.raises(ValueError, match=r"its metadata nettrusion\.quantiles has the value"):
        read_meta(PATH, "", PROPERTIES | {"nettrusion.quantiles": value})


def test_a_later_format_is_said_to_be_one():
    with pytest.raises(ValueError, match="its bundle format is 2, this sensor reads 1"):
        read_meta(PATH, "", PROPERTIES | {"nettrusion.format": "2"})


def test_a_complaint_quotes_little_and_nothing_raw():
    value = json.dumps("\x1b[2J" * 1_000)
    with pytest.raises(ValueError, match="threshold") as caught:
        read_meta(PATH, "", PROPERTIES | {"nettrusion.threshold": value})
    assert len(str(caught.value)) < 200
    assert "\x1b" not in str(caught.value)
