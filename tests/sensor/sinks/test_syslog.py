"""Syslog: the header of RFC 5424, and what a real rsyslogd makes of it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sensor.sinks import QueuedSink, Transport
from sensor.sinks.syslog import FACILITIES, Formatter, LocalSyslog, tcp, udp
from tests.sensor.sinks.waiting import event, events, program, until

CONFIG = """
global(maxMessageSize="32k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
module(load="mmjsonparse")
template(name="all" type="list") {{
    property(name="syslogfacility-text") constant(value=" ") property(name="syslogseverity-text")
    constant(value=" ") property(name="timestamp" dateFormat="rfc3339") constant(value=" ")
    property(name="hostname") constant(value=" ") property(name="app-name") constant(value=" ")
    property(name="procid") constant(value=" ") property(name="msgid") constant(value=" ")
    property(name="structured-data") constant(value=" ") property(name="msg") constant(value="\\n")
}}
template(name="parsed" type="string" string="%$!flow_id% %$!event_type%\\n")
input(type="imuxsock" Socket="{folder}/log" useSpecialParser="off" parseHostname="on" ignoreTimestamp="off"
    rateLimit.Interval="0")
input(type="imtcp" address="127.0.0.1" port="{port}")
input(type="imudp" address="127.0.0.1" port="{port}")
action(type="mmjsonparse")
if $parsesuccess == "OK" then action(type="omfile" file="{folder}/parsed" template="parsed")
action(type="omfile" file="{folder}/all" template="all")
"""
LONG = event(9)[:-2] + b',"payload":"' + b"ab \\\"\\u00e9" * 1500 + b'"}\n'


class Rsyslog:
    """A real rsyslogd with its own sockets, which can be ended and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.config = folder / "rsyslog.conf"
        self.config.write_text(CONFIG.format(folder=folder, port=self.port))
        self.command = [program("rsyslogd"), "-n", "-f", str(self.config), "-i", str(folder / "pid")]
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        with (self.folder / "errors").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.folder)
        until(self._answers, "rsyslogd")

    def end(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def messages(self) -> list[list[str]]:
        """Return header fields and text of every message so far."""
        path = self.folder / "all"
        if not path.exists():
            return []
        return [line.split(" ", 8) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return (self.folder / "log").exists()


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    server = Rsyslog(tmp_path)
    server.begin()
    yield server
    server.end()


@contextmanager
def sink_to(transport: Transport) -> Iterator[QueuedSink]:
    sink = QueuedSink("syslog", transport)
    try:
        yield sink
    finally:
        sink.close()


WAYS: dict[str, Callable[[Rsyslog, Formatter], Transport]] = {
    "unix": lambda server, formatter: LocalSyslog(str(server.folder / "log"), formatter),
    "tcp": lambda server, formatter: tcp("127.0.0.1", server.port, formatter),
    "udp": lambda server, formatter: udp("127.0.0.1", server.port, formatter),
}


@pytest.mark.parametrize("way", WAYS)
def test_rsyslog_gets_header_and_json_intact(rsyslog: Rsyslog, way: str):
    lines = [event(0, "alert", severity=1), event(1, "stats"), LONG, event(3, "anomaly")]
    with sink_to(WAYS[way](rsyslog, Formatter("local3", "gw 1"))) as sink:
        sink.write(lines)
        until(lambda: len(rsyslog.messages()) == 4, "all messages")
        assert sink.counters["lines"] == 4
    pid = str(os.getpid())
    found = {json.loads(fields[-1])["flow_id"]: fields for fields in rsyslog.messages()}
    assert found[0][:8] == ["local3", "crit", "2026-11-21T22:00:00.000000Z", "gw_1", "nettrusion", pid, "alert", "-"]
    assert found[1][:8] == ["local3", "info", "2026-11-21T22:00:00.000001Z", "gw_1", "nettrusion", pid, "stats", "-"]
    assert found[3][1] == "notice"
    assert {json.dumps(json.loads(fields[-1])) for fields in found.values()} == {
        json.dumps(json.loads(line)) for line in lines
    }


def test_rsyslog_parses_the_json_behind_the_cookie(rsyslog: Rsyslog):
    with sink_to(tcp("127.0.0.1", rsyslog.port, Formatter("local5", "gw1", cee=True))) as sink:
        sink.write([event(11, "alert", severity=3), event(12)])
        parsed = rsyslog.folder / "parsed"
        until(lambda: parsed.exists() and parsed.read_text() == "11 alert\n12 flow\n", "the parsed messages")


def test_octet_counting_keeps_a_newline_within_a_message(rsyslog: Rsyslog):
    with sink_to(tcp("127.0.0.1", rsyslog.port, Formatter("local5", "gw1"))) as sink:
        sink.write([b'{"event_type":"flow","a":\n1}\n', event(2)])
        until(lambda: len(rsyslog.messages()) == 2, "both messages")
    assert json.loads(rsyslog.messages()[0][-1].replace("#012", "\n")) == {"event_type": "flow", "a": 1}


@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_messages_wait_while_rsyslog_is_away(rsyslog: Rsyslog, way: str):
    with sink_to(WAYS[way](rsyslog, Formatter("local5", "gw1"))) as sink:
        sink.write(events(100))
        until(lambda: len(rsyslog.messages()) == 100, "the first messages")
        rsyslog.end()
        for begin in range(100, 2000, 100):
            sink.write(events(100, begin))
        until(lambda: sink.counters["failures"] >= 1, "the loss of the connection")
        assert sink.counters["queued_lines"] == 1900
        rsyslog.begin()
        until(lambda: len(rsyslog.messages()) >= 2000, "the other messages")
    assert [json.loads(fields[-1])["flow_id"] for fields in rsyslog.messages()] == list(range(2000))


def test_a_local_stream_socket_gets_lines(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "log"))
        server.listen()
        server.settimeout(20)
        with sink_to(LocalSyslog(str(tmp_path / "log"), Formatter("local5", "gw1"))) as sink:
            sink.write(events(2))
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as file:
                lines = [file.readline() for _ in range(2)]
    assert all(line.startswith(b"<174>1 2026-11-21T22:00:00.00000") for line in lines)
    assert [line.split(b" - ", 1)[1] for line in lines] == events(2)


@pytest.mark.parametrize(
    ("severity", "priority"), [(1, 2), (2, 3), (3, 4), (4, 5), (9, 5)], ids=["1", "2", "3", "4", "other"]
)
def test_the_severity_of_an_alert_is_that_of_its_message(severity: int, priority: int):
    message = Formatter("user", "gw1").message(event(1, "alert", severity=severity))
    assert message.startswith(b"<%d>1 " % (FACILITIES["user"] * 8 + priority))


def test_what_looks_like_a_key_within_a_text_is_none():
    line = b'{"timestamp":"2026-11-21T22:00:00.000000+0000","x":"\\"event_type\\":\\"alert\\"","event_type":"flow"}\n'
    assert b" flow - {" in Formatter("user", "gw1").message(line)


def test_a_line_that_is_no_event_still_is_a_message():
    message = Formatter("user", "").message(b"text\n")
    assert message == b"<13>1 - - nettrusion %d - - text" % os.getpid()
