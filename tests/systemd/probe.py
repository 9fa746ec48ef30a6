"""Runs in place of the sensor inside a unit's restrictions and writes what it could do, as one JSON object.

Imports nothing of the project: a folder of it is shown to the machine, not the tests' package.
"""

import contextlib
import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path


def outcome(attempt: Callable[[], object]) -> str:
    """Return "done", or the name of the error that came instead."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except ImportError as error:
        return f"ImportError: {error}"
    return "done"


def open_socket(family: int, kind: int, protocol: int = 0) -> Callable[[], None]:
    """Return an attempt to open such a socket."""
    return lambda: socket.socket(family, kind, protocol).close()


def connect_to(address: str) -> Callable[[], None]:
    """Return an attempt to send one datagram to where nobody listens, and to hear of it."""

    def attempt() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect((address, 9))
            sender.send(b"x")
            sender.settimeout(5)
            sender.recv(1)

    return attempt


def write_to(path: str) -> Callable[[], None]:
    """Return an attempt to make a file there."""

    def attempt() -> None:
        Path(path).write_text("x")
        Path(path).unlink()

    return attempt


def map_code() -> None:
    """Ask for a page that is writable and executable."""
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def execute_written(folder: str) -> Callable[[], None]:
    """Return an attempt to run a program that was just written."""

    def attempt() -> None:
        program = Path(folder) / "program"
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o700)
        try:
            if os.spawnv(os.P_WAIT, str(program), ["program"]):
                os.execv(program, ["program"])
        finally:
            program.unlink()

    return attempt


def call(name: str, *arguments: int) -> Callable[[], None]:
    """Return a call of the C library that fails with its errno."""

    def attempt() -> None:
        library = ctypes.CDLL(None, use_errno=True)
        if getattr(library, name)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    return attempt


def score_zeros() -> None:
    """Load the bundled model and score a row with it."""
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    model = Path(sys.argv[1]) / "sensor/data/model.onnx"
    session = ort.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
    width = session.get_inputs()[0].shape[1]
    session.run(None, {session.get_inputs()[0].name: np.zeros((1, width), np.float32)})


def capture_on(interface: str) -> Callable[[], None]:
    """Return an attempt to set up a TPACKET_V3 ring of four blocks, promiscuously."""
    SOL_PACKET, ADD_MEMBERSHIP, RX_RING, VERSION, STATISTICS, FANOUT = 263, 1, 5, 10, 6, 18

    def attempt() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as packets:
            packets.setsockopt(SOL_PACKET, VERSION, 2)
            blocks, size = 4, 1 << 17
            words = [size, blocks, 2048, blocks * size // 2048, 50, 0, 0]
            packets.setsockopt(SOL_PACKET, RX_RING, b"".join(word.to_bytes(4, sys.byteorder) for word in words))
            with contextlib.closing(mmap.mmap(packets.fileno(), blocks * size)):
                packets.bind((interface, 3))
                index = socket.if_nametoindex(interface).to_bytes(4, sys.byteorder)
                promiscuously = (1).to_bytes(2, sys.byteorder) + bytes(10)
                packets.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, index + promiscuously)
                packets.setsockopt(SOL_PACKET, FANOUT, 7)
                packets.getsockopt(SOL_PACKET, STATISTICS, 12)

    return attempt


ATTEMPTS: dict[str, Callable[[], object]] = {
    "score": score_zeros,
    "ring": capture_on(sys.argv[2] if len(sys.argv) > 2 else "lo"),
    "packet socket": open_socket(socket.AF_PACKET, socket.SOCK_RAW),
    "unix socket": open_socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "netlink socket": open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "IPv4 socket": open_socket(socket.AF_INET, socket.SOCK_STREAM),
    "IPv6 socket": open_socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "raw IP socket": open_socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "connect to itself": connect_to("127.0.0.1"),
    "connect elsewhere": connect_to("192.0.2.1"),
    "import ctypes": lambda: __import__("ctypes.util"),
    "load libpcap": lambda: ctypes.CDLL("libpcap.so.0.8"),
    "read the processor": lambda: Path("/proc/cpuinfo").read_text(),
    "write logs": write_to("/var/log/nettrusion/probe"),
    "write state": write_to(os.environ.get("STATE_DIRECTORY", "/nowhere") + "/probe"),
    "write runtime": write_to(os.environ.get("RUNTIME_DIRECTORY", "/nowhere") + "/probe"),
    "write temporary": write_to("/tmp/probe"),
    "write configuration": write_to("/etc/nettrusion/probe"),
    "write program": write_to("/usr/local/bin/probe"),
    "read home": lambda: os.listdir("/root"),
    "see other logs": lambda: os.stat("/var/log/private/other"),
    "read credentials": lambda: os.listdir("/etc/nettrusion/credentials"),
    "see PID 1": lambda: os.stat("/proc/1"),
    "writable code": map_code,
    "run from logs": execute_written("/var/log/nettrusion"),
    "run from state": execute_written(os.environ.get("STATE_DIRECTORY", "/nowhere")),
    "run from runtime": execute_written(os.environ.get("RUNTIME_DIRECTORY", "/nowhere")),
    "run from temporary": execute_written("/tmp"),
    "run from shared memory": execute_written("/dev/shm"),
    "choose a core": lambda: os.sched_setaffinity(0, {0}),
    "raise priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    "be real-time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "new namespace": call("unshare", 0x10000000),
    "become root": lambda: os.setuid(0),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "give a file away": lambda: os.chown("/var/log/nettrusion", 0, 0),
    "change personality": call("personality", 0x0040000),
}
ABOUT = ("CapAmb", "CapBnd", "CapEff", "CapPrm", "Gid", "NoNewPrivs", "Seccomp", "Uid")


def credentials() -> dict[str, str]:
    """Return the credentials that the service manager passed on."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return {path.name: path.read_text() for path in Path(folder).iterdir()} if folder else {}


def main() -> None:
    """Try everything and print the outcomes, with what the kernel says of this process."""
    outcomes = {name: outcome(attempt) for name, attempt in ATTEMPTS.items()}
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    print(
        json.dumps(
            {
                "outcomes": outcomes,
                "process": {name: status[name].strip() for name in ABOUT},
                "core_bytes": resource.getrlimit(resource.RLIMIT_CORE),
                "cwd": os.getcwd(),
                "credentials": credentials(),
            }
        )
    )


main()
