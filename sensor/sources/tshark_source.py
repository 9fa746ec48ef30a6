"""tshark, found and instructed through pyshark, as a source: files of any format, interfaces, remote captures.

tshark writes the packets out again as pcapng (`-w -`), every byte, time stamp and length as it read them, and
dissects nothing. pyshark's own way, one JSON document a packet, costs a hundred times the work and runs every
dissector over traffic that an attacker wrote; and its way of ending a capture leaves dumpcap behind. So pyshark
says which program and with which parameters, and the process is ours.
"""

import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from sensor.errors import NettrusionError
from sensor.sources.interface import Interface
from sensor.sources.window import WAIT_S, Window

CHUNK_BYTES = 256 << 10
PIPE_BYTES = 1 << 20
# Between a packet's time stamp and tshark's output: libpcap's time-out, and dumpcap's flush every half second.
LAG_S = 2.0
# How long to wait for the first bytes when a capture begins: a remote host may need this.
START_S = 10.0
# A file that gives nothing for so long is given up.
STALL_S = 60.0
RETRY_S = (1.0, 30.0)
END_S = 2.0
# A child is given the mask of the thread that starts it, and the daemon's holds back the very signal that ends
# tshark. Code between fork and exec is none for a process with threads, so a first program takes the mask off.
UNBLOCK = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, ()); os.execv(sys.argv[1], sys.argv[1:])"
# Said by tshark about itself, at every start.
CHATTER = re.compile(r"Running as user|Capturing on|File: |Packets captured:|\d+ packets? captured")


def command(parameters: list[str]) -> list[str]:
    """Return the command line of a tshark that writes pcapng to its standard output.

    Raises NettrusionError when pyshark or tshark is not there.
    """
    try:
        from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path
    except ModuleNotFoundError as error:
        raise NettrusionError(
            "the source tshark needs the package pyshark: pip install 'nettrusion[tshark]'"
        ) from error
    try:
        program = get_process_path(process_name="tshark")
    except TSharkNotFoundException as error:
        raise NettrusionError("the source tshark needs the program tshark: apt install tshark") from error
    return [program, "-n", "-q", *parameters, "-F", "pcapng", "-w", "-"]


