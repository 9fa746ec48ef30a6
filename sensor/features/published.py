"""Flow records as the columns of a published file: its headers, its order, its values.

    columns = published(flows, "cns22")      # {"Flow ID": [...], "Src IP": [...], ..., "Label": [...]}

Beside the features, which may be NaN or infinite as in the file itself, there are the columns that
tell whose flow it was. They are for a reader and never enter a model.
"""

import socket
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.errors import NettrusionError
from sensor.features import cic
from sensor.features.featureset import FeatureSet
from sensor.features.release import RELEASES

Flows = NDArray[np.void]
Published = dict[str, NDArray[Any] | list[str]]

IDENTITY = ("Flow ID", "Src IP", "Src Port", "Dst IP", "Dst Port", "Protocol", "Timestamp")
IDENTITY_2017 = (
    "Flow ID",
    " Source IP",
    " Source Port",
    " Destination IP",
    " Destination Port",
    " Protocol",
    " Timestamp",
)
# Columns that a release has and the feature set has not, by the feature that they follow.
MORE: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "fork": {
        "fwd_act_data_pkts": {"Bwd Act Data Pkts": "bwd_act_data_pkts"},
        "fwd_seg_size_min": {"Bwd Seg Size Min": "bwd_seg_size_min"},
        "icmp_type": {
            "Fwd TCP Retrans. Count": "fwd_tcp_retrans",
            "Bwd TCP Retrans. Count": "bwd_tcp_retrans",
            "Total TCP Retrans. Count": "total_tcp_retrans",
        },
    },
    # The first release has this header twice; a reader of CSV files tells them apart like this.
    "cicids2017": {"bwd_seg_size_avg": {" Fwd Header Length.1": "fwd_header_len"}},
}
LABELS = {"cns22": "NeedManualLabel", "fork": "NeedManualLabel", "legacy": "No Label"}
# Features that are whole numbers in every version; bulks and subflows are in all but `fork`.
FRACTIONS = ("_mean", "_std", "_var", "_avg", "_ratio", "_per_s", "avg_packet_size")
GAPS = ("flow_iat_", "fwd_iat_", "bwd_iat_", "active_", "idle_")


def published(flows: Flows, variant: str, release: str | None = None) -> Published:
    """Return the columns of `flows` (FLOW_DTYPE, (n,)) under a release's headers, in its order.

    `release` is one of RELEASES[variant], the first when None. Numbers are int64 or float64 (n,), NaN
    and Infinity where the version prints them, times in whole microseconds or fractions of them;
    texts are lists of str. Raises NettrusionError for an unknown variant or release.
    """
    release = release_of(variant, release)
    values = cic.columns(flows, variant)
    names = IDENTITY_2017 if release == "cicids2017" else IDENTITY
    out: Published = identity(flows, values["protocol"].astype(np.int64), variant, names)
    for header, name in _headers(release):
        out[header] = _printed(values[name], name, variant)
    label = " Label" if release == "cicids2017" else "Label"
    out[label] = [LABELS[variant]] * len(flows)
    return out


def release_of(variant: str, release: str | None = None) -> str:
    """Return the release whose headers a table of the variant has, the usual one for None.

    Raises NettrusionError for a variant or release that is not in RELEASES.
    """
    if variant not in RELEASES:
        raise NettrusionError(f"no file was published by variant {variant!r}: {', '.join(RELEASES)}")
    if release is not None and release not in RELEASES[variant]:
        known = " or ".join(RELEASES[variant])
        raise NettrusionError(f"the headers of variant {variant} are {known}, not {release}")
    return release or RELEASES[variant][0]


@cache
def _headers(release: str) -> tuple[tuple[str, str], ...]:
    """Return (header, feature name) of a release's features in its order, the protocol left out."""
    out: list[tuple[str, str]] = []
    for feature in FeatureSet.load("cic2022").features:
        if feature.name != "protocol" and release in feature.columns:
            out.append((feature.columns[release], feature.name))
            out.extend(MORE.get(release, {}).get(feature.name, {}).items())
    return tuple(out)


def _printed(values: NDArray[np.float64], name: str, variant: str) -> NDArray[Any]:
    """Return a column as whole numbers where every version prints whole numbers."""
    whole = not name.endswith(FRACTIONS) and not name.startswith(GAPS)
    if name.startswith("subflow_") or "_bulk" in name:
        whole = variant != "fork"
    with np.errstate(invalid="ignore"):
        return np.floor(values).astype(np.int64) if whole else values


def identity(flows: Flows, protocol: NDArray[np.int64], variant: str, names: Sequence[str]) -> Published:
    """Return whose flows they are, written as the variant does, under seven names in the order of IDENTITY."""
    src, dst = addresses(flows, "src"), addresses(flows, "dst")
    ports = [flows[name].astype(np.int64) for name in ("src_port", "dst_port")]
    values: tuple[NDArray[Any] | list[str], ...] = (
        _flow_ids(flows, src, dst, protocol, variant),
        src,
        ports[0],
        dst,
        ports[1],
        protocol,
        timestamps(flows["start_ns"], variant),
    )
    return dict(zip(names, values, strict=True))


def addresses(flows: Flows, side: str) -> list[str]:
    """Return the addresses of one side, `src` or `dst`, as text; 0.0.0.0 for a flow without IP."""
    six = (flows["ip_version"] == 6).tolist()
    raw = np.ascontiguousarray(flows[side]).tobytes()
    return [
        socket.inet_ntop(socket.AF_INET6, raw[at : at + 16])
        if is_six
        else socket.inet_ntop(socket.AF_INET, raw[at : at + 4])
        for at, is_six in zip(range(0, len(raw), 16), six, strict=True)
    ]


def _flow_ids(flows: Flows, src: list[str], dst: list[str], protocol: NDArray[np.int64], variant: str) -> list[str]:
    """Return `A-B-port of A-port of B-protocol`, A the initiator.

    `legacy` puts the smaller address first, byte by byte as signed bytes; equal ones stay in order.
    """
    swap = np.zeros(len(flows), bool)
    if variant == "legacy":
        differ = flows["src"] != flows["dst"]
        at = (np.arange(len(flows)), differ.argmax(axis=1))
        swap = flows["src"].view(np.int8)[at] > flows["dst"].view(np.int8)[at]
    ids = []
    ports = (flows["src_port"].tolist(), flows["dst_port"].tolist())
    for swapped, a, b, port_a, port_b, number in zip(swap.tolist(), src, dst, *ports, protocol.tolist(), strict=True):
        ends = (b, a, port_b, port_a) if swapped else (a, b, port_a, port_b)
        ids.append("-".join(map(str, (*ends, number))))
    return ids


def timestamps(times_ns: NDArray[np.int64], variant: str) -> list[str]:
    """Return times as the version writes them, all in UTC.

    `legacy`: day/month/year and a 12-hour clock without AM or PM; the others: ISO order to the
    microsecond, the fraction in three or six digits, or none when it is 0.
    """
    out = []
    for text in np.datetime_as_string(times_ns.astype("M8[ns]"), unit="us").tolist():
        day, clock = text.split("T")
        if variant == "legacy":
            year, month, date = day.split("-")
            hour = (int(clock[:2]) - 1) % 12 + 1
            out.append(f"{date}/{month}/{year} {hour:02}{clock[2:8]}")
            continue
        second, fraction = clock.split(".")
        micros = fraction.removesuffix("000") if fraction != "000000" else ""
        out.append(f"{day} {second}.{micros}" if micros else f"{day} {second}")
    return out
