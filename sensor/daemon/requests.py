"""What an operator asks of a running daemon, and the signals that say it.

The signals must be blocked before any thread is there, so that none but the waiting one is given them; a thread that
leaves one unblocked lets it end the process. Numerical libraries start threads when they are imported, which is why
nothing is imported here that does.
"""

import enum
import signal
from collections.abc import Mapping
from typing import Final


class Request(enum.Enum):
    """What an operator asks of a running daemon."""

    STOP = enum.auto()
    RELOAD = enum.auto()
    SUMMARY = enum.auto()


SIGNALS: Final[Mapping[int, Request]] = {
    signal.SIGTERM: Request.STOP,
    signal.SIGINT: Request.STOP,
    signal.SIGHUP: Request.RELOAD,
    signal.SIGUSR1: Request.SUMMARY,
}

ENDING: Final = frozenset(number for number, request in SIGNALS.items() if request is Request.STOP)


def block_signals() -> None:
    """Block `SIGNALS` in this thread and in all that it will start."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS.keys())


def from_signals(timeout_s: float) -> Request | None:
    """Wait for one of `SIGNALS`, which must be blocked in every thread; of several the end comes first.

    The kernel hands them out by number, and who sends SIGHUP all the time would keep SIGTERM waiting.
    """
    got = signal.sigtimedwait(ENDING, 0) or signal.sigtimedwait(SIGNALS.keys(), timeout_s)
    return SIGNALS[got.si_signo] if got is not None else None
