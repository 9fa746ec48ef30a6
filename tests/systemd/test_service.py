"""The sensor as a service: started, reloaded, stuck, killed and stopped by a real systemd."""

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.machine import Machine
from tests.systemd.wires import FILES, LOG, RULE, RULES, UNIT, events, greetings, lay, scan, send

IMPATIENT = """\
[Service]
WatchdogSec=5s
TimeoutAbortSec=5s
"""
BROKEN = 'alert tcp any any -> any any (msg:"half a rule"; sid:1000999\n'


@pytest.fixture
def machine(boot: Boot) -> Machine:
    """Return a machine with a wire, on which no sensor runs yet."""
    machine = boot(FILES)
    lay(machine)
    return machine


def start(machine: Machine, unit: str = UNIT) -> int:
    """Start the sensor, see that it is ready, and return its PID inside."""
    done = machine.run("systemctl", "start", unit, check=False)
    assert done.returncode == 0, machine.journal(unit)
    shown = machine.show(unit, "ActiveState", "SubState", "MainPID")
    assert (shown["ActiveState"], shown["SubState"]) == ("active", "running")
    return int(shown["MainPID"])


def test_it_is_started_when_it_captures_and_writes_what_it_finds(machine: Machine):
    start(machine)
    said = machine.journal(UNIT)
    # In this order: tried on the packaged capture, listening, and only then started.
    assert said.index("selftest:") < said.index("listening on wire") < said.index("Started nettrusion@wire.service")
    send(machine, scan("192.0.2.7"))
    machine.wait_for("alert", lambda: events(machine, "alert"))
    alert = events(machine, "alert")[0]
    assert (alert["src_ip"], alert["dest_ip"], alert["in_iface"]) == ("192.0.2.7", "10.0.0.1", "wire")
    assert machine.run("stat", "--format=%a", LOG).stdout == "640\n"
    assert "flows scored" in machine.show(UNIT, "StatusText")["StatusText"]


