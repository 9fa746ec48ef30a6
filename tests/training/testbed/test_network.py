"""Addresses of the recorded network, and the network itself where it can be made."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.bench import Bench
from training.testbed.network import Network, build, command, inside
from training.testbed.world import USERS

InWorld = Callable[..., Any]


def test_hosts_have_addresses_of_their_own():
    hosts = build().hosts.values()
    four = [address for host in hosts for address in host.all_v4]
    six = [address for host in hosts for address in host.all_v6]
    assert len(set(four)) == len(four) == len(six) == len(set(six)) == 9 + 24 + 2 + 12
    assert {host.name for host in hosts if host.side == "inside"} == {"desk", "laptop", "office", "phone", "camera"}
    assert all(one.startswith("10.77.") for host in hosts if host.side != "outside" for one in host.all_v4)
    assert all(one.startswith("198.18.") for host in hosts if host.side == "outside" for one in host.all_v4)


def test_a_profile_moves_and_changes_hosts():
    settings = {"prefix4": "192.168", "prefix6": "fd12:3456", "outside4": "198.19", "shift": 20, "nat": True}
    world = build({**settings, "hosts": {"phone": {"delay_ms": 9.0}, "bots": {"extra": 3}}})
    assert world.nat
    assert world.host("desk").v4 == "192.168.21.10" and world.host("desk").v6 == "fd12:3456:21::10"
    assert world.host("attacker").v4 == "198.19.121.10"
    assert world.host("phone").delay_ms == 9.0 and world.host("laptop").delay_ms != 9.0
    assert len(world.host("bots").all_v4) == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"prefix": "10.1"}, "did you mean `prefix[46]`"),
        ({"hosts": {"dask": {}}}, "did you mean `desk`"),
        ({"hosts": {"desk": {"delay": 1}}}, "network.hosts.desk: .*`delay_ms`"),
        ({"hosts": {"desk": {"name": "x"}}}, "there is no `name`"),
        ({"hosts": {"desk": {"number": 2}}}, "a number of its own"),
        ({"shift": 200}, "from 1 to 254"),
    ],
)
def test_a_setting_that_is_none_is_refused_by_name(settings: dict[str, Any], said: str):
    with pytest.raises(NettrusionError, match=said):
        build(settings)


def test_every_seed_has_passwords_of_its_own():
    one, other = build(seed=1).passwords, build(seed=2).passwords
    assert build(seed=1).passwords == one and set(one) == {*USERS, "admin"}
    assert all(one[user] != other[user] for user in one if user != "guest")


def test_a_command_runs_in_the_hosts_namespace():
    assert inside("web", ["true"]) == inside(build().host("web"), ["true"]) == ["ip", "netns", "exec", "web", "true"]


def test_a_command_of_the_set_up_that_fails_says_what_it_said():
    assert command("cat", stdin="in and out") == "in and out"
    with pytest.raises(NettrusionError, match="no such thing"):
        command("sh", "-c", "echo no such thing >&2; exit 3")


def reached(bench: Bench) -> dict[str, Any]:
    """Ping everybody from a host, and knock where nobody is."""
    rtt_ms = {}
    everybody = [address for host in bench.world.hosts.values() for address in (host.all_v4[-1], host.all_v6[-1])]
    with bench.network.enter("desk"):
        words = [["ping", "-c", "2", "-i", "0.2", "-w", "8", address] for address in everybody]
        pings = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True) for one in words]
        for address, ping in zip(everybody, pings, strict=True):
            said = ping.communicate()[0]
            rtt_ms[address] = float(said.rsplit("= ", 1)[1].split("/")[0]) if ping.returncode == 0 else None
        knocks = {}
        places = {"spare": bench.world.spare, "silent": bench.world.silent, "beyond": "192.0.2.1"}
        places |= dict(zip(("gone", "gone too"), bench.world.gone[-1], strict=True))
        for name, address in places.items():
            try:
                socket.create_connection((address, 9), timeout=0.7).close()
            except OSError as error:
                knocks[name] = type(error).__name__ + f" {error.errno}"
    losses = bench.network.losses()
    return {"rtt_ms": rtt_ms, "knocks": knocks, "links": bench.network.capture_links(), "losses": losses}


def test_everybody_is_reached_as_far_away_as_he_is(in_world: InWorld):
    found = in_world(reached)
    world = build()
    assert None not in found["rtt_ms"].values(), found["rtt_ms"]
    for host in world.hosts.values():
        least_ms = 0 if host.name == "desk" else 2 * (host.delay_ms + world.host("desk").delay_ms)
        assert found["rtt_ms"][host.all_v4[-1]] >= least_ms
        assert found["rtt_ms"][host.all_v6[-1]] >= least_ms
    assert found["knocks"]["spare"].startswith("ConnectionRefusedError")
    for name in ("silent", "gone", "gone too"):
        assert found["knocks"][name].startswith("TimeoutError")
    assert found["knocks"]["beyond"] == "OSError 101"  # no route: nothing leaves the world
    assert set(found["links"]) == {f"to-{name}" for name in world.hosts}
    assert found["links"]["to-web"] == [
        "02:77:00:00:09:01",
        "10.77.9.1",
        "fd77:9::1",
        "fe80::77:ff:fe00:901",
    ]
    assert set(found["losses"]) == set(world.hosts) and not any(found["losses"].values())


def addresses() -> str:
    """Return what the calling thread's children see of the network."""
    return subprocess.run(["ip", "-br", "-4", "address"], capture_output=True, text=True, check=True).stdout


