"""Explanations held against experiment: what the score loses when one feature becomes an ordinary one.

For an alert each feature in turn is set to its benign median and the log-odds of the score computed
again: the drop is what that feature alone held up (occlusion; Zeiler and Fergus, 2014). It is no truth:
of two features that say the same, neither can be missed alone. But a list of reasons that has
nothing to do with it explains nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporter.graph import run
from sensor.detector.scoring import without_output
from sensor.detector.session import Session

ALERTS: Final = 200
TOP: Final = 3
"""Reasons that an alert names."""
_SMALLEST: Final = 1e-37

Rows = NDArray[np.float32]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How contributions and occlusion agree over some alerts.

    `rank_correlation` is the median over the alerts of Spearman's between the two, over the features
    that either of them gives something; `top_share` is the share of alerts of which the feature whose
    occlusion costs most is among the three largest contributions. Each is None where no alert can be
    judged by it: the one where no alert has three features at work that occlusion tells apart, the other
    where no feature's occlusion costs any alert anything.
    """

    alerts: int
    rank_correlation: float | None
    top_share: float | None


def agreement(data: bytes, rows: Rows, medians: Rows, threshold: float, count: int = ALERTS) -> Agreement:
    """Return how a bundle's contributions agree with occlusion on raw rows, float32 (n, k).

    Of the rows those count that score at or above `threshold`; of fewer than a tenth of `count`, the
    highest instead; of more than `count`, that many spread evenly. `medians` are the bundle's, (k,).
    """
    session = Session(without_output(data, "contributions"), ("score", "classes"))
    score = session.run(rows)[0]
    alerts = np.flatnonzero(score >= threshold)
    if len(alerts) < min(count // 10, len(rows)):
        alerts = np.sort(np.argsort(-score, kind="stable")[:count])
    alerts = alerts[np.linspace(0, len(alerts) - 1, min(count, len(alerts))).round().astype(np.int64)]
    drops = occluded(log_odds(session), rows[alerts], medians)
    return compared(run(data, rows[alerts]).contributions.astype(np.float64), drops)


def log_odds(session: Session) -> Callable[[Rows], Matrix]:
    """Return what computes the log-odds (n,) of the score for raw rows (n, k), of a session that only scores."""

    def of(rows: Rows) -> Matrix:
        score, classes = session.run(rows)
        attack, benign = (np.maximum(part.astype(np.float64), _SMALLEST) for part in (score, classes[:, 0]))
        return np.asarray(np.log(attack) - np.log(benign))

    return of


def occluded(odds: Callable[[Rows], Matrix], rows: Rows, medians: Rows) -> Matrix:
    """Return (n, k): what the log-odds of each row lose when one feature becomes its benign median."""
    whole = odds(rows)
    drops = np.zeros(rows.shape)
    for feature in range(rows.shape[1]):
        changed = np.flatnonzero(rows[:, feature] != medians[feature])
        other = rows[changed]
        other[:, feature] = medians[feature]
        drops[changed, feature] = whole[changed] - odds(other)
    return drops


def compared(contributions: Matrix, drops: Matrix) -> Agreement:
    """Return how contributions and drops, both (n, k), agree; alerts that cannot be judged by a figure are left out.

    Equal contributions where the drops differ are no agreement, and count as a correlation of 0; equal drops put the
    features in no order that contributions could agree with.
    """
    correlations, within = [], []
    for given, lost in zip(contributions, drops, strict=True):
        if lost.max(initial=0) > 0:
            within.append(int(np.argmax(lost)) in np.argsort(-given, kind="stable")[:TOP])
        some = (given != 0) | (lost != 0)
        if some.sum() > 2 and np.ptp(lost[some]) > 0:
            correlations.append(spearman(given[some], lost[some]))
    return Agreement(
        alerts=len(drops),
        rank_correlation=float(np.median(correlations)) if correlations else None,
        top_share=float(np.mean(within)) if within else None,
    )


def spearman(one: Matrix, other: Matrix) -> float:
    """Return Spearman's rank correlation of two rows, equal values sharing the mean rank; 0 where one is constant."""
    first, second = (_ranks(values) for values in (one, other))
    first, second = first - first.mean(), second - second.mean()
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size > 0 else 0.0


def _ranks(values: Matrix) -> Matrix:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return np.asarray((last - (counts - 1) / 2)[place])
