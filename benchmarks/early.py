"""What early verdicts cost in false alarms: python -m benchmarks.early FOLDER.

FOLDER holds `benign/` and `attack/`, captures of one kind each. All are scored with the shipped model and rules,
once for each setting of `flows.snapshot_closed` and `flows.snapshot_pkts`; printed are the incidents told.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

SETTINGS = ((False, 0), (True, 0), (True, 10), (True, 20), (True, 50), (True, 100))


class Kept:
    """A sink that keeps the incidents it is told of."""

    def __init__(self) -> None:
        self.incidents = 0

    def write(self, lines: Sequence[bytes]) -> None:
        """Count the alerts that are not later words on earlier ones."""
        for event in map(json.loads, lines):
            first = event["event_type"] == "alert" and "ml_incident_flows" not in event["alert"]["metadata"]
            self.incidents += first

    def flush(self) -> None:
        """Nothing waits."""


def main() -> None:
    """Score every capture with every setting and print a line for each."""
    from sensor.config import Config, StatsConfig
    from sensor.pipeline import Pipeline
    from sensor.scoring import load_detector, load_rulebook
    from sensor.sources import open_capture

    parser = argparse.ArgumentParser(prog="python -m benchmarks.early", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    detector = load_detector(Config())
    print("closed  packets  benign: incidents  captures told of  attack: incidents  captures told of")
    for closed, packets in SETTINGS:
        config = Config(stats=StatsConfig(enabled=False))
        config = replace(config, flows=replace(config.flows, snapshot_closed=closed, snapshot_pkts=packets))
        told: Counter[str] = Counter()
        for kind in ("benign", "attack"):
            for path in sorted((folder / kind).rglob("*.pcap*")):
                sink, source = Kept(), open_capture(path)
                Pipeline(config, detector, load_rulebook(config), sink).run(source)  # type: ignore[arg-type]
                source.close()
                told[kind] += sink.incidents
                told[f"{kind} captures"] += sink.incidents > 0
        figures = (told["benign"], told["benign captures"], told["attack"], told["attack captures"])
        line = (f"{closed!s:6}", f"{packets:7}", *(f"{figure:16}" for figure in figures))
        print("  ".join(line), flush=True)


if __name__ == "__main__":
    main()
