"""Labelled flows made in code: small, separable, with hosts, times and every label."""

import csv
from pathlib import Path

import numpy as np

from sensor.features import FeatureSet
from training.datasets.labels import RELEASED
from training.datasets.table import FlowTable

START_NS = 1_499_083_200_000_000_000
"""2017-07-03 12:00 UTC."""
DAY_NS = 86_400_000_000_000


def feature_set() -> FeatureSet:
    """Return the set that the bundled model reads."""
    return FeatureSet.load("cic2022")


def table(rows: int = 60, benign: int = 240, seed: int = 0) -> FlowTable:
    """Return `rows` flows of every attack label and `benign` flows between forty host pairs.

    Each label has its own place in a few features, so that anything that learns finds it.
    """
    rng = np.random.default_rng(seed)
    names = tuple(feature.name for feature in feature_set().features)
    labels = tuple(sorted(rule.label for rule in RELEASED))
    counts = [benign if label == "benign" else rows for label in labels]
    label = np.repeat(np.arange(len(labels)), counts).astype(np.int16)
    features = rng.lognormal(2.0, 1.0, (len(label), len(names))).astype(np.float32)
    for number, name in enumerate(labels):
        if name != "benign":
            own = label == number
            features[own, 1 + number] = rng.lognormal(12.0, 0.3, int(own.sum()))
            features[own, 20] = rng.lognormal(9.0, 0.3, int(own.sum()))
    pair = np.where(label == labels.index("benign"), rng.integers(0, 40, len(label)), 1000 + label)
    day = np.where(label == labels.index("benign"), rng.integers(0, 5, len(label)), label % 5)
    made = FlowTable(
        features=features,
        label=label,
        time_ns=START_NS + day * DAY_NS + rng.integers(0, 3_600_000_000_000, len(label)),
        tuple_key=rng.permutation(len(label)).astype(np.uint64),
        pair_key=pair.astype(np.uint64),
        weight=np.ones(len(label)),
        labels=labels,
        feature_names=names,
    )
    return made.rows(np.argsort(made.time_ns, kind="stable"))


def headers() -> list[str]:
    """Return the columns of the corrected release that the loader and the feature set read."""
    own = [feature.columns["cns22"] for feature in feature_set().features if "cns22" in feature.columns]
    first = ["id", "Flow ID", "Src IP", "Src Port", "Dst IP", "Dst Port", "Timestamp"]
    return [*first, *own, "Label", "Attempted Category"]


def row(number: int, label: str, **values: object) -> dict[str, object]:
    """Return one CSV row with ones for features; `values` replace columns, `_` for a blank."""
    flow = dict.fromkeys(headers(), 1) | {
        "id": number,
        "Flow ID": f"10.0.0.1-10.0.0.2-{number}-80-6",
        "Src IP": "10.0.0.1",
        "Src Port": number,
        "Dst IP": "10.0.0.2",
        "Dst Port": 80,
        "Protocol": 6,
        "Timestamp": f"2017-07-04 12:00:{number % 60:02d}.000001",
        "Flow Duration": number,
        "Label": label,
        "Attempted Category": -1,
    }
    return flow | {name.replace("_", " "): value for name, value in values.items()}


def write_csv(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as a CSV with the release's header."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, headers())
        writer.writeheader()
        writer.writerows(rows)
    return path
