"""The metrics page over HTTP: served by real sockets, safe against clients that misbehave."""

import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from sensor.metrics import serve
from sensor.metrics import server as server_module
from tests.sensor.metrics.made import figures


@pytest.fixture
def server():
    made = serve("127.0.0.1:0", figures)
    yield made
    made.close()


def talk(address: str, request: bytes, *, timeout_s: float = 10) -> bytes:
    """Return all that a server answers to these bytes until it closes."""
    with connected(address, timeout_s) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def connected(address: str, timeout_s: float = 10) -> socket.socket:
    if address.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(timeout_s)
        client.connect(address.removeprefix("unix:"))
        return client
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=timeout_s)


def test_a_scrape_gets_the_figures(server):
    with urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        body = answer.read().decode()
    assert 'nettrusion_alerts_total{class="scan"} 3.0\n' in body
    assert int(answer.headers["Content-Length"]) == len(body.encode())


def test_a_unix_socket_serves_as_well(tmp_path):
    address = f"unix:{tmp_path}/metrics.sock"
    server = serve(address, figures)
    answer = talk(address, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    server.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b"nettrusion_packets_total" in answer
    assert not (tmp_path / "metrics.sock").exists()


def test_figures_are_read_anew_for_each_scrape():
    rules = iter((3, 4))
    server = serve("127.0.0.1:0", lambda: figures(rules=next(rules)))
    answers = [talk(server.address, b"GET /metrics HTTP/1.0\r\n\r\n") for _ in range(2)]
    server.close()
    assert b"nettrusion_rules 3.0" in answers[0] and b"nettrusion_rules 4.0" in answers[1]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /metrics?x=1 HTTP/1.1\r\nAccept: */*\r\n\r\n", b"200 OK"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"405 Method Not Allowed"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"405 Method Not Allowed"),
        (b"\x16\x03\x01\x02\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics\r\n\r\n", b"400 Bad Request"),
        (b"\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"y" * server_module.MAX_REQUEST, b"431 "),
    ],
)
def test_what_else_is_asked_gets_its_status(server, request_bytes, status):
    assert talk(server.address, request_bytes).startswith(b"HTTP/1.1 " + status)
    assert b"200 OK" in talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n")


def test_health_is_asked_of_whoever_knows():
    well = [True, False]
    server = serve("127.0.0.1:0", figures, lambda: well.pop(0))
    answers = [talk(server.address, b"GET /healthz HTTP/1.1\r\n\r\n") for _ in range(3)]
    server.close()
    assert [answer.split(b" ", 2)[1] for answer in answers] == [b"200", b"503", b"500"]


def test_figures_that_cannot_be_read_are_an_error_said_once(caplog):
    def broken():
        raise RuntimeError("no figures")

    server = serve("127.0.0.1:0", broken)
    answers = [talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n") for _ in range(2)]
    server.close()
    assert all(b"500 Internal Server Error" in answer and b"no figures" not in answer for answer in answers)
    assert [record.message for record in caplog.records] == ["metrics: the figures cannot be read; said once"]


@pytest.mark.parametrize("sent", [b"", b"GET /met"])
def test_a_client_that_hangs_does_not_keep_the_next_one(monkeypatch, sent):
    monkeypatch.setattr(server_module, "PATIENCE_S", 0.2)
    server = serve("127.0.0.1:0", figures)
    with connected(server.address) as hanging:
        hanging.sendall(sent)
        begun = time.monotonic()
        assert b"200 OK" in talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n")
        assert time.monotonic() - begun < 5
        assert hanging.recv(1) == b""
    server.close()


def test_a_client_that_trickles_has_no_more_time_than_others(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE_S", 0.3)
    server = serve("127.0.0.1:0", figures)
    over = threading.Event()
    with connected(server.address) as slow:

        def trickle() -> None:
            while not over.wait(0.02):
                try:
                    slow.send(b"x")
                except OSError:
                    return

        feeding = threading.Thread(target=trickle)
        feeding.start()
        assert b"200 OK" in talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n", timeout_s=5)
        over.set()
        feeding.join()
    server.close()


def test_a_client_that_takes_nothing_does_not_keep_the_next_one(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE_S", 0.2)
    pages = iter([{f"class_{at}": at for at in range(200_000)}, {"dos": 1}])
    server = serve("127.0.0.1:0", lambda: figures(alerts=next(pages)))
    with connected(server.address) as deaf:
        deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert b'{class="dos"} 1.0' in talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n", timeout_s=30)
    server.close()


def test_a_client_that_leaves_at_once_harms_nobody(server):
    for _ in range(10):
        connected(server.address).close()
    assert b"200 OK" in talk(server.address, b"GET /metrics HTTP/1.1\r\n\r\n")


def test_close_returns_at_once_also_while_a_client_hangs():
    server = serve("127.0.0.1:0", figures)
    address = server.address
    with connected(address) as hanging:
        hanging.sendall(b"GET")
        begun = time.monotonic()
        server.close()
        server.close()
        assert time.monotonic() - begun < 1.5
    assert "metrics" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        connected(address)


def test_the_answer_is_complete_for_a_client_that_reads_late(server):
    with connected(server.address) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        # Another scrape is answered meanwhile, so the first answer waits in the system's buffers.
        talk(server.address, b"GET /healthz HTTP/1.1\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(100), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_there_is_only_http(server):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{server.address}/", timeout=10)
