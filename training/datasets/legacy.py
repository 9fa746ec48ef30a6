"""What the first releases of CICIDS2017 and CSE-CIC-IDS2018 have wrong alike, put right and counted."""

from typing import TYPE_CHECKING

import numpy as np

from sensor.errors import NettrusionError
from training.datasets.manifest import Manifest
from training.datasets.tables import LABEL

if TYPE_CHECKING:
    import pandas as pd

TEXTS = frozenset(("Flow ID", "Source IP", "Destination IP", "Src IP", "Dst IP", "Timestamp", LABEL))
ERRATA = (
    "eight flag columns are bits of a flow's first packet under permuted names: PSH is SYN, URG is FIN, FIN is RST",
    "six bulk columns are always 0, four subflow columns and two of segment sizes are copies",
    "any FIN ends a flow, so that the packets after it make flows of their own (about one in four rows)",
    "Ethernet padding counts as payload: six bytes for a bare acknowledgement",
    "flows without an attack's payload keep the attack's label (`attempted` in the corrected release)",
)
"""Known from the program that made them (CICFlowMeter of early 2018) and from its critics: Engelen
et al. (WTMC 2021), Liu et al. (CNS 2022), Rosay et al. (WI-IAT 2021), Lanvin et al. (CRiSIS 2022)."""


def mended(frame: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the chunk with numbers in every column of numbers; flaws are counted, by row.

    `Infinity`, NaN and negative values stay: the feature set's own rule gives each its `undefined`.

    Raises:
        NettrusionError: a cell of numbers holds something else; it names column and cell.
    """
    numeric = [name for name in frame.columns if name not in TEXTS]
    values = frame.assign(**{name: _numbers(frame[name]) for name in numeric})
    table = values[numeric].to_numpy(dtype=np.float64)
    manifest.mend(
        "Infinity or NaN in a row: the feature's undefined value", int((~np.isfinite(table)).any(axis=1).sum())
    )
    below = {
        "Flow Duration": "a negative duration, from packets out of order",
        "Header Len": "a negative header length, from an overflow",
        "min_seg_size_forward": "a negative header length, from an overflow",
        "Fwd Seg Size Min": "a negative header length, from an overflow",
    }
    for flaw in dict.fromkeys(below.values()):
        own = [name for name in numeric for part, said in below.items() if said == flaw and part in name]
        manifest.mend(flaw, int((values[own] < 0).any(axis=1).sum()))
    broken = values[LABEL].str.contains("\ufffd", regex=False)
    manifest.mend("a label with a byte that is no UTF-8, read as a dash", int(broken.sum()))
    return values


def _numbers(column: "pd.Series[str]") -> "pd.Series[float]":
    import pandas as pd

    try:
        return pd.to_numeric(column).astype(np.float64)
    except (ValueError, TypeError) as problem:
        raise NettrusionError(f"column {column.name!r}: {problem}; give the file as it was published") from None
