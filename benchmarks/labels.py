"""How the bundled model does on the bundled capture, by label: python -m benchmarks.labels.

Another recording, or another model, by the events that `nettrusion score CAPTURE --flows -o eve.json` wrote:

python -m benchmarks.labels eve.json NAME.labels.csv
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "sensor" / "data"
NAMES = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "IPv6-ICMP": "icmp6"}
Key = tuple[str, frozenset[tuple[str, int]]]


def key(proto: str, *ends: tuple[str, int]) -> Key:
    """Name a conversation whatever its direction."""
    return proto, frozenset((str(ip_address(address)), port) for address, port in ends)


@dataclass(frozen=True, slots=True)
class Found:
    """How many flows of each label and tool there were, and how many of them scored at or above the threshold."""

    flows: Counter[tuple[str, str]]
    above: Counter[tuple[str, str]]

    def of(self, label: str) -> tuple[int, int]:
        """Return how many flows of a label reached the threshold, and how many there were."""
        found, flows = (
            sum(count for (name, _), count in counts.items() if name == label) for counts in (self.above, self.flows)
        )
        return found, flows


class Conversations:
    """Whose conversation was whose, by the lines of a recording's CSV of labels."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Read the lines, the heading first."""
        self._runs: dict[Key, list[tuple[float, str, str]]] = {}
        for row in csv.DictReader(lines):
            ends = (row["src"], int(row["sport"])), (row["dst"], int(row["dport"]))
            self._runs.setdefault(key(row["proto"], *ends), []).append((float(row["start"]), row["label"], row["tool"]))

    def of(self, event: Mapping[str, Any]) -> tuple[str, str]:
        """Return label and tool of the conversation that a flow or an alert is of.

        Of several between the same ends it is the one that began nearest to it.
        """
        ends = (event["src_ip"], event.get("src_port", 0)), (event["dest_ip"], event.get("dest_port", 0))
        start = datetime.strptime(event["flow"]["start"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        runs = self._runs[key(NAMES[event["proto"]], *ends)]
        _, label, tool = min(runs, key=lambda run: abs(run[0] - start))
        return label, tool


def count(events: Iterable[Mapping[str, Any]], conversations: Conversations) -> Found:
    """Count flow events by the label of their conversation."""
    found = Found(Counter(), Counter())
    for event in events:
        if event["event_type"] == "flow":
            label, tool = conversations.of(event)
            found.flows[label, tool] += 1
            found.above[label, tool] += any(bit.startswith("ml.") for bit in event["metadata"].get("flowbits", []))
    return found


def bundled(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """Score the bundled capture by the command; return its events, and what it printed. `folder` holds the file."""
    out = folder / "eve.json"
    words = [sys.executable, "-m", "sensor.cli", "score", str(DATA / "demo.pcap.gz"), "--table", "--flows", "-o"]
    done = subprocess.run([*words, str(out)], cwd=DATA.parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()], done.stdout


def bundled_labels() -> Conversations:
    """Return the labels of the bundled capture."""
    return Conversations((DATA / "demo.labels.csv").read_text(encoding="utf-8").splitlines())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print, for each label and tool, how many flows scored at or above the threshold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels", description=__doc__)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="eve.json with flow events, labels.csv")
    files = parser.parse_args(arguments).files
    if len(files) == 2:
        events, labels = (path.read_text(encoding="utf-8").splitlines() for path in files)
        found = count(map(json.loads, events), Conversations(labels))
    elif files:
        parser.error("name the events and the labels, or neither: then the bundled capture is scored")
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = count(bundled(Path(folder))[0], bundled_labels())
    for label, tool in sorted(found.flows):
        counted = f"{found.above[label, tool]:5} of {found.flows[label, tool]:4}"
        print(f"{label:13}{tool:14}{counted} flows at or above the threshold")


if __name__ == "__main__":
    main()
