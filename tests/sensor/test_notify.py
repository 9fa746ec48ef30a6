"""What the service manager hears, on a real datagram socket."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.notify import STATUS_BYTES, Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """Yield (NOTIFY_SOCKET as systemd would write it, the socket behind it)."""
    path = str(tmp_path / "notify")
    name = path if request.param == "path" else f"@nettrusion-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0", 1))
        receiver.settimeout(5)
        yield name, receiver


def test_every_change_is_one_datagram_of_assignments(manager: tuple[str, socket.socket]):
    name, receiver = manager
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    notifier.ready("capturing on eth0")
    assert receiver.recv(4096) == b"READY=1\nSTATUS=capturing on eth0"
    notifier.ready()
    assert receiver.recv(4096) == b"READY=1"
    notifier.status("7 flows")
    assert receiver.recv(4096) == b"STATUS=7 flows"
    notifier.watchdog()
    assert receiver.recv(4096) == b"WATCHDOG=1"
    notifier.stopping("draining", within_s=20)
    assert receiver.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000\nSTATUS=draining"
    notifier.stopping()
    assert receiver.recv(4096) == b"STOPPING=1"


def test_a_reload_carries_the_time_at_which_it_began(manager: tuple[str, socket.socket]):
    name, receiver = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier(name).reloading("rules")
    state, clock, status = receiver.recv(4096).decode().split("\n")
    assert (state, status) == ("RELOADING=1", "STATUS=rules")
    key, _, value = clock.partition("=")
    assert key == "MONOTONIC_USEC"
    assert before <= int(value) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_status_can_add_no_line_of_its_own(manager: tuple[str, socket.socket]):
    name, receiver = manager
    notifier = Notifier(name)
    notifier.status("rules:3: bad\nMAINPID=1\n")
    assert receiver.recv(4096) == b"STATUS=rules:3: bad MAINPID=1"
    notifier.status("ü" * STATUS_BYTES)
    assert receiver.recv(4096).decode() == "STATUS=" + "ü" * (STATUS_BYTES // 2)
    notifier.status(" ")
    notifier.status("end")
    assert receiver.recv(4096) == b"STATUS=end"


def test_nothing_is_sent_where_nobody_asks():
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "1000000"})
    assert notifier.watchdog_s is None
    notifier.ready("x")
    notifier.reloading()
    notifier.stopping()
    notifier.watchdog()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time_and_only_when_it_waits_for_us(
    environ: dict[str, str], expected: float | None
):
    assert Notifier.from_environment({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog_s == expected


def test_an_unwatched_sensor_feeds_no_watchdog(manager: tuple[str, socket.socket]):
    name, receiver = manager
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": name})
    notifier.watchdog()
    notifier.status("first")
    assert receiver.recv(4096) == b"STATUS=first"


@pytest.mark.parametrize("address", ["/nonexistent/notify", "vsock:2:1234", "/" + "long" * 100])
def test_a_manager_out_of_reach_is_said_once_and_harms_nothing(address: str, caplog: pytest.LogCaptureFixture):
    notifier = Notifier(address, watchdog_s=1.0)
    with caplog.at_level(logging.WARNING):
        notifier.ready()
        notifier.watchdog()
    assert len(caplog.records) == 1


def test_a_manager_that_does_not_read_blocks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sensor.notify.SEND_TIMEOUT_S", 0.01)
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        filler.setblocking(False)
        with filler, pytest.raises(BlockingIOError):
            while True:
                filler.sendto(b"x", path)
        notifier = Notifier(path, watchdog_s=1.0)
        notifier.watchdog()
        assert receiver.recv(4096) == b"x"
