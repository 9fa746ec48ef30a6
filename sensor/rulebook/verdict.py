"""What the rulebook gives out: which flow becomes which alert, and how many stood behind one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sensor.rulebook.rule import Rule

Crowd = Literal["", "by_dst", "by_rule"]
"""What so many incidents had in common that they are told as one; nothing in an incident of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One alert to write, or, with `update`, a later word on how many flows one alert stood for.

    `row` is the flow's row in the batch that was judged; an update has no row of its own and has -1.
    `flow` is a copy of the flow record, FLOW_DTYPE; of an update, the latest of the flow that was
    told of. `class_name` and `score_permille` are of its highest score. `count` is how many flows the
    incident has so far, `first_ns` and `last_ns` are when the earliest and the latest record of them
    ended. `crowd` says what a crowd of incidents is grouped by. `sources` estimates how many sources an
    incident has that is not of one source, 0 in one that is.
    """

    row: int
    rule: Rule
    count: int
    first_ns: int
    last_ns: int
    update: bool
    flow: np.void
    score_permille: int
    class_name: str
    crowd: Crowd = ""
    sources: int = 0
