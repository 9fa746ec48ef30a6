"""Scans: what is probed, with what, and that it ends."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import Act, of, opened, option, rehearsed
from training.testbed.acts import Kind
from training.testbed.attackers.scans import COMMON, KINDS, PROBES

PORTS, SWEEP, VERSIONS = (of(KINDS, name) for name in ("port-scan", "host-sweep", "version-scan"))


def probed(words: tuple[str, ...], name: str = "-p") -> list[int]:
    return [int(port) for port in option(words, name).split(",")]


@pytest.mark.parametrize("probe", PROBES)
def test_every_probe_is_nmaps_own(probe: str, tmp_path: Path):
    (words,) = rehearsed(PORTS, tmp_path, probe=probe, ports=30, target="web").commands
    assert words[0] == "nmap" and PROBES[probe] in words and words[-1] == "10.77.9.10" and "--host-timeout" in words


def test_ports_are_some_known_ones_and_more_of_all(tmp_path: Path):
    (words,) = rehearsed(PORTS, tmp_path, ports=80, known=0.25).commands
    ports = probed(words)
    known = set(ports) & set(COMMON)
    assert (
        len(ports) == len(set(ports))
        and 0.1 < len(known) / len(ports) < 0.4
        and all(0 < port < 65536 for port in ports)
    )
    assert probed(rehearsed(PORTS, tmp_path, seed=2).commands[0]) != ports


def test_tools_are_bounded_in_rate_and_count(tmp_path: Path):
    (words,) = rehearsed(PORTS, tmp_path, tool="masscan", rate=50).commands
    assert 10 < int(option(words, "--rate")) <= 200 and option(words, "--adapter-ip") == "198.18.101.10"
    (words,) = rehearsed(PORTS, tmp_path, tool="hping3", rate=100, probe="fin").commands
    assert "-F" in words and len(probed(words, "--scan")) <= 4 * 80 and int(option(words, "-i")[1:]) >= 2_500
    loop = rehearsed(PORTS, tmp_path, tool="ncat", ports=10, rate=20)
    assert all(words[:3] == ("ncat", "-n", "-z") for words in loop.commands) and 0 < loop.paused_s < 10


def test_a_sweep_meets_the_hosts_of_a_side_and_many_that_are_not_there(tmp_path: Path):
    (words,) = rehearsed(SWEEP, tmp_path, side="servers", hosts=30).commands
    places = {word for word in words if word.startswith("10.77.")}
    assert {"10.77.9.10", "10.77.10.10", "10.77.11.10"} < places and len(places) > 10
    (words,) = rehearsed(SWEEP, tmp_path, host="laptop", side="inside", tool="fping").commands
    assert words[0] == "fping" and "10.77.1.10" in words and "10.77.2.10" not in words


def test_everything_ends_before_the_act_does(tmp_path: Path):
    tried: tuple[tuple[Kind, dict[str, Any]], ...] = (
        (PORTS, {"tool": "masscan"}),
        (SWEEP, {"probe": "ping"}),
        (VERSIONS, {"scripts": "default"}),
    )
    for kind, settings in tried:
        for seed in range(5):
            stage = rehearsed(kind, tmp_path, seed, **settings)
            assert kind.label == "scan" and stage.longest_s + stage.paused_s < kind.limit_s


def test_scans_reach_every_port_for_real(in_world: Any):
    acts: list[Act] = [
        ("scans", "port-scan", "attacker", {"target": "web", "ports": 20, "tool": tool}) for tool in ("nmap", "masscan")
    ]
    for wrong, rows in in_world(opened, ["web"], acts):
        ports = {port for protocol, address, port, _ in rows if protocol == "tcp" and address == "10.77.9.10"}
        assert not wrong and len(ports) > 8
