"""Outputs elsewhere and the metrics: loopback and sockets of the test's own."""

import socket

import pytest

from sensor.doctor.reach import check_metrics, check_outputs, metrics_place
from tests.sensor.doctor.made import only, scene


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def syslog(port):
    return ("sinks.far.type=syslog", "sinks.far.transport=tcp", f"sinks.far.address=127.0.0.1:{port}")


def test_a_server_that_answers_is_sent_nothing(tmp_path, listener):
    finding = only(check_outputs, scene(tmp_path, *syslog(listener.getsockname()[1])))
    assert finding.outcome == "ok"
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        assert connection.recv(1) == b""


def test_a_server_that_is_away(tmp_path):
    finding = only(check_outputs, scene(tmp_path, *syslog(closed_port())))
    assert finding.outcome == "warning"
    assert "cannot be reached: Connection refused" in finding.found
    assert "16 MiB" in finding.remedy


def test_sockets_of_this_machine(tmp_path):
    path = tmp_path / "s"
    overrides = ("sinks.a.type=unix_dgram", f"sinks.a.path={path}")
    assert only(check_outputs, scene(tmp_path, *overrides)).outcome == "warning"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        assert only(check_outputs, scene(tmp_path, *overrides)).outcome == "ok"


def test_udp_tells_nothing_and_files_are_not_its_matter(tmp_path):
    udp = ("sinks.u.type=syslog", "sinks.u.transport=udp", "sinks.u.address=127.0.0.1:9")
    assert only(check_outputs, scene(tmp_path, *udp)).outcome == "note"
    others = scene(tmp_path, "sinks.f.type=file", "sinks.f.path=a", "sinks.o.type=stdout")
    assert only(check_outputs, others).found == "standard output"


def test_a_password_that_cannot_be_read(tmp_path):
    made = scene(tmp_path, "sinks.r.type=redis", "sinks.r.address=127.0.0.1:1", "sinks.r.password_file=/none")
    finding = only(check_outputs, made)
    assert finding.outcome == "fail"
    assert finding.found.startswith("sinks.r: ")


def test_where_metrics_are(tmp_path):
    assert metrics_place(scene(tmp_path)) == "off"
    assert metrics_place(scene(tmp_path, environ={"RUNTIME_DIRECTORY": "/run/n:/x"})) == "unix:/run/n/metrics.sock"
    assert metrics_place(scene(tmp_path, "metrics.listen=off", environ={"RUNTIME_DIRECTORY": "/run/n"})) == "off"
    assert only(check_metrics, scene(tmp_path)).outcome == "ok"


def test_a_port(tmp_path, listener):
    port = listener.getsockname()[1]
    assert only(check_metrics, scene(tmp_path, f"metrics.listen=127.0.0.1:{port}")).outcome == "warning"
    free = closed_port()
    assert only(check_metrics, scene(tmp_path, f"metrics.listen=127.0.0.1:{free}")).outcome == "ok"
    finding = only(check_metrics, scene(tmp_path, f"metrics.listen=0.0.0.0:{free}"))
    assert (finding.outcome, "open to everyone" in finding.found) == ("warning", True)
    assert only(check_metrics, scene(tmp_path, f"metrics.listen=192.0.2.77:{free}")).outcome == "fail"


def test_a_socket(tmp_path):
    path = tmp_path / "m.sock"
    made = scene(tmp_path, f"metrics.listen=unix:{path}")
    assert only(check_metrics, made).outcome == "ok"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert only(check_metrics, made).outcome == "note"
    assert only(check_metrics, made).outcome == "ok"
    path.unlink()
    path.write_text("")
    assert only(check_metrics, made).outcome == "fail"
    assert only(check_metrics, scene(tmp_path, "metrics.listen=unix:/none/m.sock")).outcome == "fail"
