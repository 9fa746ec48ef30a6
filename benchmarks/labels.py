"""How the bundled model does on the bundled capture, by label: the figures of the README.

nettrusion score sensor/data/demo.pcap.gz --flows -o eve.json
python -m benchmarks.labels eve.json sensor/data/demo.labels.csv
"""

import csv
import json
import sys
from collections import Counter
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

NAMES = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "IPv6-ICMP": "icmp6"}
Key = tuple[str, frozenset[tuple[str, int]]]


def key(proto: str, *ends: tuple[str, int]) -> Key:
    """Name a conversation whatever its direction."""
    return proto, frozenset((str(ip_address(address)), port) for address, port in ends)


def main() -> None:
    """Print, for each label and tool, how many flows scored at or above the threshold."""
    events, labels = (Path(name).read_text(encoding="utf-8").splitlines() for name in sys.argv[1:3])
    runs: dict[Key, list[tuple[float, str, str]]] = {}
    for row in csv.DictReader(labels):
        ends = (row["src"], int(row["sport"])), (row["dst"], int(row["dport"]))
        runs.setdefault(key(row["proto"], *ends), []).append((float(row["start"]), row["label"], row["tool"]))
    flows: Counter[tuple[str, str]] = Counter()
    above: Counter[tuple[str, str]] = Counter()
    for event in map(json.loads, events):
        if event["event_type"] == "flow":
            ends = (event["src_ip"], event.get("src_port", 0)), (event["dest_ip"], event.get("dest_port", 0))
            start = datetime.strptime(event["flow"]["start"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
            _, label, tool = min(runs[key(NAMES[event["proto"]], *ends)], key=lambda run: abs(run[0] - start))
            flows[label, tool] += 1
            above[label, tool] += any(bit.startswith("ml.") for bit in event["metadata"].get("flowbits", []))
    for label, tool in sorted(flows):
        print(f"{label:13}{tool:14}{above[label, tool]:5} of {flows[label, tool]:4} flows at or above the threshold")


if __name__ == "__main__":
    main()
