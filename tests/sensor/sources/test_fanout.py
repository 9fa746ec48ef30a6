"""Workers of one interface: each packet comes to exactly one, and all of a pair of hosts to the same."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from sensor.config import CaptureConfig
from sensor.sources.fanout import Fanout
from sensor.sources.ring import RingSource, open_rings
from tests.live.blocks import Caught, read_all
from tests.live.cable import Cable
from tests.packets import connection, tcp
from tests.sensor.sources.kinds import DRESSES, PEERS, frame, ip4

SMALL = CaptureConfig(ring_mb=1, block_kb=64, block_ms=10)
SERVER = "198.51.100.7"
HOSTS = [f"10.1.{number}.{number}" for number in range(1, 41)]


@contextmanager
def workers(cable: Cable, count: int = 2, balance: str = "hosts", **options: Any) -> Iterator[list[RingSource]]:
    """Open the near end once for each worker."""
    with cable.inside("sensor"):
        sources = open_rings(cable.interface, replace(SMALL, workers=count, balance=balance, **options))
    try:
        yield sources
    finally:
        for source in sources:
            source.close()


def dealt(sources: list[RingSource]) -> list[list[Caught]]:
    return [read_all(source, silences=1) for source in sources]


def owners(sources: list[RingSource]) -> dict[bytes, set[int]]:
    """Return which workers saw each frame."""
    seen: dict[bytes, set[int]] = {}
    for worker, caught in enumerate(dealt(sources)):
        for one in caught:
            seen.setdefault(one.data, set()).add(worker)
    return seen


def arriving(dress: str, sent: bytes) -> bytes:
    """Return a frame as it comes in, without the hardware addresses: the kernel takes the outermost tag off."""
    return sent[16 if DRESSES[dress][0] == 0x8100 else 12 :]


@pytest.mark.parametrize("balance", ["hosts", "flows"])
def test_each_packet_comes_once_and_connections_stay_whole(cable: Cable, balance):
    pairs = {host: [one.frame for one in connection(host, SERVER, (40000, 443))] for host in HOSTS}
    with workers(cable, 3, balance, snap_bytes=2000) as sources:
        cable.send(one for step in zip(*pairs.values(), strict=True) for one in step)
        per_worker = [Counter(one.data for one in caught) for caught in dealt(sources)]
    assert sum(per_worker, Counter()) == Counter(one for frames in pairs.values() for one in frames)
    homes = [{number for number in range(3) for one in each if one in per_worker[number]} for each in pairs.values()]
    assert all(len(home) == 1 for home in homes)
    assert {worker for home in homes for worker in home} == {0, 1, 2}


@pytest.mark.parametrize("dress", DRESSES)
def test_the_kernel_reads_a_pair_in_every_dress(cable: Cable, dress):
    sent = {(host, way): frame(dress, *((host, SERVER) if way else (SERVER, host))) for host in HOSTS for way in (0, 1)}
    with workers(cable, snap_bytes=2000) as sources:
        cable.send(sent.values())
        seen = [{one.data[12:] for one in caught} for caught in dealt(sources)]
    where = {key: [arriving(dress, one) in worker for worker in seen] for key, one in sent.items()}
    assert all(sum(flags) == 1 for flags in where.values())
    assert all(where[host, 0] == where[host, 1] for host in HOSTS)
    assert len({tuple(flags) for flags in where.values()}) == 2, "all went to one worker"


def test_fragments_and_errors_go_with_their_hosts(cable: Cable):
    kinds = ("ipv4", "first fragment", "later fragment", "unreachable", "inner tag", "pppoe")
    sent = {(host, kind): frame(kind, host, SERVER) for host in HOSTS for kind in kinds}
    with workers(cable, 4, snap_bytes=2000) as sources:
        cable.send(sent.values())
        seen = [{one.data[12:] for one in caught} for caught in dealt(sources)]
    where = {key: tuple(arriving(key[1], one) in worker for worker in seen) for key, one in sent.items()}
    assert all(sum(flags) == 1 for flags in where.values())
    assert all(len({where[host, kind] for kind in kinds}) == 1 for host in HOSTS)


def test_nothing_comes_in_before_all_have_joined(cable: Cable):
    fanout = Fanout(2)
    early, late = ([tcp(host, SERVER, (port, 80), 2) for host in HOSTS] for port in (1111, 2222))
    with cable.inside("sensor"):
        first = RingSource(cable.interface, SMALL, fanout)
    try:
        cable.send(early)
        with cable.inside("sensor"):
            second = RingSource(cable.interface, SMALL, fanout)
        try:
            cable.send(late)
            seen = owners([first, second])
        finally:
            second.close()
    finally:
        first.close()
    assert set(seen) == set(late)
    assert {worker for where in seen.values() for worker in where} == {0, 1}


def test_groups_of_two_sensors_do_not_mix(cable: Cable):
    sent = [tcp(host, SERVER, (1, 80), 2) for host in HOSTS]
    with workers(cable) as here, workers(cable, balance="flows") as there:
        cable.send(sent)
        assert set(owners(here)) == set(owners(there)) == set(sent)


def test_a_flood_of_random_sources_is_spread(cable: Cable):
    flood = [tcp(f"{1 + n % 200}.{n * 7 % 251}.{n * 13 % 241}.{n % 255}", SERVER, (n, 80), 2) for n in range(2000)]
    with workers(cable, 2, ring_mb=4) as sources:
        cable.send(flood)
        counts = [len(caught) for caught in dealt(sources)]
    assert sum(counts) == 2000
    assert min(counts) > 850


@pytest.mark.parametrize("tags", [b"", b"\x81\0\0\5", b"\x81\0\0\5\x81\0\0\6"], ids=["plain", "tag", "two tags"])
def test_what_this_machine_sends_goes_with_what_it_gets(cable: Cable, tags):
    asked, answered = ([PEERS + tags + b"\x08\0" + ip4(*ends) for ends in way] for way in ways(HOSTS))
    with workers(cable, snap_bytes=2000) as sources:
        cable.send(asked)
        cable.send(answered, side="sensor")
        seen = [{one.data[-32:] for one in caught} for caught in dealt(sources)]
    where = [[one[-32:] in worker for worker in seen] for one in [*asked, *answered]]
    assert all(sum(flags) == 1 for flags in where)
    assert where[: len(HOSTS)] == where[len(HOSTS) :]
    assert len({tuple(flags) for flags in where}) == 2


def ways(hosts: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return [(host, SERVER) for host in hosts], [(SERVER, host) for host in hosts]
