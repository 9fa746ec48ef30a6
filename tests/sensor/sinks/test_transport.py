"""What every transport keeps to, whatever its place."""

import socket
from pathlib import Path

import pytest

from sensor.sinks.rotating import FileTransport
from sensor.sinks.sockets import DatagramTransport, StreamTransport, unix_connector
from sensor.sinks.stdout import StdoutTransport
from sensor.sinks.transport import Handover, Transport
from tests.sensor.sinks.waiting import Memory


def transports(folder: Path) -> list[Transport]:
    return [
        FileTransport(str(folder / "eve.json")),
        StdoutTransport(),
        StreamTransport("nobody", unix_connector(str(folder / "s"), socket.SOCK_STREAM)),
        DatagramTransport("nobody", unix_connector(str(folder / "d"), socket.SOCK_DGRAM)),
        Memory(),
    ]


def test_a_transport_that_never_connected_can_be_closed(tmp_path: Path):
    assert [transport.close() for transport in transports(tmp_path)] == [0] * 5


def test_nobody_there_is_an_os_error(tmp_path: Path):
    for transport in transports(tmp_path)[2:4]:
        with pytest.raises(OSError, match="No such file"):
            transport.connect()
        outcome = transport.send([b"line\n"])
        assert (list(outcome.rest), outcome.broken) == ([b"line\n"], True)


def test_a_handover_of_everything_is_empty():
    assert Handover() == Handover(rest=(), refused=0, refused_bytes=0, trouble="", broken=False)
