"""A label needs exactly one run that can have made the conversation."""

import csv
import dataclasses
import io
from typing import Any

import pytest

from sensor.errors import NettrusionError
from training.testbed.labels import COLUMNS, label, text
from training.testbed.packets import Conversation, Tuple5
from training.testbed.programs import Reach, Run

SECOND = 10**9
HOST, SERVER = "10.77.3.10", "10.77.9.10"
SCAN = Run(
    run=4,
    host="outside",
    source=HOST,
    source_ports=(32_768, 65_535),
    tool="nmap",
    label="scan",
    command="nmap",
    reach=Reach("tcp", (SERVER,), (1, 100)),
    start_ns=10 * SECOND,
    end_ns=20 * SECOND,
    exit_code=0,
)
WEB = dataclasses.replace(
    SCAN, run=5, tool="curl", label="benign", source_ports=(10_000, 10_007), reach=Reach("tcp", (SERVER,), (80, 80))
)


def talk(sport: int = 40_000, dport: int = 80, at_s: float = 12.0, **changes: Any) -> Conversation:
    key = Tuple5("tcp", HOST, sport, SERVER, dport)
    start = int(at_s * SECOND)
    made = Conversation(key, start, start + 1_500_000, [2, 1], [120, 60])
    return dataclasses.replace(made, **changes)


def test_the_source_port_tells_two_programs_of_a_host_apart():
    rows = label([talk(), talk(sport=10_003)], [SCAN, WEB])
    assert [(row.label, row.tool, row.run) for row in rows] == [("scan", "nmap", 4), ("benign", "curl", 5)]


@pytest.mark.parametrize(
    "strange",
    [
        talk(dport=101),
        talk(sport=20_000),
        talk(at_s=9.9),
        talk(at_s=20.2),
        talk(end_ns=90 * SECOND),
        talk(key=Tuple5("udp", HOST, 40_000, SERVER, 80)),
        talk(key=Tuple5("tcp", "10.77.1.10", 40_000, SERVER, 80)),
        talk(key=Tuple5("tcp", HOST, 40_000, "10.77.9.20", 80)),
        talk(key=Tuple5("tcp", SERVER, 80, HOST, 40_000)),
    ],
)
def test_a_conversation_that_no_run_explains_is_an_error(strange: Conversation):
    with pytest.raises(NettrusionError, match="fits none"):
        label([talk(), strange], [SCAN, WEB])


def test_two_runs_that_fit_are_an_error_that_names_both():
    with pytest.raises(NettrusionError, match=r"4 \(nmap\), 6 \(nmap\)"):
        label([talk()], [SCAN, dataclasses.replace(SCAN, run=6)])


def test_an_icmp_error_belongs_to_whoever_caused_it():
    error = talk(key=Tuple5("icmp", SERVER, 0, HOST, 0), kind=3, about=talk().key)
    assert label([error], [SCAN, WEB])[0].tool == "nmap"


def test_neighbour_discovery_is_the_kernels():
    (row,) = label([talk(key=Tuple5("icmp6", "fe80::1", 0, "ff02::1", 0), kind=135)], [SCAN])
    assert (row.label, row.tool, row.run) == ("benign", "kernel", 0)


def test_the_table_has_whole_microseconds_and_no_ports_for_icmp():
    ping = talk(key=Tuple5("icmp", HOST, 77, SERVER, 77))
    pinger = dataclasses.replace(
        WEB, run=7, tool="ping", source_ports=(77, 77), reach=Reach("icmp", (SERVER,), (77, 77))
    )
    first, second = csv.DictReader(io.StringIO(text(label([talk(), ping], [SCAN, pinger]))))
    assert tuple(first) == COLUMNS
    assert (first["start"], first["end"], first["packets"]) == ("12.000000", "12.001500", "3")
    assert (first["sport"], second["sport"], second["dport"], second["tool"]) == ("40000", "0", "0", "ping")
