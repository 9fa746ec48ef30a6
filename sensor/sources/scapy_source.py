"""scapy as a source: any capture file and any interface that scapy can read, portable where rings are not.

Nothing is dissected: scapy hands over bytes, time and link type. Its clock on a live interface is a float of
seconds, exact to a quarter of a microsecond; that of a file is exact.
"""

import logging
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sensor.errors import NettrusionError
from sensor.sources.packets import PacketStream
from sensor.sources.records import SECOND_NS
from sensor.sources.window import WAIT_S, Window

# Packets that make one window: enough to spare calls, little to wait for.
BATCH_PKTS = 1000
# A frame as long as Linux can make one out of merged segments, without BIG TCP.
FRAME_BYTES = 65_536 + 64
RETRY_S = 1.0
# Kernel time stamp to the socket's queue.
LAG_NS = 50_000_000
BUFFER_BYTES = 32 << 20
# Where Linux knows the kind of an interface and scapy has no layer for it: ARPHRD_ to LINKTYPE_.
RAW_IP, PPP = 101, 9
ARPHRD = {512: PPP, 768: RAW_IP, 769: RAW_IP, 776: RAW_IP, 778: RAW_IP, 823: RAW_IP, 65534: RAW_IP}
# Linux: SOL_PACKET, PACKET_STATISTICS, and a buffer beyond the system's limit.
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 263, 6, 33


@contextmanager
def _no_files() -> Iterator[None]:
    """Keep scapy from making folders and caches in the user's home while it is imported."""
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def load_scapy() -> Any:
    """Import the part of scapy that reads, quietly, and return its settings.

    Raises NettrusionError when it is not installed.
    """
    logging.getLogger("scapy").setLevel(logging.CRITICAL + 1)
    try:
        with _no_files():
            import scapy.arch
            import scapy.layers.dot11
            import scapy.layers.inet6
            import scapy.layers.ppp  # noqa: F401 -- each registers its link types
            from scapy.config import conf
    except ModuleNotFoundError as error:
        raise NettrusionError(
            "the source scapy needs the package scapy: pip install 'nettrusion[scapy]'"
        ) from error
    return conf


class ScapyFile(Window):
    """A capture file that scapy reads: pcap and pcapng, plain or gzip, and ERF by its name."""

    def __init__(self, path: Path | str) -> None:
        """Open a file.

        Raises NettrusionError when it is missing or scapy does not know what it is.
        """
        super().__init__(os.fspath(path), live=False)
        load_scapy()
        self._file, self._packets = _open_file(self.name)
        self._stream = PacketStream()
        self.size = Path(self.name).stat().st_size
        self._begin()
        self.more()

    def more(self) -> bool:
        """Get the next packets; False at the file's end."""
        if self._closed.is_set():
            return False
        count = 0
        for count, packet in enumerate(islice(self._packets, BATCH_PKTS), 1):  # noqa: B007 -- the number is used
            self._stream.add(*packet)
        data = self._stream.take()
        if data:
            self._append(data)
        self.position = self._file.tell()
        if count < BATCH_PKTS and self.fault is None and self.size and self.position < self.size:
            self.fault = f"scapy read {self.position} of its {self.size} bytes and saw no packet behind them"
        return bool(data)

    def close(self) -> None:
        """Close the file."""
        if not self._closed.is_set():
            self._release()
            self._file.close()


Packet = tuple[int, int, bytes, int, int]
"""What PacketStream.add takes: time, link type, frame, bytes on the wire, bytes of check sequence."""


