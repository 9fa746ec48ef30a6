"""The name servers of the house and of the outside, and the names that go wrong."""

import struct
from pathlib import Path
from random import Random
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services.names import LATE_ADDRESS, SERVICES, house_config, late_answer, outside_config


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def test_a_late_name_says_itself_how_late():
    for wait_ms in (0, 40, 1_500):
        answer = late_answer(question(f"d{wait_ms}.slow.test"))
        assert answer is not None
        after_s, said = answer
        assert after_s == wait_ms / 1000 and said[:2] == b"\0\7" and said.endswith(LATE_ADDRESS)


def test_a_broken_name_fails_at_once_and_a_lost_one_is_not_answered():
    answer = late_answer(question("mx1.broken.test"))
    assert answer is not None and answer[0] == 0.0
    assert answer[1][3] & 15 == 2 and struct.unpack_from("!H", answer[1], 6) == (0,)
    assert late_answer(question("w1.lost.test")) is None


def test_an_address_of_the_newer_kind_is_none():
    answer = late_answer(question("d5.slow.test", kind=28))
    assert answer is not None and struct.unpack_from("!H", answer[1], 6) == (0,)


def test_what_is_no_question_gets_silence():
    whole = question("d5.slow.test")
    for length in range(len(whole)):
        assert late_answer(whole[:length]) is None


def test_the_configurations_repeat_with_the_seed_and_name_all_hosts_and_sites(tmp_path: Path):
    world = Elsewhere(tmp_path)
    assert outside_config(world, Random(3)) == outside_config(world, Random(3)) != outside_config(world, Random(4))
    house, outside = house_config(world), outside_config(world, Random(3))
    for host in world.hosts.values():
        assert f"host-record={host.name}.home.test,{host.v4},{host.v6}\n" in house
    for site in world.sites:
        assert f"host-record={site.name},{site.v4},{site.v6}," in outside
    # Nothing is asked of a server that is not in the world.
    servers = [line for line in house.splitlines() if line.startswith("server=")]
    assert servers == ["server=198.18.100.10", "server=/works.test/10.77.12.10"]


def test_services_say_where_they_listen():
    assert [(one.name, one.host, one.tcp, one.logs) for one in SERVICES] == [
        ("dns", "infra", (53,), ("log",)),
        ("updns", "internet", (53,), ("log",)),
    ]


def asked(bench: Bench) -> dict[str, str]:
    """Ask the real servers for a bit of everything, through the one of the house."""
    bench.serve("names")
    answers = {}
    for name in ("store.home.test", "mail.home.test", "www.site03.test", "e1.img.site05.test", "nobody.home.test"):
        answers[name] = bench.run("desk", "dig", "+short", name).stdout.strip()
    for name in ("nobody.home.test", "nobody.corp.test", "x.example", "mx1.broken.test"):
        said = bench.run("desk", "dig", name).stdout
        answers[f"{name} status"] = said.partition("status: ")[2].partition(",")[0]
    answers["mail"] = bench.run("desk", "dig", "+short", "home.test", "MX").stdout.strip()
    answers["late"] = bench.run("desk", "dig", "d400.slow.test").stdout
    answers["libc"] = bench.run("desk", "getent", "ahosts", "www.site01.test").stdout
    answers["log"] = (bench.world.folder("dns") / "log").read_text()
    return answers


def test_names_resolve_or_fail_as_they_should(in_world: Any):
    answers = in_world(asked)
    assert answers["store.home.test"] == "10.77.11.10" and answers["mail.home.test"] == "10.77.10.10"
    assert answers["www.site03.test"] == "198.18.100.12" and answers["e1.img.site05.test"] == "198.18.100.14"
    assert answers["nobody.home.test"] == ""
    for name in ("nobody.home.test", "nobody.corp.test", "x.example"):
        assert answers[f"{name} status"] == "NXDOMAIN"
    assert answers["mx1.broken.test status"] == "SERVFAIL"
    assert answers["mail"] == "10 mail.home.test."
    (line,) = [line for line in answers["late"].splitlines() if "Query time" in line]
    assert 400 <= int(line.split()[3]) < 2_000
    assert "198.18.100.10" in answers["libc"] and "2001:db8:100::10" in answers["libc"]
    assert "query[A] store.home.test from 10.77.1.10" in answers["log"]
