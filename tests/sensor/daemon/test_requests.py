"""Signals as requests: each is given to the one that waits, and they can be blocked before any thread is there."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from sensor.daemon.requests import SIGNALS, Request, block_signals, from_signals


@pytest.fixture(autouse=True)
def blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    block_signals()
    yield
    while signal.sigtimedwait(SIGNALS.keys(), 0):
        pass
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.parametrize(
    ("number", "request_"),
    [
        (signal.SIGTERM, Request.STOP),
        (signal.SIGINT, Request.STOP),
        (signal.SIGHUP, Request.RELOAD),
        (signal.SIGUSR1, Request.SUMMARY),
    ],
)
def test_a_signal_is_a_request(number: signal.Signals, request_: Request):
    signal.pthread_kill(threading.get_ident(), number)
    assert from_signals(5) is request_


def test_nothing_asked_is_none():
    assert from_signals(0.001) is None


def test_a_thread_that_is_started_later_leaves_them_alone():
    seen: set[int] = set()
    thread = threading.Thread(target=lambda: seen.update(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    thread.start()
    thread.join()
    assert seen >= set(SIGNALS)


def test_they_are_blocked_before_a_numerical_library_starts_threads():
    # The command's process from its start to the block; numpy starts threads of its own where there are two cores.
    lines = """
import os, sys, sensor.cli.run, sensor.daemon.requests as requests
assert len(os.listdir("/proc/self/task")) == 1, "a thread is there already"
assert "numpy" not in sys.modules
requests.block_signals()
import numpy
for task in os.listdir("/proc/self/task"):
    status = open(f"/proc/self/task/{task}/status").read()
    masked = int(status.split("SigBlk:")[1].split()[0], 16)
    assert all(masked >> (number - 1) & 1 for number in requests.SIGNALS), status
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr


def test_the_end_comes_before_whatever_else_is_asked():
    for _ in range(2):
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        assert from_signals(5) is Request.STOP
