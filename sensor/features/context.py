"""What the hosts of a flow have been doing, by what the engine counted beside it.

The counts themselves are fields of the record. What is worked out here from them does not change when a network is
busier: shares of the connections that failed, how much this flow is like the others of its pair. Where nobody kept
count all of it is 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.flows import FLOW_DTYPE

HALF_LIVES_S = (5, 60, 600)
SPANS_S = (60, 600)

# Damped count of the pair's finished connections from which on there are others than this flow itself.
ENOUGH_DONE = 1.5

_DTYPE: np.dtype[np.void] = FLOW_DTYPE["context"]


def _spelled() -> tuple[str, ...]:
    """Return a name for each number of the context in its order, an index told as the seconds it stands for."""
    names: list[str] = []
    for field in _DTYPE.names or ():
        parts = _DTYPE[field].shape
        seconds = {(): (), (len(HALF_LIVES_S),): HALF_LIVES_S, (len(SPANS_S),): SPANS_S}[parts]
        names += [f"{field}_{second}s" for second in seconds] or [field]
    return tuple(names)


NAMES = _spelled()

# The same bytes as plain numbers: numpy copies a nested structured field ten times slower.
_PLAIN = np.dtype((np.float32, (len(NAMES),)))
_OFFSET: int = dict(FLOW_DTYPE.fields or {})["context"][1]


def context(flows: NDArray[np.void], fwd_payload: NDArray[Any], bwd_payload: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the numbers of the context and what follows from them, by name, float32 (n,).

    `fwd_payload` and `bwd_payload` are the flows' payload bytes, (n,). Shares lie between 0 and 1.
    """
    counts = np.ascontiguousarray(flows.getfield(_PLAIN, _OFFSET).T)
    out: dict[str, NDArray[Any]] = dict(zip(NAMES, counts, strict=True))
    others = out["pair_done"] >= np.float32(ENOUGH_DONE)
    likeness = {
        "pair_fwd_alike": np.where(others, _alike(fwd_payload, out["pair_fwd_mean"]), np.float32(0)),
        "pair_bwd_alike": np.where(others, _alike(bwd_payload, out["pair_bwd_mean"]), np.float32(0)),
    }
    for whose in ("src", "dst", "pair"):
        for span in ("60s", "600s"):
            likeness[f"{whose}_fails_share_{span}"] = _share(out[f"{whose}_fails_{span}"], out[f"{whose}_conns_{span}"])
    likeness["pair_conns_share_600s"] = _share(out["pair_conns_600s"], out["src_conns_600s"])
    likeness["src_peers_share_600s"] = _share(out["src_peers_600s"], out["src_conns_600s"])
    return out | likeness


def _share(part: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return part / whole, at most 1, and 0 where whole is 0.

    It could be more: a connection counts as begun when it begins and as failed when it ends, less of it forgotten by
    then, and distinct peers are those of a span, connections fade.
    """
    some = whole > 0
    return np.where(some, np.minimum(part / np.where(some, whole, np.float32(1)), np.float32(1)), np.float32(0))


def _alike(own: NDArray[Any], usual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smaller of two amounts over the larger, one byte added to both: 1 when they are equal."""
    mine, theirs = own.astype(np.float32) + np.float32(1), usual + np.float32(1)
    alike: NDArray[np.float32] = np.minimum(mine, theirs) / np.maximum(mine, theirs)
    return alike
