"""What belongs together in a recording: what a host does within an hour is redrawn as a whole."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from training.datasets.recordings import Recording

HOUR_NS = 3_600_000_000_000


def hours(recordings: Sequence[Recording]) -> npt.NDArray[np.uint64]:
    """Return (n,) uint64, one number for the flows of one host in one hour of one recording.

    Where the labels do not name a host, the flows of one program belong together.
    """
    return numbered(
        name
        for one in recordings
        for name in groups(one.name, one.flows["start_ns"], one.column("host").tolist(), one.column("run").tolist())
    )


def groups(recording: str, start_ns: npt.NDArray[np.int64], hosts: Sequence[str], runs: Sequence[int]) -> list[str]:
    """Return a name for each flow of a recording that those share that belong together."""
    columns = zip((start_ns // HOUR_NS).tolist(), hosts, runs, strict=True)
    return [f"{recording} {hour} {host}" if host else f"{recording} {run}" for hour, host, run in columns]


def numbered(names: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return (n,) uint64, the same number for the same name."""
    _, number = np.unique(np.array(list(names), dtype=str), return_inverse=True)
    return np.asarray(number, dtype=np.uint64)
