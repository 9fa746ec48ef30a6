"""Servers come up, are waited for, and are named with their own words when they do not."""

import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.stages import WORLD, here
from training.testbed import world as world_module
from training.testbed.programs import Programs
from training.testbed.service import Service
from training.testbed.serving import fallen, ports, serve, unbound
from training.testbed.world import Host, World

LISTEN = """\
import socket, sys, time
time.sleep(0.3)
kind, port = sys.argv[1], int(sys.argv[2])
one = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
one.bind(("127.0.0.1", port))
if kind == "tcp":
    one.listen()
time.sleep(30)
"""


class Here:
    """A network in which every host is here."""

    @contextmanager
    def enter(self, host: Host | str) -> Iterator[None]:
        """Stay."""
        yield


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let services have their folders below a test's own."""
    monkeypatch.setattr(world_module, "RUN", tmp_path)
    return tmp_path


@pytest.fixture
def programs() -> Iterator[Programs]:
    """Return programs that are ended with the test."""
    made, _ = here()
    yield made
    made.close()


def free(kind: socket.SocketKind) -> int:
    """Return a port that nobody has."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def furnish(world: World, rng: random.Random) -> None:
    (world.folder("echo") / "seed").write_text(str(rng.random()))


def test_services_are_set_up_and_waited_for(programs: Programs, folders: Path):
    tcp, udp = free(socket.SOCK_STREAM), free(socket.SOCK_DGRAM)
    words = [[sys.executable, "-c", LISTEN, "tcp", str(tcp)], [sys.executable, "-c", LISTEN, "udp", str(udp)]]
    service = Service("echo", "web", furnish, lambda world: words, tcp=(tcp,), udp=(udp,))
    (served,) = serve([service], WORLD, Here(), programs, seed=3)
    assert unbound(service, Here()) == []
    assert tcp in ports("tcp") and udp in ports("udp")
    assert (folders / "echo" / "seed").read_text() == str(random.Random("3/service/echo").random())
    assert fallen([served]) == []
    for started in served.programs:
        started.kill()
        assert started.ended(10.0)
    assert [(one.kind, one.run) for one in fallen([served])] == [("echo", 1), ("echo", 2)]


def test_a_service_that_ends_is_named_with_its_own_words(programs: Programs):
    words = [["sh", "-c", "echo no such option; exit 4"]]
    service = Service("echo", "web", furnish, lambda world: words, tcp=(free(socket.SOCK_STREAM),))
    with pytest.raises(NettrusionError, match=r"echo on web has ended with exit code 4 .*said: no such option"):
        serve([service], WORLD, Here(), programs, seed=3)


def test_a_service_that_does_not_listen_is_named_with_port_and_log(
    programs: Programs, folders: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.testbed.serving.READY_S", 0.5)
    port = free(socket.SOCK_STREAM)
    words = [["sh", "-c", f"echo cannot bind >{folders}/echo/log; exec sleep 30"]]
    service = Service("echo", "web", furnish, lambda world: words, tcp=(port,), logs=("log", "none"))
    with pytest.raises(NettrusionError, match=rf"does not listen on tcp {port} after 0.5 s; it said: cannot bind"):
        serve([service], WORLD, Here(), programs, seed=3)


def test_a_service_that_cannot_be_set_up_is_named(programs: Programs):
    def fail(world: World, rng: random.Random) -> None:
        raise OSError("no room")

    with pytest.raises(NettrusionError, match="the service echo cannot be set up: no room"):
        serve([Service("echo", "web", fail, lambda world: [])], WORLD, Here(), programs, seed=3)
