"""Deciles that say exactly how many rows lie on either side of a value, ties or not."""

import numpy as np

from exporter.quantiles import PARTS, Quantiles

NONE_SILENT = np.zeros(1, bool)


def column(values) -> tuple[tuple[float, int, int], ...]:
    found = Quantiles.of(np.array(values, np.float32)[:, None], NONE_SILENT)
    assert found is not None
    return found.features[0]


def test_of_values_that_all_differ_there_are_nine_deciles():
    assert column(range(1, 101)) == tuple((10.0 * at, 10 * at - 1, 10 * at) for at in range(1, PARTS))


def test_a_value_that_most_rows_share_stands_once_with_its_exact_mass():
    assert column([0.0] * 66 + list(range(1, 35))) == ((0.0, 0, 66), (4.0, 69, 70), (14.0, 79, 80), (24.0, 89, 90))


def test_a_constant_has_one_edge():
    assert column([7.0] * 30) == ((7.0, 0, 30),)


def test_what_is_written_is_the_very_float32():
    values = np.random.default_rng(0).gamma(0.3, 1e6, (500, 3)).astype(np.float32)
    found = Quantiles.of(values, np.array([False, True, False]))
    assert found is not None and found.flows == 500 and found.features[1] == ()
    for place in (0, 2):
        edges = np.array([edge[0] for edge in found.features[place]], np.float32)
        assert np.isin(edges, values[:, place]).all()
        for value, below, within in found.features[place]:
            assert below == (values[:, place] < np.float32(value)).sum()
            assert within == (values[:, place] <= np.float32(value)).sum()


def test_json_gives_the_same_back_and_no_rows_give_nothing():
    found = Quantiles.of(np.ones((4, 2), np.float32), np.array([False, True]))
    assert found is not None
    assert Quantiles.from_json(found.to_json()) == found
    assert Quantiles.of(np.ones((0, 2), np.float32), np.array([False, True])) is None
