"""Things in a home."""

import json
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.devices import KINDS, SSDP
from training.testbed.services.cloud import MQTT, MQTTS

BY_NAME = {kind.name: kind for kind in KINDS}


def plans(name: str, folder: Path, seed: int, at: str = "laptop") -> dict[str, Any]:
    """Return the plans of an act by their files' names."""
    stage = on_paper(BY_NAME[name], folder, seed, at)
    return {file.stem: json.loads(file.read_text()) for file in sorted(stage.folder.glob("*.json"))}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold([BY_NAME["mqtt"], BY_NAME["dhcp-lease"]], tmp_path, 16)
    for name in ("ssdp-announce", "ssdp-answers", "lan-broadcast", "camera-stream"):
        drawn = [plans(name, tmp_path, seed) for seed in range(16)]
        assert drawn == [plans(name, tmp_path, seed) for seed in range(16)]
        assert len({json.dumps(one) for one in drawn}) > 12, name


def test_a_device_trusts_its_broker_where_the_port_is_for_tls(tmp_path: Path):
    ports = set()
    for seed in range(20):
        for words in on_paper(BY_NAME["mqtt"], tmp_path, seed).commands:
            port = int(words[words.index("-p") + 1])
            assert ("--cafile" in words) == (port == MQTTS)
            ports.add(port)
    assert ports == {MQTT, MQTTS}


def test_nobody_is_given_another_address(tmp_path: Path):
    for seed in range(20):
        for words in on_paper(BY_NAME["dhcp-lease"], tmp_path, seed).commands:
            if "udhcpc" in words:
                assert words[words.index("-s") + 1] == "/bin/true"
            else:
                assert words[words.index("-c") + 1] == on_paper(BY_NAME["dhcp-lease"], tmp_path, seed).host.v4


def test_who_searches_is_answered_where_it_asked_from_and_by_another_host(tmp_path: Path):
    for seed in range(20):
        told = plans("ssdp-answers", tmp_path, seed)
        assert {tuple(one["to"]) for one in told["search"]["asks"]} == {SSDP}
        assert {tuple(one["to"]) for one in told["answer"]["streams"]} == {tuple(told["search"]["local"])}
        assert told["answer"]["local"][0] != told["search"]["local"][0]
        last_s = max(one["at_s"] for one in told["answer"]["streams"])
        assert last_s < told["search"]["until_s"]


def test_what_is_shouted_goes_to_everybody_and_asks_for_no_answer(tmp_path: Path):
    for seed in range(60):
        told = plans("lan-broadcast", tmp_path, seed)["plan"]
        for one in told["asks"]:
            first, last = one["to"][0].split(".")[0], one["to"][0].split(".")[-1]
            assert last == "255" or 224 <= int(first) < 240
            assert one["again"] == 0
        assert told["local"][0] == on_paper(BY_NAME["lan-broadcast"], tmp_path, seed, "laptop").host.v4


def test_pictures_outnumber_reports(tmp_path: Path):
    for seed in range(20):
        told = plans("camera-stream", tmp_path, seed, "camera")
        (pictures,) = told["plan"]["streams"]
        assert pictures["count"] > 12 and pictures["back"] == 0 and pictures["size"] >= 700
        if "viewer" in told:
            (reports,) = told["viewer"]["streams"]
            assert reports["count"] < pictures["count"] and reports["to"][1] == told["plan"]["local"][1]


def lived(bench: Bench) -> list[str]:
    """Let things do everything once, for real."""
    names = ["mqtt", "ssdp-answers", "lan-broadcast", "dhcp-lease"]
    return surprises(bench, "devices", names, ("names", "chatter", "cloud"), 1)


def test_things_live_for_real(in_world: Any):
    assert in_world(lived, limit_s=150.0) == []
