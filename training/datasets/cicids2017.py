"""The corrected CICIDS2017 and CSE-CIC-IDS2018 CSVs: the full downloads, or samples of them by class.

The releases are those of Engelen et al. (WTMC 2021) and Liu et al. (CNS 2022): flows cut by a
repaired CICFlowMeter, labels by payload, 91 columns, the same headers for both years. Which year a
row is of, its time says.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.datasets.manifest import Manifest
from training.datasets.table import Loaded
from training.datasets.tables import LABEL, Ends, Release

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

NAME = "cicids2017"
"""What the release of 2017 is called as a source of rows, in the lists of a split by days too."""
NAME_2018 = "cse-cic-ids2018"
KEY = ("Flow ID", "Timestamp", "Flow Duration", LABEL)
ENDS = Ends(("Src IP", "Dst IP"), ("Src Port", "Dst Port"))
HEADERS_16_BIT = ("Fwd Header Length", "Bwd Header Length")
LABEL_RULE = (
    "column Label, lower case; `... - Attempted` rows (no malicious payload) are dropped;"
    " `Infiltration - Portscan` is a scan; infiltration and heartbleed are tested, never learnt"
)
ERRATA = (
    "corrected release (Engelen et al., WTMC 2021; Liu et al., CNS 2022), not the CSVs published in 2017 and 2018",
    "`id` restarts every day and is no key: rows are deduplicated by Flow ID, Timestamp, Flow Duration and Label",
    "Bwd Init Win Bytes is the window of the LAST backward packet; Subflow columns are x // n",
    "attack flows recorded the other way round (a closed port `opens` them) are labelled BENIGN:"
    " benign rows between attacker and victim during the attack are dropped",
    "Fwd/Bwd Header Length hold negative values where the extractor overflowed",
)


def times(frame: "pd.DataFrame", path: Path, manifest: Manifest) -> npt.NDArray[np.int64]:
    """Return (n,) timestamps, UTC by the release's own account, as nanoseconds since 1970."""
    import pandas as pd

    read = pd.to_datetime(frame["Timestamp"], format="ISO8601", errors="coerce")
    # Not a time is the least number of 64 bits, which is how the reader knows it.
    return np.asarray(read.to_numpy(dtype="datetime64[ns]").astype(np.int64))


def mend(frame: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Count what the feature set's own reading undoes."""
    for header in HEADERS_16_BIT:
        if header in frame:
            manifest.mend(f"{header} below 0: 16 bits that overflowed, undone", int((frame[header] < 0).sum()))
    return frame


RELEASE = Release(
    title="the corrected release of CICIDS2017 or CSE-CIC-IDS2018",
    label_rule=LABEL_RULE,
    errata=ERRATA,
    needed=frozenset((*KEY, *ENDS.columns, "Total Fwd Packet")),
    feature_sets={"cic2022": ("cns22",), "flow1": ("flow1",)},
    ends=ENDS,
    port="Dst Port",
    times=times,
    mend=mend,
    key=KEY,
    year_names={
        2017: (NAME, "the corrected CICIDS2017 release, one lab network of 2017"),
        2018: (NAME_2018, "the corrected CSE-CIC-IDS2018 release, one lab network of 2018"),
    },
)


def find(place: Path) -> list[Path]:
    """Return the CSVs of the corrected releases below a folder, or the file itself if it is one."""
    return RELEASE.find(place)


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read the corrected releases, see `Release.load` for the arguments and errors."""
    return RELEASE.load(places, feature_set, variant, row_limit)
