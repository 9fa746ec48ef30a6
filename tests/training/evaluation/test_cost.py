"""The cost is the best of three turns, over flows that differ, on the machine that is named."""

import numpy as np

from exporter import graph
from tests.training.runs import prepared_run
from training.bundle import price, scoring_of
from training.evaluation import cost


def test_the_best_turn_counts_a_flow():
    _, prepared, results, _ = prepared_run("logistic regression")
    fitted = results.same_day["logistic regression"][0].fitted
    held = prepared.table.rows(prepared.split.calibration)
    scoring, _ = scoring_of(fitted, prepared, held)
    model = graph.assemble(fitted.network, scoring)
    ticks = iter([0.0, 4.0, 10.0, 12.0, 20.0, 25.0])
    assert cost.microseconds(model, held.features, 1000, lambda: next(ticks)) == 2000.0
    assert cost.microseconds(model, held.features[:0]) is None


def test_a_price_is_asked_of_what_can_be_exported_alone():
    _, prepared, results, _ = prepared_run("logistic regression")
    found = price(results.same_day["logistic regression"][0].fitted, prepared)
    assert found is not None and 0 < found < 1e5
    assert price(results.same_day["constant"][0].fitted, prepared) is None


def test_the_machine_is_named():
    assert "one thread" in cost.machine()
    assert np.char.isnumeric(cost.machine().split(" cores")[0].split()[-1])
