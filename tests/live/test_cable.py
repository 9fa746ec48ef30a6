"""The cable of the live tests: what goes in at one end comes out at the other, and nothing else does."""

import socket
import subprocess

from tests.live.cable import Cable

ETH_P_ALL = 3
FRAME = b"\xff" * 6 + b"\x02" + bytes(5) + b"\x88\xb5" + b"hello".ljust(46, b".")


def test_a_frame_arrives_at_the_other_end(cable: Cable):
    with cable.inside("sensor"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as tap:
        tap.bind((cable.interface, ETH_P_ALL))
        tap.settimeout(5)
        assert cable.send([FRAME]) == 1
        assert tap.recv(2000) == FRAME


def test_the_thread_comes_back(cable: Cable):
    before = socket.if_nameindex()
    with cable.inside("far"):
        assert {name for _, name in socket.if_nameindex()} >= {"lo", cable.far_interface}
    assert socket.if_nameindex() == before


def test_a_cable_can_be_pulled_and_plugged_again(cable: Cable):
    cable.unplug()
    assert cable.interface not in cable.run("sensor", "ip", "link")
    cable.plug()
    assert cable.interface in cable.run("sensor", "ip", "link")


def test_names_are_this_runs_own(cable: Cable):
    there = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert cable.sensor in there and cable.far in there
