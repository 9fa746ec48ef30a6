"""Addresses and commands of the recorded network."""

import pytest

from sensor.errors import NettrusionError
from training.testbed.network import CLIENTS, SERVER, command, inside


def test_hosts_have_addresses_of_their_own():
    hosts = (*CLIENTS, SERVER)
    assert len({host.v4 for host in hosts} | {host.v6 for host in hosts}) == 2 * len(hosts)
    assert all(host.v4.startswith("10.77.") and host.v6.startswith("fd77:") for host in hosts)


def test_a_command_runs_in_the_hosts_namespace():
    assert inside(SERVER, ["true"]) == ["ip", "netns", "exec", "server", "true"]


def test_a_command_of_the_set_up_that_fails_says_what_it_said():
    command("true")
    with pytest.raises(NettrusionError, match="no such thing"):
        command("sh", "-c", "echo no such thing >&2; exit 3")
