"""Benchmark tables: words count alike over files, and nothing of them reaches a model for the wire."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from training.datasets.benchmark import Benchmark, encode, limit_to_one, refuse
from training.datasets.manifest import Manifest


def table():
    return Benchmark(
        values=np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]),
        names=("size", "kind"),
        words={"kind": ("a", "b")},
        label=np.array(["normal", "x", "y"]),
        category=np.array(["normal", "dos", "dos"]),
        attack=np.array([False, True, True]),
        source=np.array([0, 1, 1]),
        sources=("train", "test"),
        manifest=Manifest("", []),
    )


def test_rows_and_columns_are_taken_by_name_and_file():
    test = table().of("test")
    assert (len(test), test.column("size").tolist(), test.label.tolist()) == (2, [2.0, 3.0], ["x", "y"])
    assert test.benign.tolist() == [False, False]
    assert test.features.dtype == np.float32
    assert test.feature_names == ("size", "kind")
    with pytest.raises(ValueError, match="not in tuple"):
        table().of("other")


def test_words_become_places_and_numbers_numbers(tmp_path):
    values, words = encode({"a": np.array(["x", "b", "x"]), "n": np.array(["1", "2.5", "-3"])}, ("a",), [tmp_path])
    assert values.tolist() == [[1, 1], [0, 2.5], [1, -3]]
    assert words == {"a": ("b", "x")}


def test_a_flag_above_one_is_one_and_counted():
    manifest = Manifest("", [])
    values = np.array([[2.0, 2.0], [0.0, 5.0]])
    limit_to_one(values, ("flag", "count"), ("flag",), manifest)
    assert values.tolist() == [[1, 2], [0, 5]]
    assert list(manifest.mended.values()) == [1]


def test_the_refusal_names_data_set_and_way_out(tmp_path):
    with pytest.raises(NettrusionError, match=r"X has columns of its own .* never a model for the wire; train on"):
        refuse([tmp_path], "X", "cic2022")
