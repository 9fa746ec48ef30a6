"""The CSVs of CSE-CIC-IDS2018 as first published: 80 columns without addresses, one file of 84 with them.

Header lines stand again between the rows, rates are `Infinity` or `NaN`, times have a twelve-hour
clock. Variant `legacy`. The corrected release is read by `cicids2017`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.datasets import legacy
from training.datasets.clock import twelve_hours
from training.datasets.manifest import Manifest
from training.datasets.table import Loaded
from training.datasets.tables import Ends, Release

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

NAME = "cse-cic-ids2018-original"
UTC_OFFSET_H = -4
"""Atlantic standard time, of February at Fredericton: inferred from the published times of the attacks."""
ERRATA = (
    "CSE-CIC-IDS2018 as published in 2018; nine of its ten files have no addresses: there a port in one hour stands"
    " for the pair of hosts, so that a split cannot keep hosts apart",
    "times have twelve hours without AM or PM, in the lab's zone (taken for UTC-4): hours 1 to 7 are taken for the"
    " afternoon; rows of 1970 and of other days occur",
    "the permutation of the flags is inferred from the program's age, it was not checked on this release",
    *legacy.ERRATA,
)


def times(frame: "pd.DataFrame", path: Path, manifest: Manifest) -> npt.NDArray[np.int64]:
    """Return (n,) nanoseconds since 1970, UTC."""
    time_ns, moved = twelve_hours(frame["Timestamp"], UTC_OFFSET_H)
    manifest.mend("a time of twelve hours without AM or PM: taken for the afternoon", int(moved.sum()))
    return time_ns


RELEASE = Release(
    title="CSE-CIC-IDS2018 as first published",
    label_rule="column Label, lower case, by the names of CICIDS2017; infiltration is tested, never learnt",
    errata=ERRATA,
    needed=frozenset(("Dst Port", "Protocol", "Timestamp", "Flow Duration", "Tot Fwd Pkts", "Flow Byts/s", "Label")),
    feature_sets={"cic2022": ("legacy",)},
    ends=Ends(("Src IP", "Dst IP"), ("Src Port", "Dst Port")),
    port="Dst Port",
    times=times,
    mend=legacy.mended,
    days=(
        int(np.datetime64("2018-02-14T04", "ns").astype(np.int64)),
        int(np.datetime64("2018-03-03T04", "ns").astype(np.int64)),
    ),
    year_names={2018: (NAME, "CSE-CIC-IDS2018 as first published, one lab network of 2018")},
)


def find(place: Path) -> list[Path]:
    """Return the CSVs of the release below a folder, or the file itself if it is one."""
    return RELEASE.find(place)


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read the release, see `Release.load` for the arguments and errors."""
    return RELEASE.load(places, feature_set, variant, row_limit)
