"""Stages take turns, and a ratio is of two runs of one turn."""

import pytest

from benchmarks.ratios import Ratio, in_turns, of_engine, ratio


def test_every_stage_runs_before_any_runs_again():
    order: list[str] = []

    def stage(name):
        def once():
            order.append(name)
            return {"cpu_s": float(len(order))}

        return once

    runs = in_turns({name: stage(name) for name in ("a", "b", "c")}, 2)
    assert "".join(order) == "abcabc"
    assert runs["b"] == [{"cpu_s": 2.0}, {"cpu_s": 5.0}]


def test_a_ratio_is_within_a_turn():
    runs = {"dear": [{"cpu_s": 2.0}, {"cpu_s": 30.0}], "cheap": [{"cpu_s": 1.0}, {"cpu_s": 10.0}]}
    found = ratio("x", runs, "dear", "cheap")
    assert found == Ratio("x", (2.0, 3.0))
    assert found.median == pytest.approx(2.5)
    assert found.line.split() == ["x", "2.50", "2.00", "-", "3.00"]


def test_the_engines_ratios_are_of_the_stages_they_name():
    figures = {
        "engine without context": {"cpu_s": 1.0, "extract_s": 0.0},
        "engine only": {"cpu_s": 1.5, "extract_s": 0.0},
        "engine and cic2022": {"cpu_s": 2.0, "extract_s": 0.5},
        "engine and flow1": {"cpu_s": 3.0, "extract_s": 1.0},
    }
    found = {one.name: one.median for one in of_engine({name: [each] for name, each in figures.items()})}
    assert found == {
        "engine, with context over without": 1.5,
        "features alone, flow1 over cic2022": 2.0,
        "engine and features, flow1 over cic2022": 1.5,
    }
