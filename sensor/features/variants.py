"""In what the published versions of the CICFlowMeter formulas depart from each other.

- `cns22`: the corrected CICIDS2017 and CSE-CIC-IDS2018 release (Liu, Engelen et al., CNS 2022).
- `fork`: the corrected CICFlowMeter of 2024 (Engelen et al.).
- `legacy`: CICFlowMeter of early 2018, which made the first CICIDS2017 release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Quirks:
    """In what one version of the formulas departs from the others."""

    protocols: tuple[int, ...]  # those with a number of their own; the rest are 0
    zero_time_rate: float | None = None  # rates of a flow without duration; None: they divide by 0
    gaps_needed: bool = True  # inter-arrival times of a flow of one packet are NaN, not 0
    no_window: int = 0  # a TCP window that no packet gave
    first_flags_only: bool = False  # flag columns hold bits of the first packet, under wrong names
    first_payload_twice: bool = False  # in the lengths of all packets
    first_packet_skipped: bool = True  # in the counts of data packets and of RST by direction
    last_backward_window: bool = True  # instead of the first that is not zero
    tcp_time_only: bool = True  # the time of a connection is told for TCP alone
    whole_ratio: bool = False  # Down/Up is cut to a whole number
    bulks: Literal["whole", "exact", "none"] = "whole"  # "whole": cut to whole numbers; "exact"; "none": always 0
    subflows: Literal["packets", "gaps", "one"] = "packets"  # divisor: number of "packets", of long "gaps", or "one"


QUIRKS: Mapping[str, Quirks] = {
    "cns22": Quirks(protocols=(1, 6, 17)),
    "fork": Quirks(
        protocols=(1, 2, 6, 17, 132),
        zero_time_rate=-1.0,
        gaps_needed=False,
        first_packet_skipped=False,
        last_backward_window=False,
        tcp_time_only=False,
        bulks="exact",
        subflows="gaps",
    ),
    "legacy": Quirks(
        protocols=(6, 17),
        no_window=-1,
        first_flags_only=True,
        first_payload_twice=True,
        whole_ratio=True,
        bulks="none",
        subflows="one",
    ),
}

# What the legacy CSV holds under the name of a flag: its names follow another order than its values.
LEGACY_FLAGS = {
    "fin": "rst",
    "syn": "psh",
    "rst": "ece",
    "psh": "syn",
    "ack": "ack",
    "urg": "fin",
    "cwr": "urg",
    "ece": "cwr",
}
