"""Flow records as rows of the ISCXIDS2012 XML, its elements as headers, for a table.

    columns = records(flows)      # {"source": [...], "sourcePort": [...], ..., "Tag": [...]}

Behind the elements stand the features that the set computes from them, under their own names.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.features import iscx
from sensor.features.published import Published, addresses

Flows = NDArray[np.void]

LETTERS = ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "A"), (32, "U"))
PROTOCOLS = {number: name for name, number in iscx.XML_PROTOCOLS.items()} | {2: "igmp"}
# Features that are elements already, or nothing but an element in other words.
TOLD = ("fwd_pkts", "bwd_pkts", "fwd_ip_bytes", "bwd_ip_bytes")


def records(flows: Flows) -> Published:
    """Return `flows` (FLOW_DTYPE, (n,)) as columns; bytes are Ethernet frames with their checksum.

    `FeatureSet.from_columns` gives the same features for these columns as `extract` for the flows.
    """
    values = iscx.columns(flows, "iscx2012")
    tcp = flows["proto"] == 6
    out: Published = {}
    for side in ("Source", "Destination"):
        name = "fwd" if side == "Source" else "bwd"
        pkts = values[f"{name}_pkts"]
        frames = values[f"{name}_ip_bytes"] + iscx.XML_LINK_BYTES * pkts
        out[f"total{side}Bytes"] = frames.astype(np.int64)
        out[f"total{side}Packets"] = pkts.astype(np.int64)
        out[f"{side.lower()}TCPFlagsDescription"] = _letters(flows[f"{name}_flags"], tcp)
    out |= {
        "source": addresses(flows, "src"),
        "protocolName": [PROTOCOLS.get(number, "ip") for number in flows["proto"].tolist()],
        "sourcePort": flows["src_port"].astype(np.int64),
        "destination": addresses(flows, "dst"),
        "destinationPort": flows["dst_port"].astype(np.int64),
        "startDateTime": _seconds(flows["start_ns"]),
        "stopDateTime": _seconds(flows["end_ns"]),
    }
    out |= {name: value for name, value in values.items() if name not in TOLD}
    out["Tag"] = ["NeedManualLabel"] * len(flows)
    return out


def _letters(flags: NDArray[np.uint8], tcp: NDArray[np.bool_]) -> list[str]:
    texts = [",".join(letter for bit, letter in LETTERS if value & bit) for value in range(256)]
    return [
        texts[value] or "N/A" if is_tcp else "N/A" for value, is_tcp in zip(flags.tolist(), tcp.tolist(), strict=True)
    ]


def _seconds(times_ns: NDArray[Any]) -> list[str]:
    # To whole seconds by division, which rounds down before 1970 as well.
    texts: list[str] = np.datetime_as_string((times_ns // iscx.SECOND_NS).astype("M8[s]")).tolist()
    return texts
