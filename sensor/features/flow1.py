"""The features of set flow1: corrected statistics of the flow, its first packets, what its hosts have been doing.

The formulas are in flow1.json. The statistics are those that flow records and the columns of the corrected CICIDS2017
release both give: either is first brought to the facts that the two share, the rest follows from these alone. Published
rows have neither packets nor hosts: all of that is 0 for them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensor.features import release
from sensor.features.context import context
from sensor.features.moments import Float, mean, moments, ratio, sample_variance

SIDES = ("fwd", "bwd")
FLAGS = ("fin", "syn", "rst", "psh", "ack")  # bits of the TCP flags, lowest first
FIRST_FLAGS = FLAGS[:4]  # told of the first packets
PROTOCOLS = {"tcp": (6,), "udp": (17,), "icmp": (1, 58)}

RELEASE = "cns22"


def columns(flows: NDArray[np.void], variant: str) -> dict[str, NDArray[Any]]:
    """Return the features of `flows` (FLOW_DTYPE, (n,)) by name, each (n,); there is one variant."""
    with np.errstate(all="ignore"):
        facts = _facts(flows)
        hosts = context(flows, facts["fwd_payload"], facts["bwd_payload"])
        return _statistics(facts) | _first_packets(flows) | hosts


def read(columns: Mapping[str, ArrayLike], variant: str, features: Sequence[release.Named]) -> dict[str, NDArray[Any]]:
    """Return the statistics of rows of the corrected CICIDS2017 release, by name, each (n,).

    `columns` maps headers without blanks around them to arrays of shape (n,). Raises NettrusionError that names a
    missing column or one that holds something else than numbers.
    """
    headers = {f.name: f.columns[RELEASE] for f in features if RELEASE in f.columns}
    facts = release.numbers(columns, headers | {"protocol": "Protocol"}, RELEASE)
    with np.errstate(all="ignore"):
        return _statistics(facts)


def _facts(flows: NDArray[np.void]) -> dict[str, Float]:
    """Return what records and published columns both tell, by the name of the feature that it is, times in us."""
    facts: dict[str, Float] = {
        "protocol": flows["proto"].astype(np.float64),
        "duration": (flows["end_ns"] - flows["start_ns"]) / 1e3,
        "active_mean": flows["active"]["mean"] / 1e3,
        "idle_mean": flows["idle"]["mean"] / 1e3,
    }
    facts |= moments("gap", flows["iat"])
    for name in SIDES:
        side = flows[name]
        pkts, payload = side["pkts"].astype(np.float64), side["payload"].astype(np.float64)
        facts |= {
            f"{name}_pkts": pkts,
            f"{name}_payload": payload,
            f"{name}_size_mean": mean(payload, pkts),
            f"{name}_size_std": np.sqrt(sample_variance(side["pkts"], side["payload"], side["payload_sq"])),
            f"{name}_size_max": side["payload_max"].astype(np.float64),
            f"{name}_size_min": side["payload_min"].astype(np.float64),
        }
        facts |= moments(f"{name}_gap", side["iat"])
    both = flows["fwd"]["flags"].astype(np.uint64) + flows["bwd"]["flags"]
    facts |= {f"{flag}_pkts": both[:, bit].astype(np.float64) for bit, flag in enumerate(FLAGS)}
    # The release leaves the flow's first packet out of these two.
    backward, reset = flows["first_backward"] != 0, flows["first_flags"] & (1 << FLAGS.index("rst")) != 0
    facts["bwd_rst_pkts"] = flows["bwd"]["flags"][:, FLAGS.index("rst")].astype(np.float64) - (backward & reset)
    facts["fwd_data_pkts"] = flows["fwd"]["data_pkts"].astype(np.float64) - (~backward & (flows["first_payload"] > 0))
    return facts


def _statistics(facts: Mapping[str, Float]) -> dict[str, NDArray[Any]]:
    out: dict[str, NDArray[Any]] = dict(facts)
    protocol = out.pop("protocol")
    for name, known in PROTOCOLS.items():
        out[f"is_{name}"] = np.logical_or.reduce([protocol == number for number in known])
    pkts = facts["fwd_pkts"] + facts["bwd_pkts"]
    payload = facts["fwd_payload"] + facts["bwd_payload"]
    out |= _sizes(facts, pkts, payload)
    # A time shorter than the clock of a capture tells is none, and a rate over it none either.
    seconds = np.where(facts["duration"] >= 1, facts["duration"] / 1e6, 0.0)
    amounts = {"pkts": pkts, "payload": payload}
    amounts |= {name: facts[name] for name in ("fwd_pkts", "bwd_pkts", "fwd_payload", "bwd_payload")}
    out |= {f"{name}_per_s": ratio(amount, seconds) for name, amount in amounts.items()}
    out["bwd_pkts_share"] = ratio(facts["bwd_pkts"], pkts)
    out["bwd_payload_share"] = ratio(facts["bwd_payload"], payload)
    return out


def _sizes(facts: Mapping[str, Float], pkts: Float, payload: Float) -> dict[str, Float]:
    """Return the payload sizes over all packets, from those of the two directions.

    The squared deviations of two groups from their common mean are those from their own means and n1 n2 / n times the
    squared difference of the means (Chan, Golub and LeVeque, 1979).
    """
    n, means, stds = ([facts[f"{name}_{what}"] for name in SIDES] for what in ("pkts", "size_mean", "size_std"))
    spread = sum((np.maximum(n[side] - 1, 0) * stds[side] ** 2 for side in (0, 1)), np.zeros_like(pkts))
    spread += n[0] * n[1] / np.maximum(pkts, 1) * (means[0] - means[1]) ** 2
    lowest = [np.where(n[side] > 0, facts[f"{name}_size_min"], np.inf) for side, name in enumerate(SIDES)]
    return {
        "size_mean": mean(payload, pkts),
        "size_std": np.sqrt(spread / np.maximum(pkts - 1, 1)),
        "size_max": np.maximum(facts["fwd_size_max"], facts["bwd_size_max"]),
        "size_min": np.minimum(*lowest),
    }


def _first_packets(flows: NDArray[np.void]) -> dict[str, NDArray[Any]]:
    """Return the first packets as the engine kept them, pkt01 to pkt12."""
    sizes = np.ascontiguousarray(flows["seq_size"].T)
    gaps = np.ascontiguousarray(flows["seq_gap_us"].T)
    flags = np.ascontiguousarray(flows["seq_flags"].T)
    held = {name: flags >> bit & 1 for bit, name in enumerate(FIRST_FLAGS)}
    out: dict[str, NDArray[Any]] = {}
    for at in range(len(sizes)):
        out |= {f"pkt{at + 1:02}_size": sizes[at], f"pkt{at + 1:02}_gap_us": gaps[at]}
        out |= {f"pkt{at + 1:02}_{name}": bits[at] for name, bits in held.items()}
    return out