def test_it_is_nobody_with_one_capability_and_no_network(machine: Machine):
    pid = start(machine)
    status = dict(line.split(":\t", 1) for line in machine.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 1 << 13
    assert {61184 <= int(number) <= 65519 for number in status["Uid"].split()} == {True}
    assert status["NoNewPrivs"] == "1"
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        assert len(machine.read(f"/proc/{pid}/net/{table}").splitlines()) == 1, table
    # One packet socket for each worker, and nobody else's.
    owners = {line.split()[7] for line in machine.read(f"/proc/{pid}/net/packet").splitlines()[1:]}
    assert owners == {status["Uid"].split()[0]}


def test_a_reload_takes_new_rules_and_refuses_broken_ones_whole(machine: Machine):
    broken = RULES.replace("own.rules", "broken.rules")
    pid = start(machine)
    machine.write(broken, BROKEN)
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("refusal", lambda: "reload refused" in machine.journal(UNIT))
    assert "broken.rules:1" in machine.journal(UNIT)
    machine.wait_for("end of the reload", lambda: machine.show(UNIT, "SubState")["SubState"] == "running")
    # The rules of before are in force.
    send(machine, scan("192.0.2.8"))
    machine.wait_for("alert", lambda: events(machine, "alert"))

    machine.write(RULES, RULE.replace("OWN scan", "OWN new scan"))
    machine.run("rm", broken)
    machine.run("systemctl", "reload", UNIT)
    machine.wait_for("new rules", lambda: "reloaded:" in machine.journal(UNIT))
    send(machine, scan("192.0.2.9"))
    machine.wait_for("new alert", lambda: "192.0.2.9" in signatures(machine))
    assert signatures(machine)["192.0.2.9"] == "OWN new scan"
    assert machine.show(UNIT, "MainPID", "NRestarts") == {"MainPID": str(pid), "NRestarts": "0"}


def signatures(machine: Machine) -> dict[str, str]:
    """Return by source what was alerted about it last."""
    return {event["src_ip"]: event["alert"]["signature"] for event in events(machine, "alert")}


def test_one_that_is_stuck_is_aborted_and_started_again(machine: Machine):
    machine.write(f"/etc/systemd/system/{UNIT}.d/impatient.conf", IMPATIENT)
    machine.run("systemctl", "daemon-reload")
    pid = start(machine)
    machine.run("kill", "-STOP", str(pid))
    machine.wait_for("restart", lambda: machine.show(UNIT, "NRestarts")["NRestarts"] == "1")
    machine.wait_for("second start", lambda: machine.show(UNIT, "SubState")["SubState"] == "running")
    assert machine.show(UNIT, "MainPID")["MainPID"] != str(pid)
    said = machine.journal(UNIT)
    assert "Watchdog timeout" in said
    # Where it was, for whoever asks why.
    assert "Fatal Python error: Aborted" in said
    send(machine, scan("192.0.2.10"))
    machine.wait_for("alert", lambda: events(machine, "alert"))


def test_one_that_is_killed_is_started_again_and_says_what_was_lost(machine: Machine):
    start(machine)
    machine.wait_for("note", lambda: machine.read("/var/lib/nettrusion/wire/wire.json"))
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", UNIT)
    machine.wait_for("restart", lambda: machine.show(UNIT, "NRestarts")["NRestarts"] == "1")
    machine.wait_for("second start", lambda: machine.show(UNIT, "SubState")["SubState"] == "running")
    assert "did not end in order" in machine.journal(UNIT)


def test_a_stop_writes_the_flows_that_are_open(machine: Machine):
    start(machine)
    send(machine, greetings("192.0.2.11", ports=20))
    machine.wait_for("packets", lambda: _status(machine, "packets") >= 60)
    assert not events(machine, "flow")
    machine.run("systemctl", "stop", UNIT, timeout_s=40)
    flows = [event for event in events(machine, "flow") if event["src_ip"] == "192.0.2.11"]
    assert [flow["flow"]["reason"] for flow in flows] == ["shutdown"] * 20
    assert machine.show(UNIT, "Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    assert machine.run("ls", "/run/nettrusion").stdout == ""


def _status(machine: Machine, what: str) -> int:
    """Return a number of the service's status line."""
    words = machine.show(UNIT, "StatusText")["StatusText"].split()
    return int(words[words.index(f"{what},") - 1].replace(",", "")) if f"{what}," in words else -1


def test_two_instances_share_a_log_and_nothing_else(machine: Machine):
    lay(machine, "other")
    pids = {start(machine), start(machine, "nettrusion@other.service")}
    assert len({machine.run("stat", "--format=%u", f"/proc/{pid}").stdout for pid in pids}) == 1
    for number in range(3):
        send(machine, scan(f"192.0.2.{20 + number}"), "wire")
        send(machine, scan(f"192.0.2.{30 + number}"), "other")
    machine.wait_for("all alerts", lambda: len({e["src_ip"] for e in events(machine, "alert")}) == 6)
    seen = {(e["in_iface"], e["src_ip"][8]) for e in events(machine, "alert")}
    assert seen == {("wire", "2"), ("other", "3")}
    machine.run("systemctl", "stop", "nettrusion@other.service", timeout_s=40)
    assert machine.show(UNIT, "SubState")["SubState"] == "running"


def test_metrics_are_read_over_a_port_that_the_sensor_does_not_have(machine: Machine):
    pytest.importorskip("prometheus_client", reason="the sensor serves metrics with the package prometheus-client")
    pid = start(machine)
    machine.run("systemctl", "start", "nettrusion-metrics@wire.socket")
    send(machine, scan("192.0.2.12"))
    machine.wait_for("alert", lambda: events(machine, "alert"))
    fetch = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9765/metrics', timeout=10).read().decode())"
    page = machine.run("python3", "-c", fetch).stdout
    assert any(line.startswith("nettrusion_") and "alerts" in line for line in page.splitlines()), page
    listening = machine.run("ss", "--tcp", "--listening", "--processes", "--no-header").stdout
    assert "127.0.0.1:9765" in listening
    assert f"pid={pid}," not in listening


def test_an_interface_that_is_not_there_is_named(machine: Machine):
    done = machine.run("systemctl", "start", "nettrusion@nowhere", check=False)
    assert done.returncode
    own = [line for line in machine.journal("nettrusion@nowhere").splitlines() if "nettrusion@nowhere" not in line]
    assert any("nowhere" in line for line in own), own


def test_a_wrong_command_line_is_not_tried_again(machine: Machine):
    machine.write(
        f"/etc/systemd/system/{UNIT}.d/wrong.conf", "[Service]\nExecStart=\nExecStart=nettrusion run --interfaze %i\n"
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", UNIT, check=False)
    assert machine.show(UNIT, "ActiveState", "NRestarts") == {"ActiveState": "failed", "NRestarts": "0"}
