"""What the rulebook gives out: which flow becomes which alert, and how many stood behind one."""

from dataclasses import dataclass

import numpy as np

from sensor.rulebook.rule import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One alert to write, or, with `update`, a later word on how many flows one alert stood for.

    `row` is the flow's row in the batch that was judged; an update has no row of its own and has -1.
    `flow` is a copy of the flow record, FLOW_DTYPE; of an update, that of the last flow that was
    told of. `score_permille` and `class_name` are that flow's. `count` is how many flows the incident
    has so far, `first_ns` and `last_ns` are when the earliest and the latest of them ended.
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
