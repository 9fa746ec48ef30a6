"""The program that deals packets by hosts: a pair stays together in every dress, and many pairs are spread."""

import random
from collections import Counter

import pytest

from sensor.sources.balance import by_hosts
from sensor.sources.bpf import MAX_INSTRUCTIONS
from tests.sensor.sources.cbpf import Packet, run
from tests.sensor.sources.kinds import DRESSES, ip4, ip6

PROGRAM = by_hosts(seed=12345)
CLIENT, SERVER = "10.1.2.3", "198.51.100.7"


def number(dress: str, src: str, dst: str) -> int:
    protocol, make = DRESSES[dress]
    return run(PROGRAM, Packet(protocol, make(src, dst)))


@pytest.mark.parametrize("dress", [dress for dress in DRESSES if "ipv6" not in dress])
def test_all_of_a_pair_has_one_number_in_every_dress(dress):
    expected = number("ipv4", CLIENT, SERVER)
    assert expected
    assert number(dress, CLIENT, SERVER) == number(dress, SERVER, CLIENT) == expected


@pytest.mark.parametrize("dress", [dress for dress in DRESSES if "ipv6" in dress])
def test_ipv6_too(dress):
    assert number(dress, CLIENT, SERVER) == number(dress, SERVER, CLIENT) == number("ipv6", CLIENT, SERVER) != 0


def test_a_tag_that_this_machine_put_on_stands_before_the_network_header():
    for packet in (ip4(CLIENT, SERVER), ip6(CLIENT, SERVER)):
        plain = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
        assert run(PROGRAM, Packet(0x8100, packet, kind=4)) == run(PROGRAM, Packet(plain, packet))


@pytest.mark.parametrize("protocol", [0x0806, 0x88CC, 0x0004])
def test_what_is_not_ip_goes_to_the_first_worker(protocol):
    assert run(PROGRAM, Packet(protocol, bytes(60))) == 0


@pytest.mark.parametrize("dress", DRESSES)
def test_no_length_makes_it_read_beyond_the_packet(dress):
    protocol, make = DRESSES[dress]
    whole = make(CLIENT, SERVER)
    for length in range(len(whole)):
        run(PROGRAM, Packet(protocol, whole[:length]))


def spread(sources: list[str], workers: int) -> Counter[int]:
    return Counter(number("ipv4", source, SERVER) % workers for source in sources)


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
@pytest.mark.parametrize(
    "sources",
    [
        [f"10.0.{number >> 8}.{number & 255}" for number in range(4096)],
        [f"10.{number >> 6}.{number & 63}.8" for number in range(4096)],
        [f"{number & 255}.{number >> 8}.0.0" for number in range(1 << 12)],
        [f"10.0.{number >> 6}.{(number & 63) * 4}" for number in range(4096)],
        [".".join(str(byte) for byte in random.Random(seed).randbytes(4)) for seed in range(4096)],
    ],
    ids=["neighbours", "same last byte", "first bytes", "every fourth", "random"],
)
def test_hosts_are_spread_evenly(sources, workers):
    share = 4096 / workers
    counts = spread(sources, workers)
    assert len(counts) == workers
    assert max(counts.values()) < 1.2 * share
    assert min(counts.values()) > 0.8 * share


def test_the_numbers_of_two_processes_differ():
    first, second = (by_hosts() for _ in range(2))
    packets = [Packet(0x0800, ip4(f"10.0.0.{host}", SERVER)) for host in range(200)]
    assert {run(first, packet) % 2 == run(second, packet) % 2 for packet in packets} == {True, False}


def test_it_is_short_enough_for_any_kernel():
    assert len(PROGRAM) < MAX_INSTRUCTIONS / 10
