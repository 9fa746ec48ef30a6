"""Floods: how many, how fast, from whom."""

import struct
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import Act, of, opened, option, rehearsed
from training.testbed.attackers.floods import HPING, KINDS, NPING, REFLECTORS, question

FLOOD, HTTP, BOTS, BOT_HTTP = (of(KINDS, name) for name in ("flood", "http-flood", "bot-flood", "bot-http"))
AMPLIFY, REFLECT = of(KINDS, "amplification"), of(KINDS, "reflection")


@pytest.mark.parametrize("protocol", HPING)
def test_a_flood_is_counted_and_paced(protocol: str, tmp_path: Path):
    for tool in ("hping3", "nping"):
        (words,) = rehearsed(FLOOD, tmp_path, tool=tool, protocol=protocol, packets=300, rate=200).commands
        assert words[0] == tool and 50 < int(option(words, "-c")) <= 1_200 and "--flood" not in words
        assert set({"hping3": HPING, "nping": NPING}[tool][protocol]) <= set(words)


def test_a_source_is_own_invented_or_given(tmp_path: Path):
    assert not {"-a", "--rand-source"} & set(rehearsed(FLOOD, tmp_path).commands[0])
    assert "--rand-source" in rehearsed(FLOOD, tmp_path, source="random").commands[0]
    assert option(rehearsed(FLOOD, tmp_path, source="203.0.113.9").commands[0], "-a") == "203.0.113.9"


@pytest.mark.parametrize("tool", ["ab", "siege", "h2load", "curl"])
def test_requests_are_counted(tool: str, tmp_path: Path):
    stage = rehearsed(HTTP, tmp_path, tool=tool, requests=100)
    (words,) = stage.commands
    if tool == "curl":
        asked = Path(option(words, "-K")).read_text().count("url = ")
    elif tool == "siege":
        asked = int(option(words, "-c")) * int(option(words, "-r"))
    else:
        asked = int(option(words, "-n"))
    assert words[0] == tool and 30 <= asked <= 400 and stage.longest_s < HTTP.limit_s


def test_every_bot_has_an_address_of_its_own(tmp_path: Path):
    for kind, name in ((BOTS, "-a"), (REFLECT, "-a")):
        sources = [option(words, name) for words in rehearsed(kind, tmp_path, host="bots", bots=12).commands]
        assert len(sources) == len(set(sources)) >= 8 and all(one.startswith("198.18.102.") for one in sources)
    for tool, name in (("ab", "-B"), ("curl", "--interface")):
        stage = rehearsed(BOT_HTTP, tmp_path, host="bots", tool=tool)
        assert len({option(words, name) for words in stage.commands}) == len(stage.commands) > 5


def test_amplification_asks_in_the_victims_name(tmp_path: Path):
    (words,) = rehearsed(AMPLIFY, tmp_path, tool="hping3", victim="store").commands
    assert option(words, "-a") == "10.77.11.10" and words[-1] == "10.77.10.10"
    query = Path(option(words, "-E")).read_bytes()
    assert query == question("home.test", 255) or query == question("www.home.test", 255)
    assert struct.unpack("!6H", query[:12])[2:] == (1, 0, 0, 1)
    (words,) = rehearsed(AMPLIFY, tmp_path, tool="nping", victim="web").commands
    assert option(words, "-S") == "10.77.9.10" and bytes.fromhex(option(words, "--data"))[12:]


def test_reflected_answers_come_from_a_service_port(tmp_path: Path):
    ports = {option(words, "-s") for words in rehearsed(REFLECT, tmp_path, host="bots").commands}
    assert len(ports) == 1 and int(ports.pop()) in REFLECTORS


def test_floods_are_what_they_say_for_real(in_world: Any):
    acts: list[Act] = [("floods", "flood", "attacker", {"packets": 60, "rate": 300, "port": 80})]
    acts += [("floods", "bot-http", "bots", {"bots": 4, "requests": 4, "tool": "ab", "path": "/search?q=a"})]
    (wrong, flood), (also_wrong, bots) = in_world(opened, ["web"], acts)
    assert not wrong and not also_wrong
    assert sum(address == "10.77.9.10" and port == 80 and count <= 2 for _, address, port, count in flood) > 25
    assert sum(port == 80 and count >= 3 for _, _, port, count in bots) >= 6
