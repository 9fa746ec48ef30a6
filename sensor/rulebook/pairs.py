"""What incidents are made of: flows of a batch with the rules that they met."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from sensor.flows import Reason
from sensor.rulebook.distinct import slots_of
from sensor.rulebook.keys import Keys
from sensor.rulebook.plan import Matches
from sensor.rulebook.scored import ScoredFlows


@dataclass(frozen=True, slots=True)
class Pairs:
    """Flows that rules are about to tell of, in the order in which they are to be counted.

    Pair i is the flow at `rows[i]` of the batch and the rule at `places[i]` of the rules. It belongs to
    the incident `keys[i]`, which names the rule too, or to the crowd `crowds[i]` of its destination.
    `times_ns[i]` is when the flow ended, `clocks_ns[i]` the latest time seen by then, which never falls
    from one pair to the next, in one batch or in two. `again[i]` says that there were records of
    the flow `flow_ids[i]` before, `more[i]` that others will come. `sources[i]` is a slot of `Distinct`.
    """

    judged: ScoredFlows
    rows: Sequence[int]
    places: Sequence[int]
    keys: Sequence[bytes]
    crowds: Sequence[bytes]
    times_ns: Sequence[int]
    clocks_ns: Sequence[int]
    flow_ids: Sequence[int]
    again: Sequence[bool]
    more: Sequence[bool]
    sources: Sequence[int]

    @classmethod
    def of(cls, judged: ScoredFlows, matches: Matches, keys: Keys, clock_ns: int) -> Self:
        """Return the pairs of a batch; `clock_ns` is the latest time seen before it."""
        rows, places = matches.rows, matches.places
        flows = judged.flows
        ends_ns, reasons = flows["end_ns"], flows["reason"][rows]
        clocks_ns = np.maximum(np.maximum.accumulate(ends_ns), clock_ns)
        return cls(
            judged,
            rows=rows.tolist(),
            places=places.tolist(),
            keys=keys.of(judged, rows, places),
            crowds=keys.crowds(judged, rows, places),
            times_ns=ends_ns[rows].tolist(),
            clocks_ns=clocks_ns[rows].tolist(),
            flow_ids=flows["flow_id"][rows].tolist(),
            again=(flows["part"][rows] > 0).tolist(),
            more=((reasons == Reason.SNAPSHOT) | (reasons == Reason.ACTIVE)).tolist(),
            sources=slots_of(flows["src"][rows]),
        )
