"""The whole path over other people's captures: what is odd about them, and what is written about them.

These read 969 small captures that break parsers, and 278 real ones; both are no part of the project.
"""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from sensor.config import Config, OutputConfig
from sensor.flows import SKIP_REASONS
from sensor.pipeline import Pipeline
from sensor.scoring import load_rulebook
from sensor.sources import open_capture
from tests.sensor.known import KeptSink, KnownDetector

CONFIG = replace(Config(), output=OutputConfig(flow_events=True))
SCHEMAS = ("suricata-7", "suricata-8", "suricata-9dev")


@dataclass
class Passed:
    """What came of a set of captures: every event, and for each file how many packets were counted."""

    events: list[dict[str, Any]]
    packets: dict[str, int] = field(default_factory=dict)
    left_over: dict[str, int] = field(default_factory=dict)


def pass_through(paths: list[Path]) -> Passed:
    """Run captures through one pipeline, each with the default configuration."""
    sink = KeptSink()
    pipeline = Pipeline(CONFIG, KnownDetector(), load_rulebook(CONFIG), sink)  # type: ignore[arg-type]
    passed = Passed([])
    before: Counter[str] = Counter()
    for path in paths:
        source = open_capture(path)
        try:
            pipeline.run(source)
        finally:
            source.close()
        counted = Counter(dict(pipeline.tally.counters))
        new = counted - before
        before = counted
        passed.packets[path.name] = new["packets"]
        passed.left_over[path.name] = new["packets"] - new["in_flow"] - sum(new[reason] for reason in SKIP_REASONS)
    pipeline.finish()
    passed.events = [json.loads(line) for line in sink.lines]
    return passed


def indexed(folder: Path) -> dict[str, int]:
    """Return the packets of each odd capture, as its index counts them."""
    rows = [line.split("\t") for line in (folder / "index.tsv").read_text().splitlines()[1:]]
    return {row[0]: int(row[1]) for row in rows}


@pytest.fixture(scope="module")
def odd(odd_captures: Path) -> Passed:
    return pass_through([odd_captures / name for name in indexed(odd_captures)])


@pytest.fixture(scope="module")
def real(dev_captures: Path) -> Passed:
    return pass_through(sorted(path for path in dev_captures.rglob("*.pcap*") if path.is_file()))


def faults(events: list[dict[str, Any]], schemas: Path) -> Iterator[str]:
    """Yield what is wrong with events by any of the three schemas."""
    for name in SCHEMAS:
        validator = jsonschema_rs.validator_for(json.loads((schemas / f"{name}.schema.json").read_text()))
        for event in events:
            if not validator.is_valid(event):
                for error in validator.iter_errors(event):
                    yield f"{name}: {error.instance_path}: {error.message[:200]}: {json.dumps(event)[:300]}"


def test_every_packet_of_the_odd_captures_is_in_a_flow_or_in_one_counter(odd: Passed):
    assert len(odd.packets) == 969
    assert {name: rest for name, rest in odd.left_over.items() if rest} == {}


def test_every_packet_of_the_odd_captures_is_read(odd: Passed, odd_captures: Path):
    assert odd.packets == indexed(odd_captures)


def test_wireshark_counts_the_same_packets_where_it_reads_the_file(odd: Passed, odd_captures: Path):
    if shutil.which("capinfos") is None:
        pytest.skip("counting with Wireshark needs its program capinfos (package tshark)")
    done = subprocess.run(
        ["capinfos", "-T", "-M", "-r", "-c", *odd.packets],
        cwd=odd_captures, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    theirs = {name: int(count) for name, count in (line.split("\t")[:2] for line in done.stdout.splitlines())}
    assert len(theirs) > 900, done.stderr
    assert theirs == {name: odd.packets[name] for name in theirs}


def test_every_event_about_the_odd_captures_is_valid_for_three_suricatas(odd: Passed, shared_eve: Path):
    assert Counter(event["event_type"] for event in odd.events).keys() == {"alert", "flow", "stats", "anomaly"}
    assert list(faults(odd.events, shared_eve)) == []


def test_every_event_about_the_real_captures_is_valid_too(real: Passed, shared_eve: Path):
    assert len(real.events) > 90_000
    assert list(faults(real.events, shared_eve)) == []


def test_the_validator_refuses_what_the_schemas_refuse(real: Passed, shared_eve: Path):
    broken = {**real.events[0], "ml": 1}
    assert len(list(faults([broken], shared_eve))) == len(SCHEMAS)


def test_no_packet_of_the_real_captures_is_lost(real: Passed):
    assert len(real.packets) == 278
    assert {name: rest for name, rest in real.left_over.items() if rest} == {}


def test_an_alert_and_its_flow_have_one_number(real: Passed):
    flows = {event["flow_id"] for event in real.events if event["event_type"] == "flow" and event["flow"]["alerted"]}
    alerts = {event["flow_id"] for event in real.events if event["event_type"] == "alert"}
    assert alerts
    assert alerts == flows
