"""Sockets that we connect to: whole lines at the reader, whatever it does."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sensor.sinks import QueuedSink
from sensor.sinks.sockets import DatagramTransport, StreamTransport, tcp_connector, udp_connector, unix_connector
from tests.sensor.sinks.waiting import event, events, until

LARGE = 4 << 20


class Reader:
    """Listens on a stream socket and keeps what every connection sent."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(path))
        self.socket.listen()
        self.socket.settimeout(20)

    def accept(self) -> socket.socket:
        connection, _ = self.socket.accept()
        connection.settimeout(20)
        return connection


def stream(path: Path) -> StreamTransport:
    return StreamTransport(str(path), unix_connector(str(path), socket.SOCK_STREAM))


def datagrams(path: Path) -> DatagramTransport:
    return DatagramTransport(str(path), unix_connector(str(path), socket.SOCK_DGRAM))


def read_lines(connection: socket.socket, count: int) -> list[bytes]:
    with connection.makefile("rb") as file:
        return [file.readline() for _ in range(count)]


def test_a_reader_gets_every_line_in_order(tmp_path: Path):
    reader = Reader(tmp_path / "s")
    sink = QueuedSink("s", stream(tmp_path / "s"))
    sink.write(events(5000))
    with reader.accept() as connection:
        assert read_lines(connection, 5000) == events(5000)
    sink.close()
    reader.socket.close()
    assert sink.counters["lines"] == 5000


def test_a_reader_that_stalls_gets_what_the_queue_held_in_whole_lines(tmp_path: Path):
    reader = Reader(tmp_path / "s")
    size = len(event(100_000))
    sink = QueuedSink("s", stream(tmp_path / "s"), queue_bytes=1000 * size)
    with reader.accept() as connection:
        count = 0
        while not sink.counters["dropped_lines"]:
            sink.write(events(500, 100_000 + count))
            count += 500
        for _ in range(20):
            sink.write(events(500, 100_000 + count))
            count += 500
        counters = sink.counters
        assert counters["lines"] + counters["queued_lines"] + counters["dropped_lines"] == count
        assert counters["queued_bytes"] <= 1000 * size
        waiting = counters["lines"] + counters["queued_lines"]
        numbers = [int(line.split(b'"flow_id":')[1].split(b",")[0]) for line in read_lines(connection, waiting)]
        assert numbers == sorted(set(numbers))
        until(lambda: sink.counters["queued_lines"] == 0)
        sink.write([event(7)])
        assert read_lines(connection, 1) == [event(7)]
    sink.close()
    reader.socket.close()
    assert sink.counters["lines"] + sink.counters["dropped_lines"] == count + 1


def test_a_line_cut_by_a_lost_reader_is_sent_whole_to_the_next_one(tmp_path: Path):
    reader = Reader(tmp_path / "s")
    transport = stream(tmp_path / "s")
    transport.connect()
    first = reader.accept()
    outcome = transport.send(events(20_000))
    taken = 20_000 - len(outcome.rest)
    assert 0 < taken < 20_000
    assert not outcome.trouble
    assert read_lines(first, taken) == events(taken)
    first.close()
    outcome = transport.send(outcome.rest)
    assert outcome.broken
    assert list(outcome.rest) == events(20_000 - taken, taken)
    transport.connect()
    second = reader.accept()
    assert not transport.send(outcome.rest[:100]).rest
    assert read_lines(second, 100) == list(outcome.rest[:100])
    transport.close()
    second.close()
    reader.socket.close()


def test_a_reader_that_comes_back_is_found_again(tmp_path: Path):
    path = tmp_path / "s"
    sink = QueuedSink("s", stream(path))
    sink.write(events(3))
    until(lambda: sink.counters["failures"] >= 1)
    reader = Reader(path)
    with reader.accept() as connection:
        assert read_lines(connection, 3) == events(3)
    sink.write(events(3, 3))
    with reader.accept() as connection:
        assert read_lines(connection, 3) == events(3, 3)
    sink.close()
    reader.socket.close()


