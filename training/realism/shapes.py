"""Distributions beside each other: sizes, durations, gaps, packets, and how far two of them lie apart."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from training.realism.sample import Sample

Values = npt.NDArray[np.float64]
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


def quantities(sample: Sample) -> dict[str, Values]:
    """Return what is compared, (n,) each; NaN where a flow does not have it."""
    flows = sample.flows
    there, back = flows["fwd"], flows["bwd"]
    packets = (there["pkts"] + back["pkts"]).astype(np.float64)
    sent, received = there["bytes"].astype(np.float64), back["bytes"].astype(np.float64)
    gaps = packets > 1
    lasts = (flows["end_ns"] - flows["start_ns"]) / 1e9
    return {
        "duration, s": np.where(gaps, lasts, np.nan),
        "packets sent": there["pkts"].astype(np.float64),
        "packets received": back["pkts"].astype(np.float64),
        "bytes sent": sent,
        "bytes received": np.where(received > 0, received, np.nan),
        "share of bytes received": received / np.maximum(sent + received, 1),
        "bytes a packet": (sent + received) / np.maximum(packets, 1),
        "mean gap, s": np.where(gaps, flows["iat"]["mean"] / 1e9, np.nan),
        "longest gap, s": np.where(gaps, flows["iat"]["max"] / 1e9, np.nan),
        "payload sent": there["payload"].astype(np.float64),
    }


def quantiles(values: Values, weight: Values, at: tuple[float, ...] = QUANTILES) -> list[float]:
    """Return weighted quantiles of the values that are not NaN: the smallest value that reaches each share.

    All NaN when there is no value.
    """
    known = ~np.isnan(values)
    if not known.any():
        return [float("nan")] * len(at)
    order = np.argsort(values[known], kind="stable")
    ranked, share = values[known][order], np.cumsum(weight[known][order])
    places = np.searchsorted(share, np.array(at) * share[-1] * (1 - 1e-12))
    return [float(ranked[place]) for place in np.minimum(places, len(ranked) - 1)]


def distance(one: Values, one_weight: Values, other: Values, other_weight: Values) -> float:
    """Return the Kolmogorov-Smirnov distance of two weighted samples, 0 to 1; NaN for an empty one."""
    ends = [(v[~np.isnan(v)], w[~np.isnan(v)]) for v, w in ((one, one_weight), (other, other_weight))]
    if not all(len(values) for values, _ in ends):
        return float("nan")
    at = np.unique(np.concatenate([values for values, _ in ends]))
    shares = []
    for values, weight in ends:
        order = np.argsort(values, kind="stable")
        reached = np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
        shares.append(reached[np.searchsorted(values[order], at, side="right")])
    return float(np.abs(shares[0] - shares[1]).max())


def distances(one: Sample, other: Sample) -> dict[str, float]:
    """Return the distance of two samples in every quantity."""
    mine, theirs = quantities(one), quantities(other)
    return {name: distance(mine[name], one.weight, theirs[name], other.weight) for name in mine}


def shares(names: npt.NDArray[np.str_], weight: Values) -> Mapping[str, float]:
    """Return the weighted share of every name, the largest first."""
    found, member = np.unique(names, return_inverse=True)
    mass = np.bincount(member, weights=weight, minlength=len(found)) / weight.sum()
    return {str(found[place]): float(mass[place]) for place in np.argsort(-mass, kind="stable")}