def _open_file(name: str) -> tuple[BinaryIO, Iterator[Packet]]:
    """Open a file and return it with the packets that scapy reads from it."""
    from scapy.error import Scapy_Exception
    from scapy.utils import ERFEthernetReader, RawPcapNgReader, RawPcapReader

    try:
        if not stat.S_ISREG(Path(name).stat().st_mode):
            raise NettrusionError(f"{name}: is no file; scapy reads a capture from a file")
        file = Path(name).open("rb")  # noqa: SIM115 -- the source that is returned closes it
    except OSError as error:
        raise NettrusionError(f"{name}: cannot open the capture: {error.strerror}") from error
    try:
        if name.lower().endswith(".erf"):
            return file, _erf_packets(ERFEthernetReader(file))
        readers: Any = RawPcapReader  # its types know names of files only
        reader = readers(file)
    except (Scapy_Exception, OSError, EOFError) as error:
        file.close()
        raise NettrusionError(
            f"{name}: scapy does not know this file ({error}); give pcap, pcapng or ERF, or use --source tshark"
        ) from error
    return file, _pcapng_packets(reader) if isinstance(reader, RawPcapNgReader) else _pcap_packets(reader)


def _pcap_packets(reader: Any) -> Iterator[Packet]:
    tick_ns = 1 if reader.nano else 1000
    link_type = reader.linktype & 0xFFFF
    fcs_bytes = (reader.linktype >> 28) * 2 if reader.linktype & 0x04000000 else 0
    for frame, about in reader:
        if len(frame) < min(about.caplen, 0xFFFF):
            return
        yield about.sec * SECOND_NS + about.usec * tick_ns, link_type, frame, about.wirelen, fcs_bytes


def _pcapng_packets(reader: Any) -> Iterator[Packet]:
    time_ns = 0
    for frame, about in reader:
        if about.tshigh is not None:
            time_ns = (about.tshigh << 32 | about.tslow) * SECOND_NS // about.tsresol
        yield time_ns, about.linktype, frame, about.wirelen, 0


def _erf_packets(reader: Any) -> Iterator[Packet]:
    """Yield Ethernet out of ERF: its length on the wire counts a frame check sequence of four bytes."""
    from scapy.error import Scapy_Exception

    while True:
        try:
            packet = reader.read_packet()
        except (EOFError, Scapy_Exception):
            return
        frame = bytes(packet.original)[: packet.wirelen]
        yield int(packet.time * SECOND_NS), 1, frame, packet.wirelen, 4