def test_a_datagram_is_one_line(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader:
        reader.bind(str(tmp_path / "d"))
        reader.settimeout(20)
        sink = QueuedSink("d", datagrams(tmp_path / "d"))
        sink.write(events(1000))
        assert [reader.recv(65536) for _ in range(1000)] == events(1000)
        sink.close()
    assert sink.counters["lines"] == 1000


def test_a_datagram_that_is_too_long_is_dropped_and_counted(tmp_path: Path, caplog):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader:
        reader.bind(str(tmp_path / "d"))
        reader.settimeout(20)
        sink = QueuedSink("d", datagrams(tmp_path / "d"))
        sink.write([event(0), b"x" * LARGE + b"\n", event(1)])
        assert [reader.recv(65536) for _ in range(2)] == events(2)
        sink.close()
    assert (sink.counters["lines"], sink.counters["dropped_lines"]) == (2, 1)
    assert "too long" in caplog.text


def test_a_datagram_reader_that_is_replaced_gets_the_rest(tmp_path: Path):
    path = tmp_path / "d"
    transport = datagrams(path)
    first = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    first.bind(str(path))
    transport.connect()
    outcome = transport.send(events(10_000))
    taken = 10_000 - len(outcome.rest)
    assert 0 < taken < 10_000
    assert not outcome.trouble
    assert [first.recv(65536) for _ in range(taken)] == events(taken)
    first.close()
    outcome = transport.send(outcome.rest)
    assert outcome.broken
    assert len(outcome.rest) == 10_000 - taken
    path.unlink()
    with pytest.raises(FileNotFoundError):
        transport.connect()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as second:
        second.bind(str(path))
        transport.connect()
        transport.send(outcome.rest[:2])
        assert [second.recv(65536) for _ in range(2)] == events(2, taken)
    transport.close()


STOPPABLE = """
    import socket, sys
    kind = getattr(socket, sys.argv[2])
    with socket.socket(socket.AF_UNIX, kind) as reader, open(sys.argv[3], "wb", buffering=0) as out:
        reader.bind(sys.argv[1])
        if kind is socket.SOCK_STREAM:
            reader.listen()
            reader = reader.accept()[0]
        while data := reader.recv(65536):
            out.write(data)
"""


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_a_reader_stopped_by_a_signal_never_holds_up_the_writer(tmp_path: Path, kind: str):
    path, out = tmp_path / "s", tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(STOPPABLE), str(path), kind, str(out)])
    try:
        until(path.exists, "the reader")
        transport = stream(path) if kind == "SOCK_STREAM" else datagrams(path)
        sink = QueuedSink("s", transport, queue_bytes=200_000)
        sink.write(events(10))
        until(lambda: out.stat().st_size == sum(map(len, events(10))), "the first lines")
        os.kill(process.pid, signal.SIGSTOP)
        for begin in range(10, 100_010, 1000):
            sink.write(events(1000, begin))
        counters = sink.counters
        assert counters["dropped_lines"] > 50_000
        assert counters["queued_bytes"] <= 200_000
        os.kill(process.pid, signal.SIGCONT)
        until(lambda: sink.counters["queued_lines"] == 0, "the queue to be empty")
        sink.write([event(100_010)])
        until(lambda: out.read_bytes().endswith(event(100_010)), "the last line")
        sink.close()
        lines = out.read_bytes().splitlines(keepends=True)
        assert len(lines) == sink.counters["lines"]
        assert set(lines) <= set(events(100_011))
        assert sink.counters["lines"] + sink.counters["dropped_lines"] == 100_011
    finally:
        process.kill()
        process.wait()


def test_tcp_and_udp_reach_their_servers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        transport = StreamTransport("tcp", tcp_connector(*server.getsockname()))
        transport.connect()
        connection, _ = server.accept()
        transport.send(events(3))
        with connection:
            assert read_lines(connection, 3) == events(3)
        transport.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        udp = DatagramTransport("udp", udp_connector(*server.getsockname()))
        udp.connect()
        udp.send(events(3))
        assert [server.recv(65536) for _ in range(3)] == events(3)
        udp.close()


def test_a_server_that_is_gone_is_noticed_before_a_line_is_lost():
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    transport = StreamTransport("tcp", tcp_connector(*address))
    transport.connect()
    connection, _ = server.accept()
    connection.close()
    server.close()
    until(lambda: transport.send(()).broken, "the end of the connection")
    assert list(transport.send(events(2)).rest) == events(2)
    with pytest.raises(ConnectionRefusedError):
        transport.connect()
