"""What the servers' own logs say about the labels: a second witness beside the program log."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.labels import Labelled

# What each tool calls itself in the web server's log.
WEB_AGENTS = {"curl/": "curl", "(Hydra)": "hydra"}
SSH_LINE = re.compile(r"(?P<what>Accepted|Failed) (?P<how>\S+) for (?P<user>\S+) from (?P<src>\S+) port (?P<port>\d+)")


def check(rows: Iterable[Labelled], access_log: Path, ssh_log: Path) -> dict[str, int]:
    """Return how many lines of each log agree with the labels.

    Web: whoever calls itself curl or Hydra is labelled so, whoever calls itself something else is
    another tool. SSH: every attempt on the guessers' user is labelled as guessing, every other as
    benign. Raises NettrusionError with the line that disagrees.
    """
    tools: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    labels: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for row in rows:
        key = row.talk.key
        tools[key.src, key.sport, key.dport].add(row.tool)
        labels[key.src, key.sport, key.dport].add(row.label)
    agreed = {"web": 0, "ssh": 0}
    for line in access_log.read_text().splitlines():
        _, src, sport, dport, _, agent = line.split(" ", 5)
        owner = tools[src, int(sport), int(dport)]
        named = next((tool for mark, tool in WEB_AGENTS.items() if mark in agent), None)
        if named not in owner if named else not owner - set(WEB_AGENTS.values()):
            raise NettrusionError(f"The labels contradict the web server's log: {line}: {owner}.")
        agreed["web"] += 1
    for found in SSH_LINE.finditer(ssh_log.read_text()):
        owner = labels[found["src"], int(found["port"]), 22]
        if ("bruteforce" if found["user"] == "guest" else "benign") not in owner:
            raise NettrusionError(f"The labels contradict sshd's log: {found[0]}: {owner}.")
        agreed["ssh"] += 1
    return agreed
