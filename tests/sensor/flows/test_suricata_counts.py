"""Packets and bytes by direction of real captures equal what Suricata counted, flow by flow.

Two definitions are a profile's choice. With Suricata's, the rows are equal one by one, but for those whose kind the
test prints. With the sensor's own, which are those of its training rows, the difference is these two:

* `icmp_errors_join`: Suricata counts a destination-unreachable message to the flow that it quotes; here it is of a
  flow of its own.
* `same_syn_joins`: a SYN after the end of a connection begins a new flow here; in Suricata only when its sequence
  number is new, so a scanner's repeated attempts are one flow there.
"""

import io
import socket
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from sensor.flows import PROFILES, Profile
from tests.sensor.flows.drive import Flows, assemble
from tests.sensor.flows.frames import frames, quoted_by_error
from tests.sensor.flows.reference import ACK, SYN

FOREVER_NS = 2**60
OWN_DEFINITIONS = replace(
    PROFILES["wire"],
    active_ns=0,
    linger_ns=FOREVER_NS,
    tcp_new_ns=0,
    tcp_ns=0,
    udp_new_ns=0,
    udp_ns=0,
    icmp_ns=0,
    other_ns=0,
)
SURICATAS = replace(OWN_DEFINITIONS, same_syn_joins=True, icmp_errors_join=True)
NUMBERS = {"TCP": 6, "UDP": 17, "ICMP": 1, "IPv6-ICMP": 58, "IPv6": 41, "IP-in-IP": 4}
ICMPS = (1, 58)
WANTED = 0.995
EQUAL = "equal as it is"
ERRORS = "Suricata counts the ICMP error to the flow that it quotes"
PARTED = "a SYN sent again after the end is a new flow here, the same flow there"
MIRRORED = "its SYN is missing: the sender of the SYN and ACK is not the initiator here, there it is"
ICMP_WAYS = "ICMP messages each way: one flow here, one for each way there"
UNKNOWN = "not explained"

End = tuple[str, int]
Key = tuple[int, End, End]


@dataclass(frozen=True, slots=True)
class Count:
    """Packets and bytes from an initiator and back."""

    initiator: End
    there: tuple[int, int]
    back: tuple[int, int]
    answer_first: bool = field(default=False, compare=False)


def key_of(proto: int, src: End, dst: End) -> Key:
    """What all flows of two ends share; for ICMP the two hosts."""
    if proto in ICMPS:
        src, dst = (src[0], 0), (dst[0], 0)
    return (proto, min(src, dst), max(src, dst))


def theirs(rows: Iterable[Mapping[str, str]]) -> dict[Key, list[Count]]:
    """Group Suricata's rows of one file."""
    found: dict[Key, list[Count]] = defaultdict(list)
    for row in rows:
        src, dst = ((canonical(row[a]), int(row[p] or 0)) for a, p in (("src", "sport"), ("dst", "dport")))
        there, back = ((int(row[f"pkts_{way}"]), int(row[f"bytes_{way}"])) for way in ("toserver", "toclient"))
        found[key_of(NUMBERS[row["proto"]], src, dst)].append(Count(src, there, back))
    return found


def canonical(address: str) -> str:
    """Write an address as the system does."""
    if ":" not in address:
        return address
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))


def ours(flows: Flows) -> dict[Key, list[Count]]:
    """Group the engine's records of one file."""
    found: dict[Key, list[Count]] = defaultdict(list)
    for flow in flows:
        family, size = (socket.AF_INET6, 16) if flow["ip_version"] == 6 else (socket.AF_INET, 4)
        src, dst = (
            (socket.inet_ntop(family, bytes(flow[side][:size])), int(flow[f"{side}_port"])) for side in ("src", "dst")
        )
        there, back = ((int(flow[way]["pkts"]), int(flow[way]["bytes"])) for way in ("fwd", "bwd"))
        answer_first = int(flow["first_flags"]) & (SYN | ACK) == SYN | ACK
        found[key_of(int(flow["proto"]), src, dst)].append(Count(src, there, back, answer_first))
    return found