class ScapyInterface(Window):
    """A live interface that scapy listens on."""

    def __init__(
        self, interface: str, *, capture_filter: str = "", promiscuous: bool = True, snap_bytes: int = 0
    ) -> None:
        """Begin to listen.

        Args:
            interface: its name.
            capture_filter: what to keep, in tcpdump's syntax; needs libpcap.
            promiscuous: whether to take frames that are for others.
            snap_bytes: how much of a frame to keep, 0 for all.

        Raises NettrusionError when there is no such interface, no right to listen, or a filter that is wrong.
        """
        super().__init__(interface, live=True, in_iface=interface)
        self._conf = load_scapy()
        self._filter = capture_filter or None
        self._promiscuous = promiscuous
        self._snap_bytes = snap_bytes or FRAME_BYTES
        self._stream = PacketStream()
        self._quiet_ns: int | None = None
        self._counts = {"kernel_packets": 0, "kernel_drops": 0}
        self._retry_s = 0.0
        self._lost = False
        self._socket: Any = None
        self._conf.ifaces.reload()  # what scapy saw when it was imported may be gone
        self._listen()
        self._begin()
        self._append(self._stream.take())

    @property
    def horizon_ns(self) -> int | None:
        """When the socket was last seen empty, by the clock that stamps its packets."""
        return self._quiet_ns

    @property
    def counters(self) -> Mapping[str, int]:
        """`kernel_packets` and `kernel_drops` of the socket where the system counts them (Linux)."""
        self._count()
        return dict(self._counts)

    def more(self) -> bool:
        """Get packets, or come back with none after a quarter of a second; False once closed."""
        if not self._closed.is_set() and (self._socket is not None or self._reopen()):
            self._listen_once()
        self._append(self._stream.take())
        return not self._closed.is_set()

    def close(self) -> None:
        """Stop listening; a wait ends."""
        self._release()
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.close()

    def _receive(self) -> int:
        """Collect the packets that are there, waiting for the first; return how many."""
        count = 0
        wait_s = WAIT_S
        listening = self._socket
        while count < BATCH_PKTS and listening is not None and listening.select([listening], wait_s):
            layer, frame, stamp = listening.recv_raw(FRAME_BYTES)
            wait_s = 0
            count += 1
            if frame:
                time_ns = time.time_ns() if stamp is None else int(stamp * SECOND_NS)
                self._stream.add(time_ns, self._link_of(layer), frame[: self._snap_bytes], len(frame))
        return count

    def _link_of(self, layer: Any) -> int:
        return self._link if self._link is not None else int(self._conf.l2types.layer2num[layer])

    def _listen(self) -> None:
        """Open scapy's socket for the interface."""
        from scapy.error import Scapy_Exception

        loopback = self.name == self._conf.loopback_name
        kind = self._conf.L2socket if loopback else self._conf.L2listen  # the latter sees each packet of lo twice
        try:
            self._socket = kind(iface=self.name, filter=self._filter, promisc=self._promiscuous)
        except PermissionError as error:
            raise NettrusionError(
                f"{self.name}: no right to listen; run as root or with the capability CAP_NET_RAW"
            ) from error
        except (OSError, Scapy_Exception, ValueError) as error:
            raise NettrusionError(f"{self.name}: scapy cannot listen on it: {_words(error)}") from error
        self._link = _kind_on_linux(self._socket)
        if self._link is None and getattr(self._socket, "LL", None) not in self._conf.l2types.layer2num:
            raise NettrusionError(f"{self.name}: scapy does not know the link type of this interface")
        _widen(self._socket)

    def _listen_once(self) -> None:
        before_ns = time.time_ns()
        try:
            if not self._receive():
                self._quiet_ns = before_ns - LAG_NS
        except (OSError, ValueError) as error:
            self._lose(_words(error))
            return
        if self._lost:
            self._lost = False
            self._notices.append(f"{self.name}: is being listened on again")

    def _lose(self, reason: str) -> None:
        """Let go of a socket that gives errors: its interface went down or away."""
        self._count()
        listening, self._socket = self._socket, None
        if listening is not None:
            listening.close()
        if not self._lost and not self._closed.is_set():
            self._lost = True
            self._notices.append(f"{self.name}: listening broke off ({reason}); it is tried again every second")

    def _reopen(self) -> bool:
        """Listen again, at most once a second; between the attempts this waits."""
        if self._closed.wait(min(WAIT_S, max(0.0, self._retry_s - time.monotonic()))):
            return False
        if time.monotonic() < self._retry_s:
            return False
        self._retry_s = time.monotonic() + RETRY_S
        self._conf.ifaces.reload()  # the interface may be another one of the same name
        try:
            self._listen()
        except NettrusionError:
            return False
        return True

    def _count(self) -> None:
        """Add up what the kernel counted since it was last asked: asking sets its counts to zero."""
        listening = getattr(self._socket, "ins", None)
        try:
            data = listening.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)  # type: ignore[union-attr]
        except (AttributeError, OSError):
            return
        packets, drops = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
        self._counts["kernel_packets"] += packets
        self._counts["kernel_drops"] += drops


def _kind_on_linux(listening: Any) -> int | None:
    """Return the link type of an interface that Linux knows and scapy does not, else None."""
    try:
        return ARPHRD.get(listening.ins.getsockname()[3])
    except (AttributeError, IndexError, TypeError, OSError):
        return None


def _widen(listening: Any) -> None:
    """Give the socket a buffer that bears a burst; scapy's own is 64 KiB."""
    import socket

    for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            listening.ins.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        except (AttributeError, OSError):
            continue
        return


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
