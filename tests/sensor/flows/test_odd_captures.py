"""Captures that break parsers: no crash, and every packet is in a flow or in a counter."""

import csv
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.flows import PROFILES, SKIP_REASONS, FlowEngine, Framing, Profile
from tests.sensor.flows import streams
from tests.sensor.flows.drive import feed

# The strict profile `legacy` leaves out flows of one packet; here every packet has to be found again.
EVERY = {
    **{name: replace(profile, min_pkts=1) for name, profile in PROFILES.items()},
    "wire with tunnels": replace(PROFILES["wire"], tunnels=True),
}
FILES = 969


def packets_of(data: bytes, profile: Profile) -> int:
    """Run a capture through the engine and return its packets, all of them accounted for."""
    framing = Framing.sniff(data[:4])
    engine = FlowEngine(profile, max_flows=512)
    taken = feed(engine, data, framing)
    engine.finish()
    flows = np.concatenate([*taken, engine.take()])
    counters = engine.counters
    in_flows = int(flows["fwd"]["pkts"].sum() + flows["bwd"]["pkts"].sum())
    skipped = sum(counters[reason] for reason in SKIP_REASONS)
    assert in_flows == counters["in_flow"]
    assert in_flows + skipped == counters["packets"] == framing.records
    assert engine.live == 0
    return framing.records


def index(folder: Path) -> dict[str, int]:
    """Return how many packets each capture has, by the table that comes with them."""
    with (folder / "index.tsv").open(newline="", encoding="utf-8") as lines:
        return {row["file"]: int(row["packets"]) for row in csv.DictReader(lines, delimiter="\t")}


@pytest.mark.parametrize("name", EVERY)
def test_every_packet_of_every_odd_capture_is_accounted_for(odd_captures: Path, name: str):
    expected = index(odd_captures)
    assert len(expected) == FILES
    made = {file: packets_of((odd_captures / file).read_bytes(), EVERY[name]) for file in expected}
    assert made == expected


def capinfos(folder: Path, files: list[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Return packets by file as Wireshark counts them, and why it does not open the others."""
    done = subprocess.run(
        ["capinfos", "-T", "-M", "-r", "-c", *files], cwd=folder, capture_output=True, text=True, check=False
    )
    counted = {}
    for line in done.stdout.splitlines():
        file, packets = line.split("\t")[:2]
        counted[file] = int(packets)
    told = re.findall(r'^capinfos: The file "([^"]+)" .*\n\((.*)\)$', done.stderr, re.MULTILINE)
    refused = {file: why for file, why in told if file not in counted}
    return counted, refused


def test_wireshark_counts_the_same_packets(odd_captures: Path, capsys: pytest.CaptureFixture[str]):
    if shutil.which("capinfos") is None:
        pytest.skip("comparing with Wireshark needs its program capinfos")
    files = sorted(index(odd_captures))
    counted, refused = capinfos(odd_captures, files)
    kinds: dict[str, list[str]] = defaultdict(list)
    for file, why in refused.items():
        kinds[re.sub(r"\d[\d.]*", "N", why)].append(file)
    with capsys.disabled():
        print(f"\nWireshark counts {len(counted)} of {len(files)} captures and does not open the others:")
        for why, some in sorted(kinds.items()):
            print(f"{len(some):6d}  {why}: {', '.join(some[:3])}{' ...' if len(some) > 3 else ''}")
    made = {file: packets_of((odd_captures / file).read_bytes(), EVERY["wire"]) for file in files}
    differ = {file: (made[file], count) for file, count in counted.items() if made[file] != count}
    assert not differ, f"packets here and in Wireshark: {differ}"
    assert set(counted) | set(refused) == set(files)
    assert len(counted) > 0.95 * len(files)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    stream=streams.streams(),
    damage=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=30),
    cut=st.integers(0, 200),
    next_generation=st.booleans(),
)
def test_damaged_captures_are_counted_too(
    name: str, stream: list[streams.Sent], damage: list[tuple[int, int]], cut: int, next_generation: bool
):
    made = streams.records(stream)
    data = bytearray(streams.pcapng(made) if next_generation else streams.pcap(made))
    for place, value in damage:
        data[4 + place % (len(data) - 4)] = value
    assert packets_of(bytes(data[: max(len(data) - cut, 4)]), EVERY[name]) <= len(data) // 12


@pytest.mark.parametrize("magic", [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\n\r\r\n"], ids=bytes.hex)
def test_nothing_but_noise(magic: bytes):
    rng = np.random.default_rng(1)
    for size in (0, 1, 20, 28, 4096):
        packets_of(magic + rng.bytes(size), EVERY["wire with tunnels"])
