"""Redis: what a real redis-server has, before and after it is killed."""

import json
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from sensor.sinks import QueuedSink
from sensor.sinks.credential import Login
from sensor.sinks.redis import RedisPlace, RedisTransport
from tests.sensor.sinks.waiting import event, events, program, until

redis = pytest.importorskip("redis", reason="needs the package redis")
PASSWORD = "correct-horse"


class RedisServer:
    """A real redis-server of our own, which keeps what it has across a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "redis.sock")
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port: int = server.getsockname()[1]
        self.options = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process: subprocess.Popen[bytes] | None = None
        self.client: Any = None

    def begin(self, *options: str) -> None:
        command = [program("redis-server"), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        command += ["--unixsocket", self.path, *self.options, *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.client = redis.Redis(unix_socket_path=self.path)
        until(self._answers, "redis-server")

    def kill(self) -> None:
        if self.process is not None:
            self.client.close()
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.exceptions.AuthenticationError:
            return True
        except redis.exceptions.RedisError:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path)
    made.begin()
    yield made
    made.kill()


@contextmanager
def sink_to(place: RedisPlace, **options: Any) -> Iterator[QueuedSink]:
    sink = QueuedSink("redis", RedisTransport(place), **options)
    try:
        yield sink
    finally:
        sink.close()


def texts(count: int, begin: int = 0) -> list[bytes]:
    """Return events as they are kept: without their newline."""
    return [line.rstrip() for line in events(count, begin)]


def test_a_list_is_read_from_its_right_end(server: RedisServer):
    with sink_to(RedisPlace(path=server.path)) as sink:
        sink.write(events(2500))
        until(lambda: sink.counters["lines"] == 2500)
    assert [server.client.rpop("nettrusion") for _ in range(2500)] == texts(2500)


def test_a_list_keeps_the_newest(server: RedisServer):
    with sink_to(RedisPlace(port=server.port, key="k", max_entries=100)) as sink:
        sink.write(events(250))
        until(lambda: sink.counters["lines"] == 250)
    assert server.client.lrange("k", 0, -1) == texts(100, 150)[::-1]


def test_a_channel_reaches_its_subscribers(server: RedisServer):
    with server.client.pubsub() as subscriber, sink_to(RedisPlace(path=server.path, store="channel")) as sink:
        subscriber.subscribe("nettrusion")
        assert subscriber.get_message(timeout=20)["type"] == "subscribe"
        sink.write(events(100))
        got = [subscriber.get_message(timeout=20)["data"] for _ in range(100)]
    assert got == texts(100)


def test_a_stream_has_the_event_in_a_field_and_is_trimmed(server: RedisServer):
    with sink_to(RedisPlace(path=server.path, store="stream", max_entries=1000)) as sink:
        sink.write(events(5000))
        until(lambda: sink.counters["lines"] == 5000)
    entries = server.client.xrange("nettrusion")
    assert 1000 <= len(entries) < 2000
    assert [entry[b"eve"] for _, entry in entries] == texts(len(entries), 5000 - len(entries))


@pytest.mark.parametrize("store", ["list", "stream"])
def test_a_server_that_is_killed_and_restarted_lacks_nothing(server: RedisServer, store: str, caplog):
    place = RedisPlace(port=server.port, store=store, max_entries=0)
    with caplog.at_level(logging.INFO), sink_to(place) as sink:
        count = 0
        for _ in range(3):
            for _ in range(20):
                sink.write(events(100, count))
                count += 100
            until(lambda: sink.counters["lines"] > 0)
            server.kill()
            for _ in range(20):
                sink.write(events(100, count))
                count += 100
            until(lambda: sink.counters["connected"] == 0)
            assert sink.counters["queued_lines"] >= 2000
            server.begin()
            until(lambda: sink.counters["queued_lines"] == 0, "everything to be sent")
    assert sink.counters["dropped_lines"] == 0
    if store == "list":
        kept = server.client.lrange("nettrusion", 0, -1)[::-1]
    else:
        kept = [entry[b"eve"] for _, entry in server.client.xrange("nettrusion")]
    numbers = [json.loads(text)["flow_id"] for text in kept]
    assert set(numbers) == set(range(count))
    # Only a batch whose answer was lost is there twice.
    assert len(numbers) - count <= 3 * 1000


def test_a_server_without_memory_keeps_events_waiting(server: RedisServer, caplog):
    server.client.config_set("maxmemory", "1")
    with sink_to(RedisPlace(path=server.path)) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["failures"] >= 2)
        assert "used memory > 'maxmemory'" in caplog.text
        assert "flow_id" not in caplog.text
        server.client.config_set("maxmemory", "0")
        until(lambda: sink.counters["lines"] == 10)
    assert server.client.llen("nettrusion") == 10


def test_a_server_that_hangs_never_holds_up_the_writer(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sensor.sinks.redis.ANSWER_S", 0.2)
    assert server.process is not None
    with sink_to(RedisPlace(path=server.path), queue_bytes=100_000) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["lines"] == 10)
        server.process.send_signal(signal.SIGSTOP)
        for begin in range(10, 50_010, 1000):
            sink.write(events(1000, begin))
        assert sink.counters["dropped_lines"] > 40_000
        server.process.send_signal(signal.SIGCONT)
        until(lambda: sink.counters["queued_lines"] == 0)
        sink.write([event(50_010)])
        until(lambda: server.client.lindex("nettrusion", 0) == event(50_010).rstrip())
    assert sink.counters["lines"] + sink.counters["dropped_lines"] == 50_011


def test_a_password_lets_us_in_and_is_never_shown(server: RedisServer, tmp_path: Path, caplog):
    server.client.execute_command("ACL", "SETUSER", "sensor", "on", f">{PASSWORD}", "~*", "&*", "+@all")
    server.client.config_set("requirepass", "another")
    path = tmp_path / "password"
    path.write_text("wrong-" + PASSWORD)
    place = RedisPlace(port=server.port, login=Login("sensor", str(path)))
    with caplog.at_level(logging.DEBUG), sink_to(place) as sink:
        sink.write(events(1))
        until(lambda: sink.counters["failures"] >= 1)
        assert sink.counters["queued_lines"] == 1
        path.write_text(PASSWORD + "\n")
        until(lambda: sink.counters["lines"] == 1)
        sink.reopen()
        sink.write(events(1, 1))
        until(lambda: sink.counters["lines"] == 2)
        assert PASSWORD not in repr(vars(sink)) + repr(vars(sink._transport)) + repr(place)
    assert PASSWORD not in caplog.text


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=here"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return key, cert


def test_tls_is_checked_against_the_authorities_of_the_system(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
):
    key, cert = certificate(tmp_path)
    server.kill()
    server.options += ["--tls-port", str(server.port), "--port", "0", "--tls-auth-clients", "no"]
    server.begin("--tls-cert-file", str(cert), "--tls-key-file", str(key))
    place = RedisPlace(port=server.port, tls=True)
    with sink_to(place) as sink:
        sink.write(events(1))
        until(lambda: sink.counters["failures"] >= 1)
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        until(lambda: sink.counters["lines"] == 1)
    assert server.client.lrange("nettrusion", 0, -1) == texts(1)


def test_a_password_that_cannot_be_read_is_an_error_at_the_start(tmp_path: Path):
    with pytest.raises(NettrusionError, match="password_file"):
        RedisTransport(replace(RedisPlace(), login=Login("", str(tmp_path / "gone"))))


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(NettrusionError, match=r"nettrusion\[redis\]"):
        RedisTransport(RedisPlace())
