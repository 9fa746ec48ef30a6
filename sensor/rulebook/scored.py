"""What the rulebook takes in: a batch of flows with the detector's words about each."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sensor.flows import pick


@dataclass(frozen=True, slots=True)
class ScoredFlows:
    """A batch of n finished flows and their scores; row i of everything is the same flow.

    `flows` is FLOW_DTYPE[n]. `score_permille` is int64[n], 0 to 1000. `above` is bool[n]: the score
    reached the threshold, which is `threshold_permille`. `class_index` is int64[n], the likeliest attack
    class, an index into `class_names`. `budget_rank` is int64[n]: how many of a million benign flows
    score as high. `app_proto` names each flow's application protocol as Suricata does, None where it
    is not known; the whole is None for a source that never knows. `score_ppm` is int64[n], the score in
    millionths, and `model` the first 32 bits of the model's hash: rules do not ask for them, events tell them.
    """

    flows: NDArray[np.void]
    score_permille: NDArray[np.int64]
    above: NDArray[np.bool_]
    class_index: NDArray[np.int64]
    class_names: tuple[str, ...]
    budget_rank: NDArray[np.int64]
    threshold_permille: int
    app_proto: tuple[str | None, ...] | None = None
    score_ppm: NDArray[np.int64] | None = None
    model: int | None = None

    def __len__(self) -> int:
        """Return how many flows there are."""
        return len(self.flows)

    def take(self, rows: NDArray[np.intp]) -> "ScoredFlows":
        """Return a batch of some rows alone, copied."""
        return replace(
            self,
            flows=pick(self.flows, rows),
            score_permille=self.score_permille[rows],
            above=self.above[rows],
            class_index=self.class_index[rows],
            budget_rank=self.budget_rank[rows],
            app_proto=None if self.app_proto is None else tuple(self.app_proto[row] for row in rows.tolist()),
            score_ppm=None if self.score_ppm is None else self.score_ppm[rows],
        )
