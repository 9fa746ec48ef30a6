"""The gateway: what its connection tracking says, and real traffic through it."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.bench import Bench
from training.testbed import nat
from training.testbed.capture import Capture
from training.testbed.enclosure import NAT_TOOLS, missing
from training.testbed.network import build

InWorld = Callable[..., Any]
TCP = (
    "[1700000000.000042\t]\t    [NEW] tcp      6 120 SYN_SENT src=10.77.1.10 dst=198.18.100.10 sport=5000 dport=80"
    " [UNREPLIED] src=198.18.100.10 dst=10.77.40.10 sport=80 dport=6000\n"
)
ICMP = (
    "[1700000001.5000000]\t    [NEW] icmp     1 30 src=10.77.1.10 dst=10.77.9.10 type=8 code=0 id=77"
    " [UNREPLIED] src=10.77.9.10 dst=10.77.40.10 type=0 code=0 id=78\n"
)
PLAIN = (
    "[1700000000.000042\t]\t    [NEW] udp      17 30 src=10.77.1.10 dst=10.77.2.10 sport=1 dport=2"
    " [UNREPLIED] src=10.77.2.10 dst=10.77.1.10 sport=2 dport=1\n"
)


def test_a_translation_is_read_from_what_the_tracking_says():
    found = nat.translation(TCP)
    assert found == nat.Translation(
        1_700_000_000_000_042_000, 6, "10.77.1.10", 5000, "10.77.40.10", 6000, "198.18.100.10", 80
    )


def test_an_echo_has_its_id_for_ports():
    found = nat.translation(ICMP)
    assert found is not None and (found.proto, found.inside_port, found.outside_port, found.dport) == (1, 77, 78, 0)


def test_what_was_not_translated_is_none_and_noise_is_an_error():
    assert nat.translation(PLAIN) is None
    with pytest.raises(ValueError, match="not a new connection"):
        nat.translation("WARNING: We have hit ENOBUFS, we have missed events\n")


def test_missed_translations_fail_the_recording():
    one = nat.Translations()
    one._said.append("WARNING: We have hit ENOBUFS")
    with pytest.raises(NettrusionError, match="not all known: WARNING"):
        one.so_far()


def test_the_gateway_has_a_number_that_no_host_has():
    assert nat.gateway(build({"nat": True})).v4 == "10.77.40.10"
    assert nat.gateway(build({"hosts": {"desk": {"number": 40}}})).number == 41


def through(bench: Bench) -> dict[str, Any]:
    """Fetch pages and ping from two hosts behind the gateway, and knock from outside."""
    gateway, web = nat.gateway(bench.world), bench.world.host("web")
    bench.start("web", sys.executable, "-m", "http.server", "--bind", "::", "80")
    while ":80 " not in bench.bound("web", "t"):
        time.sleep(0.05)
    with Capture(bench.network.capture_links(), Path("/run/testbed/capture")) as capture:
        # A source port that one of them has to give up.
        curl = ["curl", "-sf", "-m", "8", "-o", "/dev/null", "--local-port", "5000"]
        codes = [bench.run(host, *curl, f"http://{web.v4}/").returncode for host in ("desk", "office")]
        codes.append(bench.run("desk", *curl, f"http://[{web.v6}]/").returncode)
        codes.append(bench.run("laptop", "ping", "-c", "1", "-w", "8", web.v4).returncode)
        inward = ["curl", "-s", "-m", "3"]
        knocks = [bench.run("attacker", *inward, f"http://{bench.world.host('desk').v4}:9/").returncode]
        knocks.append(bench.run("attacker", *inward, f"http://[{bench.world.host('desk').v6}]:9/").stderr == "")
        with bench.network.enter("attacker"):
            said = subprocess.run(["ping", "-c", "1", "-W", "2", bench.world.host("desk").v4], capture_output=True)
        heard = capture.stop()
    lines = []
    for one in heard:
        words = ["tcpdump", "-n", "-r", str(one.path), "tcp[13] = 2 or ip6 or icmp"]
        lines += subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return {
        "codes": codes,
        "knocks": knocks,
        "unreachable": "Unreachable" in said.stdout.decode(),
        "lines": lines,
        "links": list(bench.network.capture_links()),
        "translations": [asdict(row) for row in bench.network.translations()],
        "gateway": gateway.v4,
    }


def test_hosts_inside_have_the_gateways_address_and_the_labels_know_whose_it_was(in_world: InWorld):
    if lacks := missing(NAT_TOOLS):
        pytest.skip("the gateway is not possible: " + "; ".join(lacks))
    found = in_world(through, settings={"nat": True})
    world = build()
    assert found["codes"] == [0, 0, 0, 0]
    assert "to-gateway" in found["links"] and "to-desk" not in found["links"]
    # IPv4: nobody but the gateway is seen, and each port of it belongs to one host inside.
    assert not any(" IP 10.77.1." in line or " IP 10.77.3." in line for line in found["lines"])
    rows = [row for row in found["translations"] if row["proto"] == 6]
    assert [(row["inside"], row["inside_port"]) for row in rows] == [
        (world.host("desk").v4, 5000),
        (world.host("office").v4, 5000),
    ]
    assert {row["outside"] for row in rows} == {found["gateway"]} and len({row["outside_port"] for row in rows}) == 2
    for row in rows:
        syn = f"IP {row['outside']}.{row['outside_port']} > {row['dst']}.{row['dport']}: Flags [S]"
        assert any(syn in line for line in found["lines"]), syn
    echoes = [row for row in found["translations"] if row["proto"] == 1]
    assert [row["inside"] for row in echoes] == [world.host("laptop").v4]
    assert any(f"echo request, id {echoes[0]['outside_port']}," in line for line in found["lines"])
    # IPv6 is routed as it is; from outside nobody gets in over IPv4.
    assert any(f"IP6 {world.host('desk').v6}.5000 > {world.host('web').v6}.80: Flags [S]" in x for x in found["lines"])
    assert found["knocks"][0] == 7 and found["unreachable"]
