"""The log files rotated by the system's own logrotate, as its own service runs it."""

import json
from pathlib import Path

from tests.systemd.conftest import Boot
from tests.systemd.machine import Machine
from tests.systemd.wires import FILES, LOG, UNIT, events, lay, scan, send

# logrotate takes a file that it has never seen as new today; these were rotated long ago.
LONG_AGO = 'logrotate state -- version 2\n"/var/log/nettrusion/eve.json" 2020-1-1-0:0:0\n'


def rotate(machine: Machine) -> None:
    """Let the distribution's service rotate whatever is due, a day after the last time."""
    machine.write("/var/lib/logrotate/status", LONG_AGO)
    done = machine.run("systemctl", "start", "logrotate.service", check=False)
    assert done.returncode == 0, machine.journal("logrotate.service")


def found_of(machine: Machine, path: str) -> set[str]:
    """Return who scanned, by the alerts in a file."""
    return {event["src_ip"] for event in events(machine, "alert", path)}


def test_a_rotated_log_is_whole_and_the_sensor_goes_on_in_a_new_one(boot: Boot):
    machine = boot(FILES)
    lay(machine)
    machine.run("systemctl", "start", UNIT)
    pid = machine.show(UNIT, "MainPID")["MainPID"]
    send(machine, scan("192.0.2.1"))
    machine.wait_for("first alert", lambda: found_of(machine, LOG))
    rotate(machine)
    machine.wait_for("new file", lambda: machine.run("test", "-e", LOG, check=False).returncode == 0)
    send(machine, scan("192.0.2.2"))
    machine.wait_for("second alert", lambda: found_of(machine, LOG) == {"192.0.2.2"})
    assert found_of(machine, f"{LOG}.1") == {"192.0.2.1"}
    rotate(machine)
    machine.wait_for("new file", lambda: machine.run("test", "-e", LOG, check=False).returncode == 0)
    packed = machine.run("zcat", f"{LOG}.2.gz").stdout.splitlines()
    assert "192.0.2.1" in {json.loads(line).get("src_ip") for line in packed}
    assert found_of(machine, f"{LOG}.1") == {"192.0.2.2"}
    # Everything is the sensor's own, the new file and what logrotate packed.
    owner = machine.run("stat", "--format=%u", f"/proc/{pid}").stdout
    stats = machine.run("sh", "-c", "stat --format='%a %u' /var/log/nettrusion/*").stdout.splitlines()
    assert stats == [f"640 {owner.strip()}"] * 3
    assert machine.show(UNIT, "MainPID")["MainPID"] == pid


def test_rotating_while_no_sensor_runs_is_no_error(boot: Boot):
    machine = boot(FILES)
    rotate(machine)
    lay(machine)
    machine.run("systemctl", "start", UNIT)
    send(machine, scan("192.0.2.1"))
    machine.wait_for("alert", lambda: found_of(machine, LOG))
    machine.run("systemctl", "stop", UNIT, timeout_s=40)
    rotate(machine)
    assert found_of(machine, f"{LOG}.1") == {"192.0.2.1"}
    assert machine.run("systemctl", "is-active", UNIT, check=False).stdout == "inactive\n"


def test_the_logs_of_a_dynamic_user_become_a_static_ones_and_rotate_as_well(boot: Boot, repo: Path):
    machine = boot(FILES)
    lay(machine)
    machine.run("systemctl", "start", UNIT)
    send(machine, scan("192.0.2.1"))
    machine.wait_for("first alert", lambda: found_of(machine, LOG))
    machine.run("systemctl", "stop", UNIT, timeout_s=40)

    machine.write("/usr/lib/sysusers.d/nettrusion.conf", (repo / "systemd/nettrusion.sysusers").read_text())
    machine.write(
        "/etc/systemd/system/nettrusion@.service.d/static-user.conf",
        (repo / "systemd/drop-ins/static-user.conf").read_text(),
    )
    machine.run("systemd-sysusers")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", UNIT)
    send(machine, scan("192.0.2.2"))
    machine.wait_for("second alert", lambda: found_of(machine, LOG) == {"192.0.2.1", "192.0.2.2"})
    assert machine.run("stat", "--format=%F %U %a", "/var/log/nettrusion").stdout == "directory nettrusion 750\n"
    rotate(machine)
    machine.wait_for("new file", lambda: machine.run("test", "-e", LOG, check=False).returncode == 0)
    # What the static user is for: a member of its group reads the log.
    machine.run("useradd", "--groups", "nettrusion", "reader")
    read = machine.run("setpriv", "--reuid=reader", "--regid=reader", "--init-groups", "cat", f"{LOG}.1")
    assert "192.0.2.2" in read.stdout


def test_a_group_of_the_users_name_keeps_a_dynamic_user_from_being_made(boot: Boot):
    """Why nothing is installed into sysusers.d; if a later systemd allows it, the operator's page is wrong."""
    machine = boot(FILES)
    lay(machine)
    machine.run("groupadd", "--system", "nettrusion")
    assert machine.run("systemctl", "start", UNIT, check=False).returncode
    machine.run("groupdel", "nettrusion")
    machine.run("systemctl", "reset-failed", UNIT)
    machine.run("systemctl", "start", UNIT)
