"""The CSVs of CICIDS2017 as first published, in both shapes.

`GeneratedLabelledFlows` has 85 columns with addresses and times of a twelve-hour clock in the lab's
zone; `MachineLearningCVE` has 79 of them, without protocol, addresses and times. Variant `legacy`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import legacy
from training.datasets.clock import twelve_hours
from training.datasets.manifest import Manifest
from training.datasets.table import Loaded
from training.datasets.tables import Ends, Release

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

NAME = "cicids2017-original"
UTC_OFFSET_H = -3
"""Atlantic daylight time, in which the lab at Fredericton kept its clock."""
ENDS = Ends(("Source IP", "Destination IP"), ("Source Port", "Destination Port"))
HEADER_LENGTH, AGAIN = "Fwd Header Length", "Fwd Header Length.1"
DAYS = {
    name: int(np.datetime64(f"2017-07-{number:02}T12:00", "ns").astype(np.int64))
    for number, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday"), 3)
}
END = int(np.datetime64("2017-07-08", "ns").astype(np.int64))
ERRATA = (
    "CICIDS2017 as published in 2017: blanks before the names, the column Fwd Header Length twice",
    "times have twelve hours without AM or PM, in the lab's zone (UTC-3), mostly without seconds: hours 1 to 7 are"
    " taken for the afternoon; the order within a minute is that of the file",
    "MachineLearningCVE has neither protocol, addresses nor times: rows get the noon of the file's day, in its order,"
    " the protocol is undefined, and a port stands for the pair of hosts, so that a split cannot keep hosts apart",
    "scans of Thursday and Friday are partly labelled benign (Lanvin et al., CRiSIS 2022)",
    *legacy.ERRATA,
)


def times(frame: "pd.DataFrame", path: Path, manifest: Manifest) -> npt.NDArray[np.int64]:
    """Return (n,) nanoseconds since 1970, UTC.

    Raises NettrusionError when a file has no times and its name does not tell the day.
    """
    if "Timestamp" in frame:
        time_ns, moved = twelve_hours(frame["Timestamp"], UTC_OFFSET_H)
        manifest.mend("a time of twelve hours without AM or PM: taken for the afternoon", int(moved.sum()))
        return time_ns
    day = next((noon for name, noon in DAYS.items() if path.name.lower().startswith(name)), None)
    if day is None:
        raise NettrusionError(f"{path}: has no times and no day in its name; call it as published: Monday-...csv")
    manifest.mend("no time: the noon of the file's day", len(frame))
    return np.asarray(day + frame.index.to_numpy(dtype=np.int64) * 1000)


def mend(frame: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return a chunk with numbers for numbers, one Fwd Header Length and a protocol, undefined if need be."""
    frame = legacy.mended(frame, manifest)
    if AGAIN in frame:
        differ = int((frame[HEADER_LENGTH] != frame[AGAIN]).sum())
        manifest.mend("Fwd Header Length a second time: left out", len(frame))
        manifest.mend("Fwd Header Length and its copy differ: the first is taken", differ)
        frame = frame.drop(columns=AGAIN)
    if ENDS.protocol not in frame:
        manifest.mend("no protocol: undefined", len(frame))
        frame = frame.assign(**{ENDS.protocol: np.nan})
    return frame


RELEASE = Release(
    title="CICIDS2017 as first published",
    label_rule="column Label, lower case; infiltration and heartbleed are tested, never learnt",
    errata=ERRATA,
    needed=frozenset(("Destination Port", "Flow Duration", "Total Fwd Packets", "min_seg_size_forward", "Label")),
    feature_sets={"cic2022": ("legacy",)},
    ends=ENDS,
    port="Destination Port",
    times=times,
    mend=mend,
    days=(min(DAYS.values()) - 12 * 3_600_000_000_000, END),
    year_names={2017: (NAME, "CICIDS2017 as first published, one lab network of 2017")},
)


def find(place: Path) -> list[Path]:
    """Return the CSVs of the release below a folder, or the file itself if it is one."""
    return RELEASE.find(place)


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read the release, see `Release.load` for the arguments and errors."""
    return RELEASE.load(places, feature_set, variant, row_limit)