class _Process:
    """One run of tshark, its children with it."""

    def __init__(self, arguments: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", UNBLOCK, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output: IO[bytes] = self._process.stdout
        self._errors: IO[bytes] = self._process.stderr
        os.set_blocking(self._errors.fileno(), False)
        with suppress(OSError):  # a system may bound what all pipes of a user hold
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._said = b""

    def read(self, wait_s: float) -> bytes | None:
        """Return what has come within `wait_s`, None if nothing has, no bytes at the end."""
        end_s = time.monotonic() + wait_s
        while True:
            ready, _, _ = select.select([self._output, self._errors], [], [], max(0.0, end_s - time.monotonic()))
            if self._errors in ready and not self._hear():
                ready = select.select([self._output], [], [], max(0.0, end_s - time.monotonic()))[0]
            if self._output in ready:
                return os.read(self._output.fileno(), CHUNK_BYTES)
            if not ready:
                return None

    def _hear(self) -> bool:
        """Take in what tshark says of errors, its last 4 KiB; False at the end of that."""
        try:
            words = os.read(self._errors.fileno(), 4096)
        except BlockingIOError:
            return True
        self._said = (self._said + words)[-4096:]
        return bool(words)

    def end(self) -> str | None:
        """End it and its children; return why it failed, None if it did not."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
        self._signal(signal.SIGKILL)  # a dumpcap that outlived it
        while select.select([self._errors], [], [], 0)[0] and self._hear():
            pass
        self._output.close()
        self._errors.close()
        return None if self._process.returncode == 0 else self.reason()

    def finish(self) -> str | None:
        """Wait for one whose output has ended; return why it failed, None if it did not."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return self.end()

    def reason(self) -> str:
        """Return tshark's own words for what is wrong."""
        lines = self._said.decode(errors="replace").splitlines()
        told = [line.removeprefix("tshark: ").strip() for line in lines if not CHATTER.match(line)]
        return " ".join(line for line in told if line).rstrip(".") or f"exit code {self._process.returncode}"

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class TsharkFile(Window):
    """A file of any format that Wireshark reads."""

    def __init__(self, path: Path | str, *, stall_s: float = STALL_S) -> None:
        """Open a file; one that gives nothing for `stall_s` is given up.

        Raises NettrusionError when it is missing, tshark does not know it, or tshark is not there.
        """
        super().__init__(os.fspath(path), live=False)
        try:
            self.size = Path(self.name).stat().st_size
        except OSError as error:
            raise NettrusionError(f"{self.name}: cannot open the capture: {error.strerror}") from error
        if not self.size:
            raise NettrusionError(f"{self.name}: is empty; give a capture that Wireshark reads")
        self._stall_s = stall_s
        self._process = _Process(command(["-r", str(Path(self.name).absolute())]))
        self._ended = False
        self._begin()
        if not self.more():
            self.close()
            raise NettrusionError(f"{self.name}: tshark cannot read it: {self.fault or 'it is empty'}")

    def more(self) -> bool:
        """Get further bytes; False at the end."""
        while not self._ended and not self._closed.is_set():
            data = self._process.read(self._stall_s)
            if data:
                self.position += len(data)
                self._append(data)
                return True
            self._ended = True
            if data is None:
                self._process.end()
                self.fault = f"tshark gave nothing for {self._stall_s:g} s and was ended"
            else:
                self.fault = self._process.finish()
        return False

    def close(self) -> None:
        """End tshark."""
        self._release()
        if not self._ended:
            self._ended = True
            self._process.end()


class TsharkInterface(Window):
    """A live capture by tshark: an interface, a remote one (`rpcap://`), or a program of Wireshark's (sshdump)."""

    def __init__(
        self,
        interface: str,
        *,
        capture_filter: str = "",
        promiscuous: bool = True,
        snap_bytes: int = 0,
        buffer_mb: int = 0,
        preferences: dict[str, str] | None = None,
    ) -> None:
        """Begin to capture.

        Args:
            interface: what `tshark -i` takes; `tshark -D` lists what there is here.
            capture_filter: what to keep, in tcpdump's syntax.
            promiscuous: whether to take frames that are for others.
            snap_bytes: how much of a frame to keep, 0 for all.
            buffer_mb: the kernel's buffer, MiB, 0 for tshark's own choice.
            preferences: Wireshark's preferences, such as `extcap.sshdump.remotehost`.

        Raises NettrusionError when tshark is not there or says that it cannot.
        """
        super().__init__(interface, live=True, in_iface=interface, lag_s=LAG_S)
        parameters = _parameters(capture_filter, preferences or {})
        parameters += [] if promiscuous else ["-p"]
        parameters += ["-s", str(snap_bytes)] if snap_bytes else []
        parameters += ["-B", str(buffer_mb)] if buffer_mb else []
        self._command = command(["-i", interface, *parameters])
        self._process: _Process | None = None
        self._retry_at_s = 0.0
        self._up = True
        self._pause_s = RETRY_S[0]
        self._start()
        self._wait_for_start()

    def more(self) -> bool:
        """Get further bytes, or come back with none after a quarter of a second; False once closed."""
        self._append(b"")
        process = self._process
        if self._closed.is_set():
            return False
        if process is None:
            if time.monotonic() >= self._retry_at_s:
                self._start()
            return not self._closed.wait(WAIT_S)
        try:
            data = process.read(WAIT_S)
        except (OSError, ValueError):
            data = b""
        if data:
            self._take(data)
        elif data is None:
            self._watch()
        elif not self._closed.is_set():
            self._lose(process)
        return not self._closed.is_set()

    def close(self) -> None:
        """End tshark and its children."""
        self._release()
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _watch(self) -> None:
        """Say when an interface of this machine goes down and comes up: tshark waits through it in silence."""
        interface = Interface.look(self.name)
        if interface is None or interface.up == self._up:
            return
        self._up = interface.up
        self._notices.append(f"{self.name}: is up again" if self._up else f"{self.name}: went down; it is waited for")

    def _start(self) -> None:
        self._process = _Process(self._command)
        self._begin()

    def _take(self, data: bytes) -> None:
        self.position += len(data)
        self._append(data)
        if self._pause_s > RETRY_S[0]:
            self._pause_s = RETRY_S[0]
            self._notices.append(f"{self.name}: tshark captures again")

    def _wait_for_start(self) -> None:
        """Wait until the first bytes are here: nothing that tshark refuses gets so far."""
        assert self._process is not None
        data = self._process.read(START_S)
        if data:
            self._append(data)
        elif data is not None:
            reason = self._process.finish() or "it ended at once"
            raise NettrusionError(f"{self.name}: tshark cannot capture: {reason}; `tshark -D` lists what there is")

    def _lose(self, process: _Process) -> None:
        """Note that tshark has ended and when to start it again."""
        reason = process.finish() or process.reason()
        self._process = None
        if self._pause_s == RETRY_S[0]:
            self._notices.append(f"{self.name}: tshark ended ({reason}); it is started again until it captures")
        self._retry_at_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, RETRY_S[1])


def _parameters(capture_filter: str, preferences: dict[str, str]) -> list[str]:
    """Return pyshark's parameters for a filter and preferences."""
    import asyncio

    command([])
    from pyshark.capture.capture import Capture

    loop = asyncio.new_event_loop()  # else pyshark makes one the thread's own; it is never run
    try:
        capture = Capture(capture_filter=capture_filter or None, override_prefs=preferences, eventloop=loop)
        return list(capture.get_parameters())
    finally:
        loop.close()
