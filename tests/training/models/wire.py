"""Labelled flows of the feature set flow1, made in code: some with packets and context, some without."""

from functools import cache

import numpy as np

from sensor.features import FeatureSet
from tests.training.made import START_NS
from training.datasets.table import FlowTable
from training.models.candidate import Lesson

FLOW1 = FeatureSet.load("flow1")
NAMES = tuple(feature.name for feature in FLOW1.features)
LABELS = ("benign", "portscan", "ssh-patator")
PACKETS, CHANNELS = 12, 6


def at(name: str) -> int:
    """Return the column of a feature."""
    return NAMES.index(name)


@cache
def table(rows: int = 400, seed: int = 0, lacking: float = 0.2) -> FlowTable:
    """Return `rows` flows: half benign, scans told by their hosts, guessing told by its packets."""
    rng = np.random.default_rng(seed)
    label = np.sort(rng.choice(3, rows, p=[0.5, 0.25, 0.25])).astype(np.int16)
    features = rng.lognormal(2.0, 1.0, (rows, len(NAMES))).astype(np.float32)
    first, counted = at("pkt01_size"), at("src_conns_5s")
    scan, guess = label == 1, label == 2
    length = np.where(scan, 2, np.where(guess, 10, rng.integers(3, 13, rows)))
    there = np.arange(PACKETS) < length[:, None]
    packets = np.zeros((rows, PACKETS, CHANNELS))
    ways = np.where(guess[:, None] & (np.arange(PACKETS) % 2 == 1), -1, rng.choice([-1, 1], (rows, PACKETS)))
    packets[:, :, 0] = ways * (1 + rng.integers(0, np.where(guess, 200, 1400)[:, None], (rows, PACKETS)))
    packets[:, :, 1] = rng.lognormal(6, 2, (rows, PACKETS))
    packets[:, :, 2:] = rng.random((rows, PACKETS, CHANNELS - 2)) < 0.2
    features[:, first : first + PACKETS * CHANNELS] = (packets * there[:, :, None]).reshape(rows, -1)
    features[scan, counted : counted + 11] *= 20
    features[rng.random(rows) < lacking, first : first + PACKETS * CHANNELS] = 0
    features[rng.random(rows) < lacking, counted:] = 0
    return FlowTable(
        features=features,
        label=label,
        time_ns=START_NS + np.arange(rows) * 1_000_000,
        tuple_key=np.arange(rows).astype(np.uint64),
        pair_key=np.arange(rows).astype(np.uint64),
        weight=np.ones(rows),
        labels=LABELS,
        feature_names=NAMES,
    )


def lesson() -> Lesson:
    """Return flows to learn from, and others to calibrate on."""
    times = np.array([one.index for one in FLOW1.features if one.unit in ("us", "s")])
    rates = np.array([one.index for one in FLOW1.features if one.unit.endswith("/s")])
    return Lesson(table(600, 1), table(300, 2), times=times, rates=rates)
