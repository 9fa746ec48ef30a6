"""Programs: what keeps everything, what cuts, and what the kernel will not take."""

import socket

import pytest

from sensor.errors import NettrusionError
from sensor.sources.bpf import MAX_INSTRUCTIONS, NOTHING, RETURN, Instruction, attach, cut, everything


@pytest.fixture
def pair():
    """Return two sockets that talk to each other; a program on one judges what it receives."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    yield ends
    for end in ends:
        end.close()


def test_everything_is_cut_to_the_snap_length(pair):
    attach(pair[1], everything(10))
    pair[0].send(b"x" * 100)
    assert pair[1].recv(200) == b"x" * 10


def test_nothing_lets_nothing_in(pair):
    attach(pair[1], NOTHING)
    pair[1].setblocking(False)
    pair[0].send(b"x")
    with pytest.raises(BlockingIOError):
        pair[1].recv(1)


def test_a_program_takes_the_place_of_another(pair):
    attach(pair[1], NOTHING)
    attach(pair[1], everything(5))
    pair[0].send(b"x" * 9)
    assert pair[1].recv(9) == b"x" * 5


def test_a_filter_is_cut_where_it_lets_through_and_refuses_as_before():
    program = [Instruction(0x28, 0, 0, 12), Instruction(RETURN, 0, 0, 262144), Instruction(RETURN, 0, 0, 0)]
    assert [step.constant for step in cut(program, 96)] == [12, 96, 0]


def test_a_program_too_long_is_told_in_a_sentence(pair):
    with pytest.raises(NettrusionError, match=r"capture.filter: makes 4,097 instructions, the kernel takes 4,096"):
        attach(pair[1], [*everything(1)] * (MAX_INSTRUCTIONS + 1))


def test_a_program_too_large_for_a_socket_is_told_in_a_sentence():
    class Full:
        def setsockopt(self, *_: object) -> None:
            raise OSError(12, "Cannot allocate memory")

    with pytest.raises(NettrusionError, match=r"net\.core\.optmem_max"):
        attach(Full(), everything(1))  # type: ignore[arg-type]


def test_a_wrong_program_is_the_kernels_to_refuse(pair):
    with pytest.raises(OSError, match="Invalid argument"):
        attach(pair[1], [Instruction(0x15, 9, 9, 0), Instruction(RETURN, 0, 0, 0)])
