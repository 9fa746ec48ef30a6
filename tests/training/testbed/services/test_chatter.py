"""What answers to machines."""

from typing import Any

from tests.training.testbed.bench import Bench


def answered(bench: Bench) -> dict[str, str]:
    """Ask SNMP agents, the giver of addresses and the printer, and send a line to the log collector."""
    bench.serve("names", "chatter")
    get, said = ["snmpget", "-v2c", "-r1", "-t2", "-Ovq"], {}
    for host in ("infra", "web"):
        said[host] = bench.run("desk", *get, "-c", "public", f"{host}.home.test", "1.3.6.1.2.1.1.5.0").stdout.strip()
    said["stranger"] = str(bench.run("desk", *get, "-c", "no", "infra.home.test", "1.3.6.1.2.1.1.5.0").returncode)
    infra, desk = bench.world.host("infra").v4, bench.world.host("desk").v4
    said["address"] = bench.run("desk", "dhcping", "-i", "-c", desk, "-s", infra, "-h", "02:77:00:00:01:10").stdout
    said["print"] = str(bench.run("desk", "nc", "-N", "-w", "3", infra, "9100", stdin="page").returncode)
    said["log"] = str(bench.run("desk", "logger", "-n", infra, "-P", "514", "-d", "hello").returncode)
    return said


def test_machines_get_their_answers(in_world: Any):
    said = in_world(answered)
    assert said["infra"] == '"infra.home.test"' and said["web"] == '"web.home.test"'
    assert said["stranger"] == "1"
    assert "Got answer from: 10.77.10.10" in said["address"]
    assert said["print"] == said["log"] == "0"