def moved(bench: Bench) -> dict[str, str]:
    """Look around from a thread in one host, from another in another, and after both."""
    seen = {}
    meet = threading.Barrier(2)

    def look(name: str) -> None:
        with bench.network.enter(name):
            meet.wait(10)
            seen[name] = addresses()
            meet.wait(10)

    threads = [threading.Thread(target=look, args=[name]) for name in ("desk", "bots")]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    try:
        with bench.network.enter("phone"):
            raise KeyError("left by an error")
    except KeyError:
        seen["after"] = addresses()
    seen["left"] = f"{len(os.listdir('/proc/self/fd'))}"
    for _ in range(20):
        with bench.network.enter("web"), bench.network.enter("store"):
            pass
    seen["still"] = f"{len(os.listdir('/proc/self/fd'))}"
    return seen


def test_a_thread_enters_a_host_alone_and_comes_back(in_world: InWorld):
    seen = in_world(moved)
    assert "10.77.1.10" in seen["desk"] and "198.18" not in seen["desk"]
    assert "198.18.102.21" in seen["bots"] and "10.77" not in seen["bots"]
    assert "10.77.9.1/" in seen["after"] and ".10/" not in seen["after"]
    assert seen["left"] == seen["still"]


TC = """#!/bin/sh
echo "$@" >>/run/testbed/tc
"""


def shaped(bench: Bench, pretend: bool) -> dict[str, Any]:
    """Make a second network, with a `tc` that only takes notes if it is to pretend, and look at it."""
    bench.network.__exit__(None, None, None)
    if pretend:
        Path("/run/testbed/bin").mkdir()
        Path("/run/testbed/bin/tc").write_text(TC)
        Path("/run/testbed/bin/tc").chmod(0o755)
        os.environ["PATH"] = f"/run/testbed/bin:{os.environ['PATH']}"
    with Network(bench.world, 2) as network:
        wires = subprocess.run(["pgrep", "-af", "testbed.wire"], capture_output=True, text=True).stdout.splitlines()
        with network.enter("phone"):
            ping = subprocess.run(["ping", "-qc", "5", "-i", "0.2", bench.world.host("store").v4], capture_output=True)
            said = subprocess.run(["tc", "qdisc", "show"], capture_output=True, text=True).stdout
    told = Path("/run/testbed/tc").read_text().splitlines() if pretend else []
    return {"wires": [one.split()[4] for one in wires], "ping": ping.stdout.decode(), "qdiscs": said, "told": told}


def test_a_kernel_with_netem_needs_wires_for_far_spread_hosts_only(in_world: InWorld):
    found = in_world(shaped, True)
    assert sorted(found["wires"]) == ["to-attacker", "to-bots", "to-internet"]
    assert " 0% packet loss" in found["ping"]
    added = [line.split()[3] for line in found["told"] if line.startswith("qdisc add")]
    near = ("desk", "laptop", "office", "phone", "camera", "web", "infra", "store", "dc")
    ends = {f"{end}-{name}" for end in ("to", "at") for name in near}
    assert set(added) - {"lo"} == ends and added.count("lo") == 1
    assert "qdisc delete dev lo root" in found["told"]


def test_netem_delays_as_the_wire_does(in_world: InWorld):
    found = in_world(shaped, False)
    if "netem" not in found["qdiscs"]:
        assert len(found["wires"]) == 12
        pytest.skip("this kernel has no netem (sch_netem): the wires were used")
    least_ms = float(found["ping"].split("= ")[1].split("/")[0])
    assert least_ms >= 2 * build().host("phone").delay_ms


def taken_down(bench: Bench) -> list[str]:
    """End the network by an error inside it, and look for what is left."""
    world = build({"prefix4": "10.78", "prefix6": "fd78"})
    bench.network.__exit__(None, None, None)
    try:
        with Network(world, 2):
            raise KeyError("the play went wrong")
    except KeyError:
        pass
    # A namespace goes a moment after its last name.
    until_s = time.monotonic() + 5
    while "10.7" in addresses() and time.monotonic() < until_s:
        time.sleep(0.05)
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split()
    links = [line for line in addresses().splitlines() if "10.7" in line]
    wires = subprocess.run(["pgrep", "-f", "testbed.wire"], capture_output=True, text=True).stdout.split()
    return [*names, *links, *wires]


def test_an_error_takes_the_network_down(in_world: InWorld):
    assert in_world(taken_down) == []


def test_a_wire_that_cannot_start_is_told():
    network = Network(build(), 1)
    with subprocess.Popen(["true"], stdout=subprocess.PIPE, text=True) as wire:
        network._wires["desk"] = wire
        with pytest.raises(NettrusionError, match="the wire to desk did not start"):
            network._join(network.world.host("desk"))
