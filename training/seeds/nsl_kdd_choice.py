"""How a detector is chosen for NSL-KDD without its test file: kinds of attack left out, unlike normal rows held out.

Test rows differ from train rows in two ways: many are of attack types that train does not have, and
the normal ones were seen on other days. So a fifth of the attack types is left out of learning at a
time and recall is counted on these alone, and the normal rows that set the threshold are whole
clusters that the detector has not seen, not near-copies of rows it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets.benchmark import Benchmark
from training.seeds.nsl_kdd_figures import BUDGETS, tpr_at
from training.seeds.nsl_kdd_inputs import tamed
from training.seeds.nsl_kdd_models import Detector

FOLDS = 5
CLUSTERS = 300
ROWS_OF_A_TYPE = 400
"""Of a type with more rows than this so many are drawn: floods repeat themselves."""
Rows = npt.NDArray[np.int64]


def folds(train: Benchmark, seed: int = 0) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Yield row numbers: to learn from, normal rows held out, and attacks of the types left out.

    The types of every kind of attack go round the folds; clusters of normal rows go, largest first,
    to the fold with the fewest rows.
    """
    rng = np.random.default_rng(seed)
    normal = np.flatnonzero(train.benign)
    cluster = _clusters(train.rows(normal), seed)
    sizes = np.bincount(cluster)
    home = np.zeros(len(sizes), dtype=np.int64)
    filled = np.zeros(FOLDS)
    for number in np.argsort(-sizes, kind="stable"):
        home[number] = np.argmin(filled)
        filled[home[number]] += sizes[number]
    attacks: list[tuple[int, Rows]] = []
    for kind in np.unique(train.category[train.attack]):
        types = rng.permutation(np.unique(train.label[train.category == kind]))
        for place, label in enumerate(types):
            rows = rng.permutation(np.flatnonzero(train.label == label))[:ROWS_OF_A_TYPE]
            attacks.append((place % FOLDS, rows))
    for fold in range(FOLDS):
        held = home[cluster] == fold
        left = [rows for place, rows in attacks if place == fold]
        kept = [rows for place, rows in attacks if place != fold]
        if left and held.any():
            yield np.concatenate([normal[~held], *kept]), normal[held], np.concatenate(left)


def recall(train: Benchmark, detector: Detector, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return recall on types left out, by budget: two means, and each kind of attack.

    `kinds` is the mean over kinds of attack; within a kind a type counts by the root of its rows: one
    row decides nothing, a flood not all. `rows` is the mean over types, each counting by its rows in
    the training file, as the share of attacks found in a test file counts them.
    """
    found: dict[str, list[_Reached]] = {f"{rate:g}": [] for rate in BUDGETS}
    for learnt, held, left in folds(train, seed):
        score = detector.fit(train.rows(learnt), seed)
        quiet, asked = score(train.rows(held)), train.rows(left)
        scores = score(asked)
        for rate in BUDGETS:
            for label in np.unique(asked.label):
                own = asked.label == label
                kind = str(asked.category[own][0])
                reached = tpr_at(quiet, scores[own], rate)
                found[f"{rate:g}"].append(_Reached(kind, reached, int(own.sum()), int((train.label == label).sum())))
    return {rate: _means(types) for rate, types in found.items()}


@dataclass(frozen=True, slots=True)
class _Reached:
    """Recall of one type, on so many rows, of so many that the training file has."""

    kind: str
    recall: float
    rows: int
    of: int


def _means(types: Sequence[_Reached]) -> dict[str, float]:
    kinds = {}
    for kind in sorted({one.kind for one in types}):
        own = [one for one in types if one.kind == kind]
        kinds[kind] = float(np.average([one.recall for one in own], weights=np.sqrt([one.rows for one in own])))
    by_rows = float(np.average([one.recall for one in types], weights=[one.of for one in types]))
    return {"kinds": float(np.mean(list(kinds.values()))), "rows": by_rows, **kinds}


def _clusters(normal: Benchmark, seed: int) -> npt.NDArray[np.int64]:
    """Return (n,) the cluster of each normal row among the tamed inputs."""
    from sklearn.cluster import MiniBatchKMeans

    count = max(FOLDS, min(CLUSTERS, len(normal) // 8))
    means = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=1024)
    return np.asarray(means.fit_predict(tamed(normal).apply(normal)), dtype=np.int64)
