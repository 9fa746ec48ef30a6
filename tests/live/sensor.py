"""A real daemon on a cable: started, waited for until it is ready, told things, stopped, its events read.

    with Sensor(cable, tmp_path, "--set", "capture.workers=2") as sensor:
        replay(cable, capture)
        sensor.stop()
    sensor.events("alert")
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.live.cable import Cable

START_S = 60.0
END_S = 60.0


class Sensor:
    """`nettrusion run` as a process of its own in the namespace of a cable's near end."""

    def __init__(
        self, cable: Cable, folder: Path, *words: str, name: str = "sensor", env: dict[str, str] | None = None
    ) -> None:
        """Prepare; its files go into `folder` under `name`."""
        self.cable = cable
        self.output = folder / f"{name}.json"
        self.log = folder / f"{name}.log"
        self.states: list[str] = []
        self._socket_path = folder / f"{name}.notify"
        self._words = words
        self._env = env or {}
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        """Start it and wait until it says that it is ready."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket_path.unlink(missing_ok=True)
        self._socket.bind(str(self._socket_path))
        words = [
            *(sys.executable, "-m", "sensor.cli", "run", "-i", self.cable.interface),
            *("--set", f"output.path={self.output}", "--set", "output.flow_events=true"),
            *("--set", "sensor.home_net=[10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10]"),
            *self._words,
        ]
        env = {**os.environ, "NOTIFY_SOCKET": str(self._socket_path), **self._env}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.cable.command("sensor", *words), stderr=log, stdout=log, env=env)
        self.wait_for("READY=1")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(END_S)
        self._socket.close()
        self._socket_path.unlink(missing_ok=True)

    def wait_for(self, word: str, seconds: float = START_S) -> str:
        """Wait for a message to the service manager that holds a word, and return it."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            if self.process.poll() is not None:
                raise AssertionError(f"the sensor ended with {self.process.returncode}: {self.said()}")
            if select.select([self._socket], [], [], 0.2)[0]:
                message = self._socket.recv(65536).decode()
                self.states.append(message)
                if word in message:
                    return message
        raise AssertionError(f"no {word} in {seconds} s: {self.said()}")

    def until(self, met: Callable[[], bool], seconds: float = START_S) -> None:
        """Wait until something is so."""
        until_s = time.monotonic() + seconds
        while not met():
            assert self.process.poll() is None, f"the sensor ended: {self.said()}"
            assert time.monotonic() < until_s, f"not so in {seconds} s: {self.said()}"
            select.select([self._socket], [], [], 0.05)
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self, seconds: float = END_S) -> int:
        """Ask it to end and return its exit code."""
        self.send(signal.SIGTERM)
        return self.process.wait(seconds)

    def said(self) -> str:
        """Return its log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the events written so far; a whole line that is no JSON object is an error."""
        return [event for event in read_events(self.output) if kind is None or event["event_type"] == kind]

    def packets(self) -> int:
        """Return how many packets it has read, as it says itself when asked."""
        before = self.said().count("\npackets ")
        self.send(signal.SIGUSR1)
        self.until(lambda: self.said().count("\npackets ") > before)
        return int(self.said().rpartition("\npackets ")[2].partition(",  ")[0].split(", bytes")[0].replace(",", ""))

    def rss_kb(self) -> int:
        """Return its resident memory."""
        return next(
            int(line.split()[1])
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the events of a file of them; a last line that is being written is left out."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
