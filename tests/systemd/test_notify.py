"""The notifier understood by a real service manager."""

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.machine import Machine
from tests.systemd.root import TREE

UNIT = "told.service"
# Does what it is told by the files that appear in its directory, and takes four seconds to end.
PROGRAM = """\
import os, pathlib, signal, sys, time
from sensor.notify import Notifier
here = pathlib.Path(os.environ["RUNTIME_DIRECTORY"])
notifier = Notifier.from_environment()
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
notifier.ready("first")
while not ending:
    for order in sorted(here.iterdir()):
        getattr(notifier, order.name)(order.read_text())
        order.unlink()
    notifier.watchdog()
    time.sleep(0.05)
notifier.stopping("ending", within_s=20)
time.sleep(4)
"""
SERVICE = f"""\
[Service]
Type=notify
ExecStart=/usr/bin/python3 /opt/told.py
Environment=PYTHONPATH={TREE}
RuntimeDirectory=told
WatchdogSec=2s
TimeoutStopSec=1s
"""


@pytest.fixture
def told(boot: Boot) -> Machine:
    """Return a machine on which the program runs."""
    machine = boot({"/opt/told.py": PROGRAM, f"/etc/systemd/system/{UNIT}": SERVICE})
    machine.run("systemctl", "start", UNIT)
    return machine


def order(machine: Machine, method: str, text: str) -> None:
    """Have the program call a method of its notifier."""
    machine.write(f"/run/{method}", text)
    machine.run("mv", f"/run/{method}", f"/run/told/{method}")


def state(machine: Machine) -> tuple[str, str]:
    """Return what the manager takes the service for, and its status line."""
    shown = machine.show(UNIT, "ActiveState", "StatusText")
    return shown["ActiveState"], shown["StatusText"]


def test_the_manager_follows_every_change(told: Machine):
    assert state(told) == ("active", "first")
    order(told, "status", "second")
    told.wait_for("status", lambda: state(told) == ("active", "second"))
    order(told, "reloading", "third")
    told.wait_for("reload", lambda: state(told) == ("reloading", "third"))
    order(told, "ready", "fourth")
    told.wait_for("end of the reload", lambda: state(told) == ("active", "fourth"))


def test_an_end_that_says_how_long_it_takes_is_waited_for(told: Machine):
    told.run("systemctl", "stop", UNIT)
    said = told.journal(UNIT)
    assert "Deactivated successfully" in said, said
    assert "timed out" not in said


def test_a_fed_watchdog_bites_nobody_and_a_hungry_one_does(told: Machine):
    begun = told.show(UNIT, "WatchdogTimestampMonotonic")
    told.wait_for("sign of life", lambda: told.show(UNIT, "WatchdogTimestampMonotonic") != begun)
    told.run("systemctl", "kill", "--signal=STOP", UNIT)
    told.wait_for("bite", lambda: told.show(UNIT, "Result") == {"Result": "watchdog"})
