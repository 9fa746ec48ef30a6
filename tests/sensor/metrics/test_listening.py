"""Where metrics may be served, and how a socket file comes and goes."""

import os
import socket
import stat

import pytest

from sensor.errors import NettrusionError
from sensor.metrics.listening import listen_on


@pytest.mark.parametrize(
    ("listen", "family", "begins"),
    [
        ("127.0.0.1:0", socket.AF_INET, "127.0.0.1:"),
        ("localhost:0", socket.AF_INET, "localhost:"),
        ("[::1]:0", socket.AF_INET6, "[::1]:"),
    ],
)
def test_loopback_addresses_are_listened_at(listen, family, begins):
    try:
        listening = listen_on(listen)
    except NettrusionError:
        if family == socket.AF_INET6 and not os.path.exists("/proc/net/if_inet6"):
            pytest.skip("this machine has no IPv6")
        raise
    assert listening.socket.family == family and listening.address.startswith(begins)
    port = int(listening.address.rpartition(":")[2])
    assert port and listening.socket.getsockname()[1] == port
    listening.close()


@pytest.mark.parametrize(
    "listen",
    [
        *("", "9765", ":9765", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"),
        *("::1:9765", "[127.0.0.1]:9765", "example.org:9765", "[::1]", "127.0.0.1:١", "off"),
    ],
)
def test_what_is_no_address_is_refused_with_examples(listen):
    with pytest.raises(NettrusionError, match=r"write \"127.0.0.1:9765\", .* or \"unix:"):
        listen_on(listen)


def test_an_address_in_use_and_one_that_is_not_ours_are_told():
    first = listen_on("127.0.0.1:0")
    with pytest.raises(NettrusionError, match=f"cannot listen at {first.address}: Address already in use"):
        listen_on(first.address)
    first.close()
    with pytest.raises(NettrusionError, match="Cannot assign requested address"):
        listen_on("192.0.2.1:9765")


def test_the_file_of_a_socket_has_its_mode_whatever_the_umask_and_goes_with_it(tmp_path):
    path = tmp_path / "metrics.sock"
    before = os.umask(0o077)
    try:
        listening = listen_on(f"unix:{path}")
    finally:
        os.umask(before)
    assert stat.S_ISSOCK(path.stat().st_mode) and stat.S_IMODE(path.stat().st_mode) == 0o660
    assert listening.address == f"unix:{path}"
    listening.close()
    assert not path.exists()


def test_a_socket_that_nobody_answers_on_is_replaced(tmp_path):
    path = tmp_path / "metrics.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    listen_on(f"unix:{path}").close()


@pytest.mark.parametrize("queue", ["free", "full"])
def test_a_socket_that_somebody_answers_on_stays(tmp_path, queue):
    path = tmp_path / "metrics.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen(0)
        waiting = []
        if queue == "full":
            for _ in range(2):
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)
                waiting.append(client)
                try:
                    client.connect(str(path))
                except BlockingIOError:
                    break
        with pytest.raises(NettrusionError, match="another process answers there"):
            listen_on(f"unix:{path}")
        for client in waiting:
            client.close()
    assert path.exists()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_no_socket_is_never_removed(tmp_path, kind):
    path, target = tmp_path / "metrics.sock", tmp_path / "target"
    target.write_text("x")
    {
        "file": lambda: path.write_text("x"),
        "link": lambda: path.symlink_to(target),
        "folder": path.mkdir,
    }[kind]()
    with pytest.raises(NettrusionError, match="is no socket"):
        listen_on(f"unix:{path}")
    assert path.exists() and target.read_text() == "x"


def test_a_file_that_another_has_made_meanwhile_stays(tmp_path):
    path = tmp_path / "metrics.sock"
    listening = listen_on(f"unix:{path}")
    path.unlink()
    path.write_text("another's")
    listening.close()
    assert path.read_text() == "another's"


@pytest.mark.parametrize("path", ["relative.sock", "/" + "x" * 107, "/no/such/folder/metrics.sock"])
def test_a_path_that_cannot_be_is_refused(path):
    with pytest.raises(NettrusionError, match="metrics cannot listen at unix:"):
        listen_on(f"unix:{path}")
