"""Syslog: each event as a message of RFC 5424, to this machine's daemon or another one."""

import errno
import os
import re
import socket
from collections.abc import Sequence

from sensor.sinks.sockets import (
    DatagramTransport,
    StreamTransport,
    tcp_connector,
    udp_connector,
    unix_connector,
)
from sensor.sinks.transport import Handover, Transport

APP_NAME = "nettrusion"
LOCAL_SOCKET = "/dev/log"
FACILITIES = {"user": 1, "daemon": 3, "auth": 4, "authpriv": 10, **{f"local{n}": 16 + n for n in range(8)}}

# RFC 5424, 6.2.1: an alert's severity 1 is critical, 2 an error, 3 a warning, all others a notice.
ALERTS = {b"1": 2, b"2": 3, b"3": 4}
NOTICE, INFORMATIONAL = 5, 6
KINDS = {b"alert": NOTICE, b"anomaly": NOTICE, b"flow": INFORMATIONAL, b"stats": INFORMATIONAL}

# A quote within a JSON string has a backslash before it, so these are found as keys alone. Both stand before
# anything of the same name that is nested deeper.
_TIMESTAMP = re.compile(rb'^\{"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\+0000"')
_EVENT_TYPE = re.compile(rb'"event_type":"([a-z_]{1,32})"')
_SEVERITY = re.compile(rb'"severity":(\d)\b')


class Formatter:
    """Makes events syslog messages: the header says when, who, what and how bad, the text is the JSON."""

    def __init__(self, facility: str, host: str, *, cee: bool = False) -> None:
        """Prepare what all messages share.

        Args:
            facility: one of `FACILITIES`.
            host: the sensor's name.
            cee: put `@cee: ` before the JSON, by which rsyslog's mmjsonparse and others know it.
        """
        self._facility = FACILITIES[facility] * 8
        name = re.sub(r"[^!-~]", "_", host)[:255] or "-"
        self._sender = f" {name} {APP_NAME} {os.getpid()} ".encode("ascii")
        self._prefix = b" - @cee: " if cee else b" - "

    def message(self, line: bytes) -> bytes:
        """Return an event's message without anything that ends it; its time is the event's own."""
        begin = _TIMESTAMP.match(line)
        found = _EVENT_TYPE.search(line)
        kind = found[1] if found else b"-"
        severity = KINDS.get(kind, NOTICE)
        if kind == b"alert":
            level = _SEVERITY.search(line)
            severity = ALERTS.get(level[1], NOTICE) if level else NOTICE
        when = begin[1] + b"Z" if begin else b"-"
        head = b"<%d>1 " % (self._facility + severity)
        return b"".join((head, when, self._sender, kind, self._prefix, line.rstrip(b"\n")))

    def counted(self, line: bytes) -> bytes:
        """Return a message with its length before it, as RFC 6587 has it for TCP (3.4.1)."""
        message = self.message(line)
        return b"%d %b" % (len(message), message)

    def ended(self, line: bytes) -> bytes:
        """Return a message that ends in a newline, as a local stream socket's readers expect."""
        return self.message(line) + b"\n"


def tcp(host: str, port: int, formatter: Formatter) -> Transport:
    """Return what sends to a syslog server over TCP."""
    return StreamTransport(f"syslog tcp {host}:{port}", tcp_connector(host, port), formatter.counted)


def udp(host: str, port: int, formatter: Formatter) -> Transport:
    """Return what sends to a syslog server over UDP, a message a datagram."""
    return DatagramTransport(f"syslog udp {host}:{port}", udp_connector(host, port), formatter.message)


class LocalSyslog:
    """This machine's own syslog socket, whether it takes datagrams or a stream."""

    def __init__(self, path: str, formatter: Formatter) -> None:
        """Do not connect yet.

        Args:
            path: the socket; `/dev/log` nearly everywhere.
            formatter: makes events messages.
        """
        place = f"syslog {path}"
        self._datagrams = DatagramTransport(place, unix_connector(path, socket.SOCK_DGRAM), formatter.message)
        self._stream = StreamTransport(place, unix_connector(path, socket.SOCK_STREAM), formatter.ended)
        self._open: Transport = self._datagrams

    @property
    def place(self) -> str:
        """The socket's path."""
        return self._open.place

    def connect(self) -> None:
        """Connect anew, in the way that the socket wants.

        Raises:
            OSError: there is nobody.
        """
        self.close()
        try:
            self._open = self._datagrams
            self._open.connect()
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:
                raise
            self._open = self._stream
            self._open.connect()

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Send lines; those that the daemon has no room for are left over."""
        return self._open.send(lines)

    def reopen(self) -> None:
        """Connect anew."""
        self.connect()

    def close(self) -> int:
        """Close the connection; return 0."""
        return self._open.close()
