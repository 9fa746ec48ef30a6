"""One source and its engine: files, rings, silence, and captures that follow each other."""

from typing import Any

import pytest

from sensor.assembly import Assembly, profile
from sensor.config import FlowsConfig, TimeoutsConfig
from sensor.flows import PROFILES, FlowEngine
from sensor.flows.profile import SECOND_NS
from tests.packets import BASE_NS, connection, pcap
from tests.sensor.wire import Wire

LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)
OTHER = connection("10.0.0.3", "10.0.0.2", (40000, 80), BASE_NS + 10**9, rounds=2)


def run(source: Any) -> Assembly:
    assembly = Assembly(source, FlowEngine(PROFILES["wire"]))
    while assembly.step():
        pass
    return assembly


def test_a_flow_goes_on_from_one_capture_file_to_the_next():
    first, second = pcap(LOUD[:7]), pcap(LOUD[7:])
    assembly = run(Wire([(1, first), None, (2, second[:50]), (2, second[50:])]))
    assembly.engine.finish()
    (flow,) = assembly.engine.take()
    assert flow["fwd"]["pkts"] + flow["bwd"]["pkts"] == len(LOUD)
    assert assembly.faults == []


def test_silence_carries_time_on_so_that_flows_end():
    assembly = run(Wire([(1, pcap(LOUD[:4])), None, None], horizon_ns=BASE_NS + 3600 * 10**9))
    assert assembly.engine.live == 0
    assert len(assembly.engine.take()) == 1


def test_without_a_horizon_silence_moves_nothing():
    assembly = run(Wire([(1, pcap(LOUD[:4])), None, None]))
    assert assembly.engine.live == 1


def test_a_damaged_file_is_left_and_the_next_one_read():
    broken = pcap(LOUD[:5]) + b"\xff" * 400
    assembly = run(Wire([(1, broken), (1, b"\xff" * 100), None, (2, pcap(OTHER))]))
    assert assembly.engine.counters["packets"] == 5 + len(OTHER)
    (fault,) = assembly.faults
    assert "is damaged" in fault
    assert "5 whole packets" in fault


def test_a_file_that_ends_within_a_record_is_told_when_the_source_ends():
    assembly = run(Wire([(1, pcap(LOUD)[:-10])]))
    (fault,) = assembly.faults
    assert "is cut short" in fault


def test_a_source_that_never_had_anything_is_no_error_when_it_is_live():
    assembly = run(Wire([None, None]))
    assert assembly.engine.counters["packets"] == 0


def test_the_default_configuration_is_the_engine_s_own_wire_profile():
    assert profile(FlowsConfig(snapshot_closed=False, snapshot_pkts=0)) == PROFILES["wire"]


@pytest.mark.parametrize("name", ["cns22", "fork", "legacy"])
def test_a_strict_profile_has_no_settings(name):
    given = FlowsConfig(profile=name, timeouts=TimeoutsConfig(active_s=1))
    assert profile(given) == PROFILES[name]


def test_every_timeout_reaches_the_engine():
    names = list(TimeoutsConfig.__dataclass_fields__)
    given = FlowsConfig(timeouts=TimeoutsConfig(**{name: 1000 + at for at, name in enumerate(names)}))
    made = profile(given)
    for at, name in enumerate(names):
        assert getattr(made, f"{name.removesuffix('_s')}_ns") == (1000 + at) * 10**9


def test_early_verdicts_reach_the_engine():
    assert profile(FlowsConfig(snapshot_pkts=77)).snapshot_pkts == 77
    assert profile(FlowsConfig()).snapshot_closed


@pytest.mark.parametrize("minutes", [10, 120])
def test_a_wire_whose_clock_is_set_back_ends_its_flows_and_goes_on_from_there(minutes):
    before = connection("10.0.0.1", "10.0.0.2", (40000, 80))[:5]
    begin_ns = BASE_NS - minutes * 60 * SECOND_NS
    after = connection("10.0.0.1", "10.0.0.3", (40001, 80), begin_ns)[:5]
    engine = FlowEngine(PROFILES["wire"])
    wire = Wire([(1, pcap(before)), None, (2, pcap(after)), None, None], BASE_NS + SECOND_NS)
    assembly = Assembly(wire, engine)
    for _ in range(4):
        assembly.step()
    assert (engine.live, engine.pending) == (1, 0)
    wire._silent_ns = begin_ns + 10 * SECOND_NS
    while assembly.step():
        pass
    assert sorted(int(flow["src_port"]) for flow in engine.take()) == [40000, 40001]
    assert engine.now_ns == begin_ns + 10 * SECOND_NS


def test_a_wire_that_is_never_silent_sets_no_clock_back():
    class Busy(Wire):
        """Keeps the horizon of the silence before its first packet."""

        def more(self) -> bool:
            there = super().more()
            self.horizon_ns = BASE_NS - SECOND_NS
            return there

    flows = [connection(f"10.0.1.{n}", "10.0.0.2", (1, 2), BASE_NS + 15 * n * SECOND_NS)[:5] for n in range(5)]
    assembly = run(Busy([None, *((number, pcap(flow)) for number, flow in enumerate(flows, 1))]))
    assert assembly.engine.live == 5
    assert len(assembly.engine.take()) == 0


def test_files_out_of_order_set_no_clock_back():
    class Folder(Wire):
        in_iface = None

    early = connection("10.0.0.1", "10.0.0.3", (40001, 80), BASE_NS - 600 * SECOND_NS)[:5]
    assembly = run(Folder([(1, pcap(LOUD[:4])), None, (2, pcap(early)), None, None], BASE_NS - 590 * SECOND_NS))
    assert assembly.engine.live == 2
