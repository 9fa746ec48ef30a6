"""Times of the first CIC releases: a clock of twelve hours, without AM and PM, in the lab's own zone."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

FIRST_HOUR = 8
"""The labs began to record after eight in the morning and ended long before eight in the evening."""
NO_TIME = np.iinfo(np.int64).min
_HOUR_NS = 3_600_000_000_000
_FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")


def twelve_hours(texts: "pd.Series[str]", utc_offset_h: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return nanoseconds since 1970 (UTC), and where twelve hours were added; both of shape (n,).

    `texts` are day/month/year hour:minute, seconds or none; an hour from 1 to 7 is one of the
    afternoon, by when the labs recorded. What is no such time becomes NO_TIME.
    """
    import pandas as pd

    plain = texts.astype(str).str.strip()
    read = pd.to_datetime(plain, format=_FORMATS[0], errors="coerce")
    read = read.fillna(pd.to_datetime(plain, format=_FORMATS[1], errors="coerce"))
    unread = read.isna().to_numpy()
    hour = read.dt.hour.fillna(0).to_numpy(dtype=np.int64)
    moved = np.asarray((hour >= 1) & (hour < FIRST_HOUR) & ~unread)
    time_ns = read.to_numpy(dtype="datetime64[ns]").astype(np.int64)
    time_ns = time_ns + (12 * moved.astype(np.int64) - utc_offset_h) * _HOUR_NS
    return np.where(unread, NO_TIME, time_ns), moved
