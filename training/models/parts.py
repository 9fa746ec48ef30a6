"""The parts of a flow's features: statistics, first packets, what its hosts have been doing.

Published rows have statistics alone: where nobody kept the packets or counted, the columns of a part
are all zero. A part says by one column whether a row has it: `pkt01_size` is 0 only without a first
packet, `src_conns_600s` only where nobody counted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.models.candidate import Floats

Columns = npt.NDArray[np.int64]

FIRST_PACKET: Final = "pkt01_size"
COUNTED: Final = "src_conns_600s"
_PACKET: Final = re.compile(r"pkt(\d\d)_(\w+)")
_HOSTS: Final = ("src_", "dst_", "pair_")


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The columns of each part; a part that a feature set lacks has none.

    `sequence` is (packets, channels): a packet's columns side by side, packets one behind the other,
    the same channels in each, the size first. `counted` is the column that says whether a row has a
    context, None without one.
    """

    stat: Columns
    sequence: Columns
    context: Columns
    counted: int | None

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        """Return the parts of features by their names; raises NettrusionError where packets do not lie so."""
        told = [_PACKET.fullmatch(name) for name in names] if FIRST_PACKET in names else []
        packets = [match for match in told if match]
        sequence = _table(packets, [at for at, match in enumerate(told) if match])
        hosts = [at for at, name in enumerate(names) if COUNTED in names and name.startswith(_HOSTS)]
        stat = np.setdiff1d(np.arange(len(names)), [*sequence.ravel(), *hosts])
        counted = names.index(COUNTED) if COUNTED in names else None
        return cls(stat, sequence, np.array(hosts, np.int64), counted)

    def has_sequence(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Return (n,) whether raw rows (n, k) come with their first packets."""
        if not self.sequence.size:
            return np.zeros(len(rows), bool)
        return np.asarray(rows[:, self.sequence[0, 0]] != 0)

    def has_context(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Return (n,) whether somebody kept count of the hosts of raw rows (n, k)."""
        if self.counted is None:
            return np.zeros(len(rows), bool)
        return np.asarray(rows[:, self.counted] != 0)


def _table(packets: Sequence[re.Match[str]], columns: Sequence[int]) -> Columns:
    """Return the columns as (packets, channels), having looked that they lie so."""
    if not packets:
        return np.zeros((0, 0), np.int64)
    channels = [match[2] for match in packets if match[1] == "01"]
    wanted = [f"pkt{1 + at // len(channels):02}_{channels[at % len(channels)]}" for at in range(len(packets))]
    together = list(columns) == list(range(columns[0], columns[0] + len(columns)))
    if [match[0] for match in packets] != wanted or channels[0] != "size" or not together:
        raise NettrusionError(
            "the features of the first packets do not lie packet by packet, side by side, each with the same"
            " channels and the size first; a model of the sequence needs them so"
        )
    return np.array(columns, np.int64).reshape(-1, len(channels))
