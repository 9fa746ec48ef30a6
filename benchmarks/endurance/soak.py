"""Soak: mixed traffic for half an hour, and whether memory stays where it is after the first minutes."""

import json
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.endurance.process import Sample, Sampler
from benchmarks.endurance.report import figures_of, table
from benchmarks.endurance.traffic import demo, mixture, play, widen
from tests.live.cable import laid
from tests.live.sensor import Sensor

EVERY_S = 5.0
SETTLED_S = 300.0
ALLOWED = 0.05


def run(folder: Path, captures: Path | None, minutes: float) -> dict[str, Any]:
    """Send for so many minutes; samples go to `rss.jsonl` in the folder as they are taken."""
    words = [
        *("--set", "stats.interval_s=10"),
        *("--set", 'sinks.eve.type="file"', "--set", f'sinks.eve.path="{folder / "eve.json"}"'),
        *("--set", 'sinks.eve.events="alert,anomaly,stats"'),
        *("--set", 'sinks.flows.type="file"', "--set", 'sinks.flows.path="/dev/null"'),
        *("--set", 'sinks.flows.events="flow"'),
    ]
    bundled, sent, runs = demo(folder), 0, 0
    with laid() as cable, (folder / "rss.jsonl").open("w") as out:
        widen(cable)

        def told(sample: Sample) -> None:
            out.write(json.dumps(figures_of(sample)) + "\n")
            out.flush()

        with Sensor(cable, folder, *words, name="soak") as sensor:
            with Sampler(sensor.process.pid, EVERY_S, told) as sampler:
                until_s = time.monotonic() + minutes * 60
                for each in mixture(bundled, captures):
                    sent += play(cable, each)
                    runs += 1
                    if time.monotonic() >= until_s:
                        break
            code = sensor.stop()
            said = sensor.said()
    return summary(sampler.samples, {"sent": sent, "runs": runs, "exit_code": code, "log": said.splitlines()[-12:]})


def summary(samples: list[Sample], facts: dict[str, Any]) -> dict[str, Any]:
    """Print and return how far memory went from what it was when the first minutes were over."""
    settled = [sample for sample in samples if sample.at_s >= SETTLED_S] or samples
    first = statistics.median(sample.rss_kb for sample in settled[:12])
    low, high = min(s.rss_kb for s in settled), max(s.rss_kb for s in settled)
    last = samples[-1]
    away = max(high - first, first - low) / first
    made = {
        **facts,
        "minutes": last.at_s / 60,
        "packets_per_s": facts.get("sent", 0) / last.at_s if last.at_s else 0,
        "rss_mb_after_5_min": first / 1024,
        "rss_mb_least": low / 1024,
        "rss_mb_most": high / 1024,
        "rss_mb_last": last.rss_kb / 1024,
        "away": away,
        "within": away <= ALLOWED,
        "threads": sorted({sample.threads for sample in settled}),
        "files": sorted({sample.files for sample in settled}),
        "cpu_share": last.cpu_s / last.at_s if last.at_s else 0,
        "rss_mb_by_minute": [round(sample.rss_kb / 1024, 1) for sample in samples[:: int(60 / EVERY_S)]],
    }
    table("soak", made)
    return made
