"""Pictures are small PNGs that repeat bit for bit."""

import numpy as np
import pytest

from training.report import pictures

RNG = np.random.default_rng(0)
BENIGN = np.arange(200) < 150
SCORE = RNG.normal(size=200) + ~BENIGN * 2
HISTORY = {key: [0.9, 0.5, 0.4] for key in ("loss", "val_loss", "accuracy", "val_accuracy")}

DRAW = {
    "curves": lambda path: pictures.curves(path, [HISTORY, HISTORY]),
    "curves without accuracy": lambda path: pictures.curves(path, [{"loss": [1.0], "val_loss": [1.1]}]),
    "confusion": lambda path: pictures.confusion(path, np.array([0, 1, 1]), np.array([0, 1, 0]), ["benign", "dos"]),
    "distribution": lambda path: pictures.distribution(
        path, {"benign": SCORE[BENIGN], "dos": SCORE[~BENIGN]}, 0.5, "score"
    ),
    "roc": lambda path: pictures.roc_and_pr(
        path, BENIGN, np.ones(200), {"dense": SCORE, "stump": -SCORE}, {0.1: 1.5, 0.01: 2.5}, "dense"
    ),
    "grid": lambda path: pictures.grid(path, np.array([[0.5, np.nan], [1.0, 0.0]]), ["a", "b"], ["c", "d"], "AUC"),
    "reliability": lambda path: pictures.reliability(path, 1 / (1 + np.exp(-SCORE)), ~BENIGN, np.ones(200)),
    "bars": lambda path: pictures.bars(path, {"portscan": 0.9, "benign: web": 0.01}, "share"),
}


@pytest.mark.parametrize("name", sorted(DRAW))
def test_a_picture_is_a_small_png_and_repeats(name, tmp_path):
    one, other = DRAW[name](tmp_path / "one.png"), DRAW[name](tmp_path / "other.png")
    data = one.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert 2_000 < len(data) < 100_000
    assert data == other.read_bytes()
