"""Rows in the shape of NSL-KDD, made here: normal ones of two services, attacks of four types."""

from pathlib import Path

import numpy as np

from training.datasets.benchmark import Benchmark
from training.datasets.nsl_kdd import COLUMNS, read
from training.seeds.nsl_kdd import HARD, TEST, TRAIN

TYPES = {"neptune": "S0", "smurf": "SF", "satan": "REJ", "guess_passwd": "RSTO"}


def write(folder: Path, normal: int = 120, attacks: int = 15) -> Path:
    """Write the three files of NSL-KDD with so many normal rows, and attacks of each type; return the folder."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate((TRAIN, TEST, HARD)):
        rng = np.random.default_rng(number)
        lines = [_normal(rng, place) for place in range(normal)]
        lines += [_attack(rng, label, place) for label in TYPES for place in range(attacks)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def train(folder: Path, normal: int = 120, attacks: int = 15) -> Benchmark:
    """Return the training file of `write`."""
    return read([write(folder, normal, attacks) / TRAIN])


def _normal(rng: np.random.Generator, place: int) -> str:
    web = place % 2 == 0
    return _line(
        "normal",
        service="http" if web else "smtp",
        flag="SF",
        src_bytes=int(rng.lognormal(5.5, 0.4)),
        dst_bytes=int(rng.lognormal(8 if web else 6, 0.5)),
        logged_in=1,
        count=int(rng.integers(1, 20)),
        same_srv_rate=1,
        dst_host_count=int(rng.integers(1, 255)),
        dst_host_same_srv_rate=round(float(rng.uniform(0.8, 1)), 2),
    )


def _attack(rng: np.random.Generator, label: str, place: int) -> str:
    return _line(
        label,
        service="private",
        flag=TYPES[label],
        count=int(rng.integers(100, 511)),
        serror_rate=1 if label == "neptune" else 0,
        rerror_rate=1 if label == "satan" else 0,
        num_failed_logins=1 + place % 3 if label == "guess_passwd" else 0,
        src_bytes=1032 if label == "smurf" else 0,
        dst_host_count=255,
    )


def _line(label: str, **values: object) -> str:
    row = dict.fromkeys(COLUMNS, "0") | {"protocol_type": "tcp"} | {name: str(value) for name, value in values.items()}
    return ",".join([*row.values(), label, "21"])
