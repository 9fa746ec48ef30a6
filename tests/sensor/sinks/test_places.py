"""From a table of the configuration to the place that it names."""

from pathlib import Path

import pytest

from sensor.config import SinkConfig
from sensor.errors import NettrusionError
from sensor.sinks.places import transport_for


def place(sink: SinkConfig) -> str:
    transport = transport_for(sink, "gw1")
    transport.close()
    return transport.place


@pytest.mark.parametrize(
    ("sink", "expected"),
    [
        (SinkConfig(type="unix_stream", path="/run/x"), "unix /run/x"),
        (SinkConfig(type="unix_dgram", path="/run/x"), "unix /run/x"),
        (SinkConfig(type="syslog"), "syslog /dev/log"),
        (SinkConfig(type="syslog", path="/run/log"), "syslog /run/log"),
        (SinkConfig(type="syslog", transport="tcp", address="[::1]:601"), "syslog tcp ::1:601"),
        (SinkConfig(type="syslog", transport="udp", address="logs:514"), "syslog udp logs:514"),
    ],
)
def test_a_table_names_its_place(sink: SinkConfig, expected: str):
    assert place(sink) == expected


def test_redis_by_address_and_by_socket():
    pytest.importorskip("redis", reason="needs the package redis")
    assert place(SinkConfig(type="redis", address="db:6379", key="k")) == "redis db:6379, list k"
    assert place(SinkConfig(type="redis", path="/run/redis.sock", store="stream")) == (
        "redis /run/redis.sock, stream nettrusion"
    )


def test_kafka_by_several_addresses():
    pytest.importorskip("confluent_kafka", reason="needs the package confluent-kafka")
    assert place(SinkConfig(type="kafka", address="a:9092,b:9092", key="t")) == "kafka a:9092,b:9092, topic t"
    with pytest.raises(NettrusionError, match="'b' is no address"):
        place(SinkConfig(type="kafka", address="a:9092,b"))


def test_a_file_and_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "eve-%Y.json"
    assert place(SinkConfig(type="file", path=str(path), rotate_s=3600, mode="0604")) == str(path)
    (made,) = tmp_path.iterdir()
    assert made.stat().st_mode & 0o777 == 0o604
    transport = transport_for(SinkConfig(type="stdout"), "gw1")
    transport.connect()
    transport.reopen()
    assert not transport.send([b"one\n"]).rest
    assert transport.close() == 0
    assert capfd.readouterr().out == "one\n"


@pytest.mark.parametrize(
    ("sink", "message"),
    [
        (SinkConfig(type="file"), "path: a sink of type file needs"),
        (SinkConfig(type="unix_dgram"), "path: a sink of type unix_dgram needs"),
        (SinkConfig(type="syslog", transport="tcp"), "address: a sink of type syslog needs"),
        (SinkConfig(type="kafka"), "address: a sink of type kafka needs"),
        (SinkConfig(type="pigeon"), "no sink of type 'pigeon'"),
    ],
)
def test_what_is_missing_is_named(sink: SinkConfig, message: str):
    with pytest.raises(NettrusionError, match=message):
        transport_for(sink, "gw1")
