"""Can a classifier tell two origins apart? The two-sample test by gradient boosting, and what gave it away.

Both sides weigh the same. Folds keep clusters whole: what is learnt on some captures, or some hosts'
hours, is asked about others. A ROC-AUC of 0.5 says that nobody can tell; real networks among
themselves, the same test, say how low it can honestly get.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.models.reproducible import one_thread
from training.realism.sample import Sample

FOLDS = 5
SIDE_FLOWS = 2_000
"""At most so many flows a side, drawn by weight."""
Floats = npt.NDArray[np.float64]
Scorer = Callable[[npt.NDArray[np.float32]], Floats]


@dataclass(frozen=True, slots=True)
class Telltale:
    """How well two origins are told apart.

    `auc` is the ROC-AUC of predictions for folds that were not learnt; `by_feature` is what it loses
    when a feature's values are shuffled (largest first), `alone` the ROC-AUC of each feature by itself.
    """

    auc: float
    flows: tuple[int, int]
    clusters: tuple[int, int]
    by_feature: dict[str, float]
    alone: dict[str, float]


def tell(
    one: Sample,
    other: Sample,
    names: Sequence[str],
    excluded: Sequence[str] = (),
    *,
    seed: int = 0,
    explained: bool = False,
) -> Telltale:
    """Return how well two samples are told apart by the features that are not excluded.

    Raises:
        NettrusionError: a side has fewer clusters than there are folds.
    """
    rng = np.random.default_rng(seed)
    sides = [_drawn(side, rng) for side in (one, other)]
    counts = tuple(len(np.unique(side.cluster)) for side in sides)
    if min(counts) < FOLDS:
        raise NettrusionError(
            f"{min(counts)} captures or hosts' hours on one side of a comparison, {FOLDS} are needed; record more"
        )
    kept = np.flatnonzero(~np.isin(np.array(names), list(excluded)))
    rows = np.concatenate([side.features[:, kept] for side in sides])
    truth = np.repeat([0, 1], [len(side) for side in sides])
    weight = np.concatenate([side.weight / side.weight.sum() for side in sides]) * len(rows) / 2
    fold = np.concatenate([_folds(side.cluster, side.weight, rng) for side in sides])
    columns = [names[place] for place in kept.tolist()]
    score, lost = np.zeros(len(rows)), np.zeros(len(columns))
    with one_thread():
        for number in range(FOLDS):
            held = fold == number
            model = _fit(rows[~held], truth[~held], weight[~held], seed)
            score[held] = model(rows[held])
            if explained:
                lost += _lost(model, rows[held], truth[held], weight[held], rng) / FOLDS
    order = np.argsort(-lost, kind="stable") if explained else np.array([], dtype=np.int64)
    alone = {name: _auc(truth, rows[:, place], weight) for place, name in enumerate(columns)} if explained else {}
    return Telltale(
        auc=_auc(truth, score, weight),
        flows=(len(sides[0]), len(sides[1])),
        clusters=(counts[0], counts[1]),
        by_feature={columns[place]: float(lost[place]) for place in order},
        alone=dict(sorted(alone.items(), key=lambda pair: -abs(pair[1] - 0.5))),
    )


def halves(sample: Sample, seed: int) -> tuple[Sample, Sample]:
    """Return a sample cut in two by whole clusters, at random."""
    clusters = np.unique(sample.cluster)
    first = np.random.default_rng(seed).permutation(clusters)[: len(clusters) // 2]
    mask = np.isin(sample.cluster, first)
    return sample.rows(mask), sample.rows(~mask)


def _drawn(sample: Sample, rng: np.random.Generator) -> Sample:
    """Return at most SIDE_FLOWS flows, drawn by weight; what is drawn counts alike then."""
    if len(sample) <= SIDE_FLOWS:
        return sample
    chosen = rng.choice(len(sample), SIDE_FLOWS, replace=False, p=sample.weight / sample.weight.sum())
    drawn = sample.rows(np.sort(chosen))
    return Sample(drawn.flows, drawn.features, drawn.group, drawn.cluster, np.ones(len(drawn)))


def _folds(cluster: npt.NDArray[np.int64], weight: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Give whole clusters to folds, the heaviest first, each to the fold that holds least."""
    names, member = np.unique(cluster, return_inverse=True)
    mass = np.bincount(member, weights=weight)
    shuffled = rng.permutation(len(names))
    held, home = np.zeros(FOLDS), np.zeros(len(names), dtype=np.int64)
    for place in shuffled[np.argsort(-mass[shuffled], kind="stable")]:
        home[place] = np.argmin(held)
        held[home[place]] += mass[place]
    return home[member]


def _fit(rows: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], weight: Floats, seed: int) -> Scorer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, max_bins=63, min_samples_leaf=20, early_stopping=False, random_state=seed
    )
    model.fit(rows, truth, sample_weight=weight)
    return lambda asked: np.asarray(model.decision_function(asked), dtype=np.float64)


def _lost(
    model: Scorer,
    rows: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    weight: Floats,
    rng: np.random.Generator,
) -> Floats:
    whole = _auc(truth, model(rows), weight)
    lost = np.zeros(rows.shape[1])
    for column in range(rows.shape[1]):
        shuffled = rows.copy()
        shuffled[:, column] = rng.permutation(rows[:, column])
        lost[column] = whole - _auc(truth, model(shuffled), weight)
    return lost


def _auc(truth: npt.NDArray[np.int64], score: npt.NDArray[np.floating], weight: Floats) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, score, sample_weight=weight))
