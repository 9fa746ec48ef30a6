"""SYNs of random sources for two minutes, beside a replayed attack and a benign capture."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.endurance.process import Sample, Sampler
from benchmarks.endurance.report import table
from benchmarks.endurance.traffic import Run, demo, found, play, widen
from tests.live.cable import Cable, laid
from tests.live.sensor import Sensor

TARGET = "10.66.0.1"
ATTACK = ("attack/bruteforce-ssh/Trace-Share__hydra-4_tasks.pcap",)
BENIGN = ("benign/benign/zeek__sumstat.pcap",)
MARGIN_S = 5


def run(
    folder: Path, captures: Path | None, seconds: int, pps: int, words: Sequence[str], *, flows: bool = False
) -> dict[str, Any]:
    """Flood for so long at a rate, 0 for as fast as it goes; `words` are for the sensor.

    With `flows`, flow events are written too, and those of the other traffic are counted.
    """
    runs = beside(folder, captures, seconds)
    (folder / "flood.json").unlink(missing_ok=True)
    (folder / "flows.json").unlink(missing_ok=True)
    words = [*words, "--set", f"output.flow_events={str(flows).lower()}", *_sinks(folder)]
    with laid() as cable:
        widen(cable)
        with Sensor(cable, folder, "--set", "stats.interval_s=5", *words, name="flood") as sensor:
            with Sampler(sensor.process.pid, 1.0) as sampler:
                time.sleep(3)
                sent, others = _flooded(cable, runs, seconds, pps)
                flooding_s = sampler.samples[-1].at_s
                time.sleep(MARGIN_S)
            began_s = time.monotonic()
            code = sensor.stop()
            ended_s = time.monotonic() - began_s
    facts = {"seconds": seconds, "sent": sent, "sent_per_s": sent / seconds, "exit_code": code, "stop_s": ended_s}
    if flows:
        facts |= {"others_sent": others, **_others(folder / "flows.json")}
    return summary(sensor, sampler.samples, facts, flooding_s)


def beside(folder: Path, captures: Path | None, seconds: int) -> list[Run]:
    """Return what is replayed beside: an attack and a benign capture, or the bundled one."""
    there = [*found(captures, ATTACK), *found(captures, BENIGN)] or [demo(folder)]
    return [Run(capture, 300, seconds, 0) for capture in there]


def _sinks(folder: Path) -> list[str]:
    """Return words that put flow events into a file of their own."""
    words = ["--set", 'sinks.eve.type="file"', "--set", f'sinks.eve.path="{folder / "flood.json"}"']
    words += ["--set", 'sinks.eve.events="alert,anomaly,stats"', "--set", 'sinks.flows.type="file"']
    return [*words, "--set", f'sinks.flows.path="{folder / "flows.json"}"', "--set", 'sinks.flows.events="flow"']


def _others(path: Path) -> dict[str, int]:
    """Count the flow events that are not of the flood, their packets, and those that the table had no room for."""
    found: Counter[str] = Counter()
    with path.open("rb") as file:
        for line in file:
            if TARGET.encode() in line:
                continue
            event = json.loads(line)
            found["others_flow_events"] += 1
            found["others_packets"] += event["flow"]["pkts_toserver"] + event["flow"]["pkts_toclient"]
            found["others_with_both_sides"] += event["flow"]["pkts_toclient"] > 0
            found[f"others_ended_by_{event['flow']['reason']}"] += 1
    return dict(found)


def _flooded(cable: Cable, runs: Sequence[Run], seconds: int, pps: int) -> tuple[int, int]:
    """Send everything at once; return how many SYNs were sent, and how many packets of the others."""
    sent: list[int] = []
    players = [threading.Thread(target=lambda each=each: sent.append(play(cable, each))) for each in runs]
    for player in players:
        player.start()
    words = (cable.far_interface, str(seconds), str(pps), "syn", TARGET, "443")
    command = cable.command("far", sys.executable, "-m", "benchmarks.endurance.sender", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    for player in players:
        player.join()
    return int(done.stdout), sum(sent)


def summary(sensor: Sensor, samples: list[Sample], facts: dict[str, Any], until_s: float) -> dict[str, Any]:
    """Print and return what the flood did."""
    stats = [event["stats"] for event in sensor.events("stats")]
    last, alerts = stats[-1], sensor.events("alert")
    at_flood = [sample for sample in samples if until_s / 4 <= sample.at_s <= until_s]
    first, late = samples[0], at_flood or samples
    made = {
        **facts,
        "kernel_packets": last["capture"]["kernel_packets"],
        "kernel_drops": last["capture"]["kernel_drops"],
        "kernel_drop_share": last["capture"]["kernel_drops"] / max(1, last["capture"]["kernel_packets"]),
        "flows_live_most": max(one["flow"]["active"] for one in stats),
        "flows_ended": last["flow"]["total"],
        "flows_evicted": last["flow"]["get_used"],
        "table_mb_most": max(one["flow"]["memuse"] for one in stats) / 2**20,
        "rss_mb_before": first.rss_kb / 1024,
        "rss_mb_last_three_quarters": _range(late),
        "rss_mb_after": samples[-1].rss_kb / 1024,
        "cpu_share": (late[-1].cpu_s - late[0].cpu_s) / max(1e-9, late[-1].at_s - late[0].at_s),
        "alert_lines": len(alerts),
        "alert_lines_of_flood": sum(event["dest_ip"] == TARGET for event in alerts),
        "alerts_by_signature": _by_signature(alerts),
        "rss_mb_every_10_s": [round(sample.rss_kb / 1024, 1) for sample in samples[::10]],
        "log": sensor.said().splitlines()[-8:],
    }
    table("flood", made)
    return made


def _range(samples: Sequence[Sample]) -> list[float]:
    """Return least, median and most resident memory in MiB."""
    sizes = [sample.rss_kb / 1024 for sample in samples]
    return [round(value, 1) for value in (min(sizes), statistics.median(sizes), max(sizes))]


def _by_signature(alerts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return dict(Counter(f"{event['alert']['signature']}" for event in alerts))
