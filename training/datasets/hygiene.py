"""Rows whose label contradicts what else the data set says of the same moment."""

import numpy as np
import numpy.typing as npt

from training.datasets.table import FlowTable

REASON = "labelled benign between attacker and victim while the attack ran"


def doubtful(table: FlowTable) -> npt.NDArray[np.bool_]:
    """Return (n,) true for benign rows between the hosts of an attack, during that attack.

    The release labels by 5-tuple and time; an attack flow whose first packet was missed or reused
    is recorded the other way round (the victim's closed port "opens" it) and keeps the label
    benign. A handful of such rows among thousands decides a threshold at one in a thousand.
    """
    attack = ~table.benign
    found = np.zeros(len(table), dtype=bool)
    for instance in np.unique(table.instance[attack]):
        rows = attack & (table.instance == instance)
        during = (table.time_ns >= table.time_ns[rows].min()) & (table.time_ns <= table.time_ns[rows].max())
        found |= during & table.benign & np.isin(table.pair_key, table.pair_key[rows])
    return found
