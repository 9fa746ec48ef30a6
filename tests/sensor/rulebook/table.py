"""Batches of scored flows and folders of rules, built in a line for the tests beside this file."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sensor.flows import FLOW_DTYPE, Reason
from sensor.rulebook import Rulebook, ScoredFlows, Verdict

CLASSES = ("benign", "dos", "scan", "bot")
NETS = {"HOME_NET": "[10.0.0.0/8,192.168.0.0/16,fc00::/7]", "EXTERNAL_NET": "!$HOME_NET", "WEB": "[80,443]"}
CLASSIFICATION = "config classification: network-scan,Scan of hosts or ports,3\n"
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class F:
    """One flow record; times in seconds. `name` is its class, `pkts` and `bytes` are (to server, to client)."""

    src: str = "198.51.100.1"
    dst: str = "10.0.0.1"
    sport: int = 40000
    dport: int = 80
    proto: int = 6
    end: float = 1000.0
    age: float = 0.0
    name: str = "dos"
    score: int = 950
    rank: int = 5
    pkts: tuple[int, int] = (3, 2)
    bytes: tuple[int, int] = (300, 200)
    app: str | None = None
    id: int = 0
    part: int = 0
    reason: Reason = Reason.FIN


def scored(flows: Sequence[F], *, threshold: int = 900, knows_app: bool = False) -> ScoredFlows:
    """Return a batch; a flow is above the threshold when its score is."""
    table = np.zeros(len(flows), FLOW_DTYPE)
    for row, flow in zip(table, flows, strict=True):
        for side, text in (("src", flow.src), ("dst", flow.dst)):
            if text:
                address = ipaddress.ip_address(text)
                row[side][: len(address.packed)] = list(address.packed)
                row["ip_version"] = address.version
        row["flow_id"], row["part"], row["reason"] = flow.id, flow.part, flow.reason
        row["src_port"], row["dst_port"], row["proto"] = flow.sport, flow.dport, flow.proto
        row["end_ns"] = round(flow.end * 1_000_000) * 1000
        row["start_ns"] = row["end_ns"] - round(flow.age * 1_000_000) * 1000
        for direction, place in (("fwd", 0), ("bwd", 1)):
            row[direction]["pkts"], row[direction]["bytes"] = flow.pkts[place], flow.bytes[place]
    score = np.array([flow.score for flow in flows], np.int64)
    return ScoredFlows(
        flows=table,
        score_permille=score,
        above=score >= threshold,
        class_index=np.array([CLASSES.index(flow.name) for flow in flows], np.int64),
        class_names=CLASSES,
        budget_rank=np.array([flow.rank for flow in flows], np.int64),
        threshold_permille=threshold,
        app_proto=tuple(flow.app for flow in flows) if knows_app else None,
    )


def write(folder: Path, rules: str | Sequence[str], **files: str) -> Path:
    """Write a folder of rules; `threshold="..."` becomes threshold.config, and so on."""
    lines = rules if isinstance(rules, str) else "".join(f"{rule}\n" for rule in rules)
    (folder / "a.rules").write_text(lines)
    (folder / "classification.config").write_text(CLASSIFICATION)
    for name, text in files.items():
        (folder / f"{name}.config").write_text(text)
    return folder


def book(folder: Path, *rules: str, cap: int | None = None, nets: Mapping[str, str] = NETS, **files: str) -> Rulebook:
    """Return a rulebook of some rules, each a line."""
    write(folder, rules, **files)
    return Rulebook.load(folder, nets) if cap is None else Rulebook.load(folder, nets, max_incidents=cap)


def rule(options: str = "", *, head: str = "alert ip any any -> any any", sid: int = 1000001) -> str:
    """Return a rule's text with a message and a sid."""
    return f'{head} (msg:"one"; {options} sid:{sid}; rev:1;)'


def alerted(folder: Path, text: str, flows: Sequence[F], **how: bool) -> list[int]:
    """Return the rows that a single rule alerts on when nothing is grouped."""
    every = "threshold gen_id 0, sig_id 0, type threshold, track by_rule, count 1, seconds 1\n"
    return [one.row for one in book(folder, text, threshold=every).judge(scored(flows, **how))]


def told(verdicts: Sequence[Verdict]) -> list[tuple[int, int, int, bool]]:
    """Return (row, sid, count, update) of each verdict."""
    return [(one.row, one.rule.sid, one.count, one.update) for one in verdicts]