def errors(data: bytes) -> dict[Key, list[Count]]:
    """Find the destination-unreachable messages of a capture by the flow that they quote, towards its source."""
    found: dict[Key, list[Count]] = defaultdict(list)
    for frame in frames(data):
        quoted = quoted_by_error(frame)
        if quoted:
            src, dst = zip((quoted.src, quoted.dst), quoted.ports, strict=True)
            found[key_of(quoted.proto, src, dst)].append(Count(dst, (1, frame.wire), (0, 0)))
    return found


def total(key: Key, counts: Iterable[Count]) -> tuple[int, int, int, int]:
    """Add counts up: packets and bytes from the first end of a key, then from the second."""
    first = [count.there if count.initiator == key[1] else count.back for count in counts]
    second = [count.back if count.initiator == key[1] else count.there for count in counts]
    return (
        sum(pkts for pkts, _ in first),
        sum(octets for _, octets in first),
        sum(pkts for pkts, _ in second),
        sum(octets for _, octets in second),
    )


def kind(key: Key, suricata: Sequence[Count], engine: Sequence[Count], quoting: Sequence[Count]) -> str:
    """Say why rows of one key that are not equal one by one are not."""
    wanted, made = total(key, suricata), total(key, engine)
    if wanted == made:
        if key[0] in ICMPS:
            return ICMP_WAYS if len(engine) < len(suricata) else UNKNOWN
        if all(count.answer_first for count in engine) and len(engine) == len(suricata):
            return MIRRORED
        return PARTED if len(engine) > len(suricata) else UNKNOWN
    for some in range(len(quoting)):  # an error that came before its flow is not of it
        if wanted == total(key, [*engine, *quoting[some:]]):
            return ERRORS
    return UNKNOWN


class Comparison(NamedTuple):
    """How many of Suricata's rows are of which kind, and those that are of none."""

    kinds: Counter[str]
    unknown: list[str]


def rows_by_file(path: Path) -> dict[str, list[dict[str, str]]]:
    """Read Suricata's table."""
    text = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True, text=True).stdout
    lines = io.StringIO(text)
    names = next(lines).rstrip("\n").split("\t")
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in lines:
        row = dict(zip(names, line.rstrip("\n").split("\t"), strict=True))
        found[row["file"]].append(row)
    return found


def compare(table: Mapping[str, Sequence[Mapping[str, str]]], folder: Path, profile: Profile) -> Comparison:
    """Count Suricata's rows by kind, and say which are not explained."""
    kinds: Counter[str] = Counter()
    unknown = []
    for name, rows in table.items():
        data = (folder / name).read_bytes()
        made, quoting = ours(assemble(data, profile)), errors(data)
        for key, expected in theirs(rows).items():
            found = made.get(key, [])
            same = (Counter(expected) & Counter(found)).total()
            kinds[EQUAL] += same
            if same < len(expected):
                why = kind(key, expected, found, quoting.get(key, []))
                kinds[why] += len(expected) - same
                if why == UNKNOWN:
                    unknown.append(f"{name} {key}: Suricata {expected[:3]}, engine {found[:3]}")
    return Comparison(kinds, unknown)


@pytest.mark.parametrize(
    ("profile", "equal"), [(SURICATAS, WANTED), (OWN_DEFINITIONS, 0.94)], ids=["Suricata's definitions", "our own"]
)
def test_counts_equal_suricatas(
    shared_data: Path,
    dev_captures: Path,
    capsys: pytest.CaptureFixture[str],
    profile: Profile,
    equal: float,
    request: pytest.FixtureRequest,
):
    table = rows_by_file(shared_data / "captures" / "suricata_flows.tsv.zst")
    kinds, unknown = compare(table, dev_captures, profile)
    flows = kinds.total()
    with capsys.disabled():
        print(f"\n{flows} flows of {len(table)} captures beside Suricata's, {request.node.callspec.id}:")
        for why, count in kinds.most_common():
            print(f"{count:8d}  {count / flows:8.3%}  {why}")
    assert flows == sum(map(len, table.values())) > 90_000
    assert kinds[EQUAL] / flows >= equal
    assert (kinds[EQUAL] + kinds[ERRORS] + kinds[PARTED]) / flows >= WANTED
    assert not unknown, "\n".join(unknown[:20])
