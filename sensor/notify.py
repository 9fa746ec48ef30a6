"""Tells the service manager how the sensor does: sd_notify(3) in the standard library alone.

The manager names a datagram socket in `$NOTIFY_SOCKET`. Where it does not, every method does nothing,
so the sensor needs no switch for running in a terminal.
"""

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)

# The manager reads at once; a second means that it hangs, and the sensor must not hang with it.
SEND_TIMEOUT_S = 1.0
# Longer ones are cut: a status is one line of `systemctl status`.
STATUS_BYTES = 512


class Notifier:
    """Sends state changes and signs of life to the service manager; never raises.

    Its methods may be called from several threads: one message is one datagram.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        """Remember where to send to; nothing is sent yet.

        Args:
            address: path of a datagram socket, `@name` for an abstract one, "" for none.
            watchdog_s: seconds within which `watchdog` should be called again, None when nobody waits for it.
        """
        self.watchdog_s = watchdog_s if address else None
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._failed = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Notifier":
        """Return the notifier that the service manager asks for in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.

        Half the watchdog's time is taken, as sd_watchdog_enabled(3) recommends. It is not ours when
        WATCHDOG_PID names another process, which inherited or passed on its environment.
        """
        usec = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        watched = ours and usec.isdecimal() and int(usec) > 0
        return cls(environ.get("NOTIFY_SOCKET", ""), int(usec) / 2e6 if watched else None)

    def ready(self, status: str = "") -> None:
        """Say that the sensor captures: after the start, and again after each `reloading`."""
        self._send("READY=1", _status(status))

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(_status(text))

    def reloading(self, status: str = "") -> None:
        """Say that a reload has begun; `ready` ends it, whether the new files were taken or not."""
        begun_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={begun_us}", _status(status))

    def stopping(self, status: str = "", *, within_s: float = 0) -> None:
        """Say that the end has begun, and if it is known, within how many seconds it will be over.

        The manager then waits at least so long before it kills, whatever the unit's TimeoutStopSec.
        """
        longer = f"EXTEND_TIMEOUT_USEC={round(within_s * 1e6)}" if within_s > 0 else ""
        self._send("STOPPING=1", longer, _status(status))

    def watchdog(self) -> None:
        """Give a sign of life; without one for twice `watchdog_s` the manager restarts the sensor."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        """Send one datagram of the lines that are not empty; a failure is logged once until one succeeds."""
        text = "\n".join(line for line in lines if line)
        if not self._address or not text:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_TIMEOUT_S)
                sender.sendto(text.encode(), self._address)
        except OSError as error:
            if not self._failed:
                log.warning("the service manager at $NOTIFY_SOCKET cannot be told %r: %s", text, error)
            self._failed = True
        else:
            self._failed = False


def _status(text: str) -> str:
    """Return the assignment for a status, on one line and not too long, "" for an empty one."""
    line = " ".join(text.split()).encode()[:STATUS_BYTES].decode(errors="ignore")
    return f"STATUS={line}" if line else ""
