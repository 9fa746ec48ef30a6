"""A recording made here and now: acts, programs, packets and labels tell one story."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.stages import kind
from training.testbed import manifest as manifest_module
from training.testbed import recording
from training.testbed.casting import Cast
from training.testbed.labels import Story
from training.testbed.network import build
from training.testbed.packets import load, sort
from training.testbed.plan import Act, plan
from training.testbed.play import Outcome, Played
from training.testbed.programs import Run
from training.testbed.recording import Raw, keep, story
from training.testbed.settings import load as profile


@pytest.fixture(scope="session")
def told(recorded: Path) -> dict[str, Any]:
    """Return the manifest's document."""
    return manifest_module.load(recorded)


@pytest.fixture(scope="session")
def rows(recorded: Path, told: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the labels."""
    with (recorded.parent / told["labels"]["file"]).open(newline="") as table:
        return list(csv.DictReader(table))


def test_the_labels_follow_from_the_files(recorded: Path):
    assert manifest_module.check(recorded)["seed"] == 5


def test_every_act_of_the_plan_was_played_as_planned(told: dict[str, Any]):
    planned = {act.number: act for act in plan(profile("brief"), 5)}
    assert told["left_out"] == {} and told["cut"] == 0
    assert [act["act"] for act in told["acts"]] == sorted(planned)
    late = Counter(act["start_ns"] - planned[act["act"]].virtual_start_ns for act in told["acts"])
    # An act may be moved on by seconds where a 5-tuple would be in two places at a time; the notes say so.
    assert late[0] >= len(planned) - len(told["notes"]) and min(late) == 0


def test_what_is_recorded_is_what_the_plan_says_and_mostly_benign(rows: list[dict[str, str]], told: dict[str, Any]):
    labels = Counter(row["label"] for row in rows)
    assert set(labels) == {"benign", "scan", "bruteforce"}
    assert labels["benign"] > 0.8 * len(rows) > 400
    assert {row["activity"] for row in rows} >= {"web-page", "port-scan", "ssh-guessing", "mail-send", "dns", "kernel"}
    assert told["labels"]["conversations"]["by_label"] == dict(labels)


def test_every_row_is_a_run_of_its_act_on_its_host(rows: list[dict[str, str]], told: dict[str, Any]):
    runs = {run["run"]: run for run in told["runs"]}
    acts = {act["act"]: act for act in told["acts"]}
    own = manifest_module.story(told).addresses
    for row in rows:
        # A packet from nowhere (::) is of a kernel that looks whether its address is free.
        assert row["src"] == "::" or row["src"] in own[row["host"]]
        if row["run"] == "0":
            assert row["activity"] == row["tool"] == "kernel"
            continue
        run = runs[int(row["run"])]
        assert (run["act"], run["tool"], run["host"]) == (int(row["act"]), row["tool"], row["host"])
        if run["act"]:
            act = acts[run["act"]]
            assert (act["kind"], act["label"]) == (row["activity"], row["label"])
            assert run["start_ns"] / 1e9 - 1e-3 <= float(row["start"]) <= run["end_ns"] / 1e9 + 10


def test_times_are_virtual_and_the_day_is_as_long_as_planned(rows: list[dict[str, str]], told: dict[str, Any]):
    begins = profile("brief").begins_ns / 1e9
    starts = [float(row["start"]) for row in rows]
    assert begins - 5 <= min(starts) and max(starts) <= begins + 0.2 * 3600 + 60
    assert max(starts) - min(starts) > 0.15 * 3600
    assert told["capture"]["start_ns"] <= min(starts) * 1e9 + 1e3


def test_benign_and_attack_go_between_the_same_hosts(rows: list[dict[str, str]]):
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        pairs.setdefault(row["label"], set()).add((row["src"], row["dst"]))
    assert pairs["scan"] & pairs["benign"]
    assert pairs["bruteforce"] & pairs["benign"]


def test_the_capture_holds_each_conversation_with_its_packets(recorded: Path, rows: list[dict[str, str]]):
    capture = load(recorded.parent / "brief.pcap.gz")
    assert len(capture) == json.loads(recorded.read_text())["capture"]["packets"]
    talks, _ = sort(capture)
    # Where raw sockets hand a 5-tuple on, the rows are more than what the packets alone show.
    assert len(talks) <= len(rows) < len(talks) + 20
    assert sum(sum(talk.packets) for talk in talks) == sum(int(row["packets"]) for row in rows)
    assert int(capture.wire.max()) <= 1514 and int(capture.kept.max()) <= 192


def test_nobody_talks_to_anybody_outside(rows: list[dict[str, str]]):
    inside = (
        "10.77.",
        "fd77:",
        "198.18.",
        "2001:db8:",
        "fe80::",
        "ff02::",
        "224.",
        "239.",
        "255.255.255.255",
        "0.0.0.0",
    )
    assert all(row[end].startswith((*inside, "::")) for row in rows for end in ("src", "dst"))


def test_servers_and_tshark_are_witnesses(told: dict[str, Any]):
    witnesses = told["witnesses"]
    assert witnesses["tshark tcp streams"] > 100 and witnesses["tshark udp streams"] > 100
    assert witnesses["nginx benign"] > 50 and witnesses["sshd bruteforce"] > 2


def test_services_have_runs_and_nothing_was_lost(told: dict[str, Any]):
    runs = {run["run"]: run for run in told["runs"]}
    assert {entry["service"] for entry in told["services"]} >= {"web", "sites", "dns", "updns", "mail", "shell-web"}
    assert all(runs[entry["run"]]["act"] == 0 for entry in told["services"])
    assert told["capture"]["dropped"] == 0
    assert told["versions"]["nginx-light"] and told["versions"]["linux"]
    assert "password" not in json.dumps(told["network"])


def raw(log: Path) -> Raw:
    act = Act(1, "page", "desk", 5_000_000_000, {"size": 2}, "seed")
    run = Run(2, 1, "curl", "desk", "curl http://x", 1_000, 3_000, 0)
    server = Run(1, 0, "nginx", "web", "nginx", 0, 9_000, -15)
    outcome = Outcome([Played(act, 1_000, 4_000)])
    return Raw(outcome, {1: server, 2: run}, [], [], [], [], {}, log, 192)


def test_a_story_has_virtual_acts_and_real_runs():
    made = story(raw(Path("x")), _cast(), build())
    act = made.acts[1]
    assert (act.start_ns, act.real_ns, act.end_ns, act.label) == (5_000_000_000, 1_000, 5_000_003_000, "benign")
    assert made.runs[2].start_ns == 1_000
    assert "10.77.9.200" in made.addresses["web"]


def test_what_cannot_be_labelled_is_left_to_look_at(tmp_path: Path):
    log = tmp_path / "sockets.csv"
    log.write_text("")
    world = build()
    told: Story = story(raw(log), _cast(), world)
    keep(raw(log), told, world, tmp_path / "left")
    left = json.loads((tmp_path / "left" / "story.json").read_text())
    assert (left["acts"][0]["kind"], left["runs"][1]["tool"]) == ("page", "curl")
    assert (tmp_path / "left" / "sockets.csv").exists()


def _cast() -> Cast:
    return Cast({"page": kind("page", print)}, {})


def test_the_logs_of_services_are_those_that_there_are(tmp_path: Path):
    assert recording.logs([], story(raw(tmp_path), _cast(), build())) == ({}, {})
