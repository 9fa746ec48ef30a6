"""Rows of the golden captures: what CICFlowMeter published for them, and what the engine makes of them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.features.published import published
from sensor.flows import PROFILES, FlowEngine, Framing

CAPTURES = ("mix5k", "mix20k")


def flows(golden: Path, capture: str, variant: str) -> NDArray[np.void]:
    """Return the flows of a golden capture by a variant's rules, in the order that `rows` has."""
    data = (golden / f"{capture}.pcap").read_bytes()
    engine = FlowEngine(PROFILES[variant])
    engine.feed(data, Framing.sniff(data))
    engine.finish()
    made = engine.take()
    return made[_in_order(published(made, variant))]


def rows(golden: Path, capture: str, variant: str) -> dict[str, NDArray[Any]]:
    """Return the columns that the variant published for a golden capture, as text."""
    file = "v2017" if variant == "legacy" else variant
    with (golden / f"{capture}.{file}.csv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.reader(lines))
    columns = {name: np.array(values) for name, *values in zip(*table, strict=True)}
    order = _in_order(columns)
    return {name: values[order] for name, values in columns.items()}


def _in_order(columns: Mapping[str, Any]) -> list[int]:
    """Return the order of rows by who, when and how long; not two rows of a capture are alike."""
    whole = list(columns.values())[:10]
    keys = list(zip(*(map(str, values) for values in whole), strict=True))
    assert len(set(keys)) == len(keys)
    return sorted(range(len(keys)), key=keys.__getitem__)
