"""The clock: events are worth little when nobody knows when they happened."""

import ctypes
import datetime
import time
from collections.abc import Callable, Iterator

from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene

EARLIEST_YEAR, LATEST_YEAR = 2025, 2100
TIME_ERROR = 5
TIMEX_BYTES = 1024  # more than any system's struct timex
STEP_S = 0.05
NTP = "switch time synchronisation on: timedatectl set-ntp true, or install chrony"


def adjtimex() -> int:
    """Ask the kernel for the state of its clock: 0 to 4 when something keeps it right, 5 when nothing does.

    -1 when it may not be asked. Nothing is changed, as `modes` is 0.
    """
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))


def check_clock(scene: Scene, now_s: float | None = None, state: Callable[[], int] = adjtimex) -> Iterator[Finding]:
    """Whether the year can be right and something keeps the clock so."""
    now = datetime.datetime.fromtimestamp(time.time() if now_s is None else now_s, datetime.UTC)
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if not EARLIEST_YEAR <= now.year <= LATEST_YEAR:
        yield Finding("clock", "fail", f"{told} cannot be", f"set it; {NTP}")
        return
    said = state()
    if said == TIME_ERROR and scene.read("/run/systemd/timesync/synchronized") is None:
        yield Finding("clock", "warning", f"{told}, and nothing keeps it right", NTP)
    elif said < 0:
        yield Finding("clock", "note", f"{told}; the kernel did not tell whether something keeps it right")
    else:
        yield Finding("clock", "ok", f"{told}, kept right")


def reading() -> float:
    """Return by how many seconds Unix time is ahead of the monotonic clock."""
    return time.time() - time.monotonic()


def check_step(before_s: float) -> Iterator[Finding]:
    """Say when the clock was set to another time since `reading` gave `before_s`."""
    step_s = reading() - before_s
    if abs(step_s) > STEP_S:
        yield Finding("clock", "warning", f"it jumped by {step_s:+.3f} s while looking", NTP)
