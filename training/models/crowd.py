"""What hosts were doing, had there been more of it or less: context of flows at another intensity."""

import re
from typing import Final

import numpy as np

from training.models.candidate import Floats, Lesson

MOST_DISTINCT: Final = 310.0
"""Of a distinct count in the context: 64 buckets tell no more apart."""
QUIETER: Final = 5.0
"""Benign hosts are up to so many times quieter or busier than those that were recorded."""
_COUNTED: Final = re.compile(
    r"(src|dst|pair)_(conns|fails)_\d+s|(src|dst|pair)_open|pair_(fwd|bwd)_bytes_\d+s|pair_done"
)
_DISTINCT: Final = re.compile(r"(src|dst|pair)_(peers|ports)_\d+s")
_GAP: Final = "pair_gap_mean"


def busier(rows: Floats, lesson: Lesson, most: float, seed: int) -> Floats:
    """Return (n, k) a copy of the lesson's raw train rows in which hosts do more of what they do, or less.

    One factor a flow: log uniform from 1 to `most` for an attack, as the same tool run harder or by
    more hosts, from 1/5 to 5 for a benign flow. Damped counts and open connections grow by it,
    distinct counts above one too, up to what a sketch can tell; gaps between connections shrink.
    Shares, means and variations stay. Features without a context stay as they are. A lab attacks
    with hundreds of packets what others flood with millions.
    """
    names = lesson.train.feature_names
    counted = [at for at, name in enumerate(names) if _COUNTED.fullmatch(name)]
    distinct = [at for at, name in enumerate(names) if _DISTINCT.fullmatch(name)]
    gap = [at for at, name in enumerate(names) if name == _GAP]
    if not counted:
        return rows.copy()
    drawn = np.random.default_rng(seed + 3).random(len(rows))
    quiet, loud = np.log(QUIETER), np.log(most)
    factor = np.exp(np.where(lesson.train.benign, (2 * drawn - 1) * quiet, drawn * loud)).astype(np.float32)
    changed = rows.copy()
    changed[:, counted] *= factor[:, None]
    several = rows[:, distinct] > 1.5
    changed[:, distinct] = np.where(
        several, np.minimum(rows[:, distinct] * factor[:, None], MOST_DISTINCT), rows[:, distinct]
    )
    changed[:, gap] /= factor[:, None]
    return changed
