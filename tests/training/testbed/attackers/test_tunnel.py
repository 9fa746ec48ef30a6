"""DNS tunnels: how they are opened, and that something goes through."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import Act, of, opened, option, rehearsed
from training.testbed.attackers.tunnel import ENCODINGS, KINDS
from training.testbed.services import tunnel

IODINE, DNS2TCP = of(KINDS, "dns-tunnel"), of(KINDS, "dns2tcp-tunnel")


@pytest.mark.parametrize("kind", ENCODINGS)
def test_iodine_asks_the_attacker_in_the_given_type(kind: str, tmp_path: Path):
    stage = rehearsed(IODINE, tmp_path, host="laptop", type=kind)
    words = stage.commands[0]
    assert words[0] == "iodine" and option(words, "-T") == kind and words[-2:] == ("198.18.101.10", tunnel.ZONE)
    assert ("-O" in words) == (kind not in ("NULL", "PRIVATE")) and "-r" in words
    assert any(tunnel.INNER in " ".join(later) for later in stage.commands[1:])


def test_a_relay_is_the_house_own_name_server(tmp_path: Path):
    words = rehearsed(IODINE, tmp_path, host="laptop", relay=True, fragment=0, raw=True).commands[0]
    assert words[-2] == "10.77.10.10" and "-m" not in words and "-r" not in words


def test_dns2tcp_carries_web_and_copies(tmp_path: Path):
    for resource, tool in (("http", "curl"), ("ssh", "scp")):
        stage = rehearsed(DNS2TCP, tmp_path, host="desk", resource=resource)
        port = option(stage.commands[0], "-l")
        assert stage.commands[0][-1] == "198.18.101.11" and stage.commands[1][0] == tool
        assert port in " ".join(stage.commands[1])


def test_tunnels_carry_something_for_real(in_world: Any):
    acts: list[Act] = [
        ("tunnel", "dns-tunnel", "laptop", {"rounds": 1, "handshake": 2.0, "bytes": 2_000, "type": "TXT", "idle": 0})
    ]
    acts += [("tunnel", "dns2tcp-tunnel", "desk", {"rounds": 1, "bytes": 2_000, "resource": "http", "idle": 0})]
    for wrong, rows in in_world(opened, ["c2", "tunnel", "sink"], acts):
        assert not wrong
        assert sum(count for protocol, address, port, count in rows if protocol == "udp" and port == 53) > 30
