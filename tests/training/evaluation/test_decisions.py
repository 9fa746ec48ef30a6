"""MCC and macro-F1 are those of the table of decisions, counted by hand."""

import math

import numpy as np
import pytest

from training.evaluation.decisions import Decided


def decided(rows, weight=None):
    family, above, called = (np.array(column) for column in zip(*rows, strict=True))
    return Decided(family, above.astype(bool), called, np.ones(len(rows)) if weight is None else np.array(weight))


ROWS = [
    *[("benign", False, "scan")] * 6,
    *[("benign", True, "scan")] * 2,
    *[("scan", True, "scan")] * 3,
    *[("scan", False, "scan")] * 1,
    *[("dos", True, "scan")] * 2,
    *[("dos", True, "dos")] * 2,
]


def test_mcc_asks_whether_attacks_alert_whatever_they_are_called():
    tp, fn, fp, tn = 7, 1, 2, 6
    expected = (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert decided(ROWS).mcc() == pytest.approx(expected)


def test_macro_f1_takes_what_is_below_for_benign():
    benign = 2 * 6 / (2 * 6 + 2 + 1)
    scan = 2 * 3 / (2 * 3 + 1 + 4)
    dos = 2 * 2 / (2 * 2 + 2)
    assert decided(ROWS).macro_f1(("benign", "scan", "dos", "web")) == pytest.approx((benign + scan + dos) / 3)


def test_a_family_that_is_no_class_is_left_out():
    kept = [row for row in ROWS if row[0] != "dos"]
    classes = ("benign", "scan")
    assert decided(ROWS).macro_f1(classes) == pytest.approx(decided(kept).macro_f1(classes))
    assert decided(ROWS).macro_f1(("benign", "anomaly")) is None


def test_a_row_counts_as_many_flows_as_it_stands_for():
    once = [ROWS[0], ROWS[6], ROWS[8], ROWS[11], ROWS[12], ROWS[14]]
    weighed = decided(once, [6, 2, 3, 1, 2, 2])
    classes = ("benign", "scan", "dos")
    assert weighed.mcc() == pytest.approx(decided(ROWS).mcc())
    assert weighed.macro_f1(classes) == pytest.approx(decided(ROWS).macro_f1(classes))


def test_alerting_on_nothing_is_worth_nothing():
    assert decided([(family, False, called) for family, _, called in ROWS]).mcc() == 0
