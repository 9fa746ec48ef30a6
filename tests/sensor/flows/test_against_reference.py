"""The engine equals the reference, record by record, on streams that hypothesis makes up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sensor.flows import FLOW_DTYPE, PROFILES, SKIP_REASONS, FlowEngine, Framing, Profile, Reason
from tests.sensor.flows import streams
from tests.sensor.flows.drive import Flows, assemble, feed, plain
from tests.sensor.flows.reference import Flow, Strict, assemble_strict, decode_strict
from tests.sensor.flows.reference_record import Record, record, unlike
from tests.sensor.flows.reference_wire import assemble_wire

SECOND_NS = 1_000_000_000
MANY = settings(
    max_examples=150,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEWER = settings(MANY, max_examples=60)
WIRE = PROFILES["wire"]
# Short timeouts that lie close together, so that which one fires first is often in question.
HURRIED = replace(
    WIRE,
    active_ns=20 * SECOND_NS,
    linger_ns=2 * SECOND_NS,
    tcp_new_ns=6 * SECOND_NS,
    tcp_ns=30 * SECOND_NS,
    udp_new_ns=5 * SECOND_NS,
    udp_ns=10 * SECOND_NS,
    icmp_ns=3 * SECOND_NS,
    other_ns=4 * SECOND_NS,
)
PATIENT = replace(WIRE, active_ns=0, tcp_new_ns=0, tcp_ns=0, udp_new_ns=0, udp_ns=0, icmp_ns=0, other_ns=0)
JOINED = replace(HURRIED, icmp_errors_join=True, same_syn_joins=True)
GLANCED = replace(HURRIED, snapshot_pkts=3, snapshot_closed=True, active_ns=9 * SECOND_NS)
PROFILES_OF_WIRE = {"glanced": GLANCED, "wire": WIRE, "hurried": HURRIED, "patient": PATIENT, "joined": JOINED}


def disagreements(
    engine: Flows, reference: Sequence[Flow], ignore: Sequence[str] = (), *, in_order: bool = False
) -> list[str]:
    """Say where the engine's records and the reference's flows differ; empty when nowhere."""
    expected = [record(flow) for flow in reference]
    names = set(expected[0]) if expected else set()
    names -= {name for name in names if name.endswith(tuple(ignore) or ("?",))}
    ours = [{name: one[name] for name in names} for one in expected]
    theirs = [{name: one[name] for name in names} for one in map(plain, engine)]
    whole = [name for name in sorted(names) if not name.endswith((".mean", ".m2")) and "context." not in name]

    def place(one: Record) -> list[tuple[str, object]]:
        return [(name, one[name]) for name in whole]

    if not in_order:
        ours.sort(key=lambda one: str(place(one)))
        theirs.sort(key=lambda one: str(place(one)))
    told = [f"engine {len(theirs)} flows, reference {len(ours)}"] if len(ours) != len(theirs) else []
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        told += [f"flow {number}: {line}" for line in unlike(mine, other)]
    return told


def strict_disagreements(variant: Strict, made: streams.Records, snapshot_pkts: int = 0) -> list[str]:
    """Run a stream through one strict profile on both sides; what a variant does not have is left out."""
    decoded = [decode_strict(variant, *one) for one in made]
    expected = assemble_strict(variant, [packet for packet in decoded if packet], snapshot_pkts)
    ignore = {"cns22": ["retrans"], "fork": [], "legacy": ["retrans", "conn_ns"]}[variant]
    profile = replace(PROFILES[variant], snapshot_pkts=snapshot_pkts)
    return disagreements(assemble(streams.pcap(made), profile), expected, ignore)


def wire_disagreements(profile: Profile, made: streams.Records, max_flows: int = 1000) -> list[str]:
    """Run a stream through a profile of the sensor's own rules on both sides."""
    flows = assemble(streams.pcap(made), profile, max_flows=max_flows)
    return disagreements(flows, assemble_wire(profile, made, max_flows), ["retrans"], in_order=True)


@pytest.mark.parametrize("stream", streams.KNOWN)
@pytest.mark.parametrize("variant", ["cns22", "fork", "legacy"])
def test_known_streams_under_the_strict_profiles(variant: Strict, stream: str):
    known = [one for one in streams.KNOWN[stream] if one.version == 4]
    assert not strict_disagreements(variant, streams.records(known))


@pytest.mark.parametrize("stream", streams.KNOWN)
@pytest.mark.parametrize("times", PROFILES_OF_WIRE)
@pytest.mark.parametrize("max_flows", [2, 1000])
def test_known_streams_under_the_wire_profile(times: str, stream: str, max_flows: int):
    made = streams.records(streams.KNOWN[stream])
    assert not wire_disagreements(PROFILES_OF_WIRE[times], made, max_flows)


@pytest.mark.parametrize("variant", ["cns22", "fork", "legacy"])
@MANY
@given(stream=streams.streams(odd=False), snapshot_pkts=st.sampled_from((0, 1, 2, 3, 5)))
def test_strict_profiles(variant: Strict, stream: list[streams.Sent], snapshot_pkts: int):
    assert not strict_disagreements(variant, streams.records(stream), snapshot_pkts)


@FEWER
@given(stream=streams.streams(), snapshot_pkts=st.integers(1, 6), max_flows=st.sampled_from((2, 1000)))
def test_snapshots_change_no_flow(stream: list[streams.Sent], snapshot_pkts: int, max_flows: int):
    made = streams.records(stream)
    data = streams.pcap(made)
    glanced = assemble(data, replace(HURRIED, snapshot_pkts=snapshot_pkts), max_flows=max_flows)
    ended = glanced[glanced["reason"] != Reason.SNAPSHOT]
    plain_ones = assemble(data, HURRIED, max_flows=max_flows)
    ended["part"] = plain_ones["part"] = 0
    # A connection that a snapshot tells closed has ended by then: what is known of its hosts may come sooner.
    ended["context"] = plain_ones["context"] = np.zeros((), FLOW_DTYPE["context"])
    assert np.array_equal(ended, plain_ones)
    early = glanced[glanced["reason"] == Reason.SNAPSHOT]
    assert (early["fwd"]["pkts"] + early["bwd"]["pkts"] == snapshot_pkts).all()
    assert set(early["flow_id"].tolist()) <= set(ended["flow_id"].tolist())


@pytest.mark.parametrize("times", PROFILES_OF_WIRE)
@MANY
@given(stream=streams.streams())
def test_wire_profile(times: str, stream: list[streams.Sent]):
    assert not wire_disagreements(PROFILES_OF_WIRE[times], streams.records(stream))


@FEWER
@given(stream=streams.streams(streams.FORWARD_GAPS_US, odd=False), max_flows=st.integers(1, 4))
def test_the_flow_idle_longest_makes_room(stream: list[streams.Sent], max_flows: int):
    assert not wire_disagreements(WIRE, streams.records(stream), max_flows)


@FEWER
@given(stream=streams.streams(), sizes=st.lists(st.integers(0, 400), max_size=40))
@pytest.mark.parametrize("name", PROFILES)
def test_any_split_of_the_buffer_gives_the_same_flows(name: str, stream: list[streams.Sent], sizes: list[int]):
    data = streams.pcap(streams.records(stream))
    whole = assemble(data, PROFILES[name])
    assert np.array_equal(whole, assemble(data, PROFILES[name], sizes=sizes))


@FEWER
@given(stream=streams.streams(), sizes=st.lists(st.integers(0, 400), max_size=10))
def test_every_framing_of_the_same_packets_gives_the_same_flows(stream: list[streams.Sent], sizes: list[int]):
    made = streams.records(stream)
    first = assemble(streams.pcap(made), WIRE)
    for data in (streams.pcap(made, ">"), streams.pcapng(made), streams.pcapng(made, ">")):
        assert np.array_equal(first, assemble(data, WIRE, sizes=sizes))


@FEWER
@given(stream=streams.streams())
def test_the_first_bytes_of_a_packet_are_all_that_is_read(stream: list[streams.Sent]):
    """Two tags, an extension header, IP and TCP up to its window, or what an ICMP error quotes, fit 128 bytes."""
    made = streams.records(stream)
    cut = [(time_ns, wire, held[:128]) for time_ns, wire, held in made]
    assert np.array_equal(assemble(streams.pcap(made), JOINED), assemble(streams.pcap(cut), JOINED))


@FEWER
@given(
    stream=streams.streams(streams.FORWARD_GAPS_US),
    ticks=st.lists(st.sampled_from((0.0, 0.3, 0.7, 1.0)), min_size=1, max_size=4),
)
@pytest.mark.parametrize("profile", [WIRE, HURRIED], ids=["wire", "hurried"])
def test_ticks_on_a_silent_source_change_no_flow(profile: Profile, stream: list[streams.Sent], ticks: list[float]):
    made = streams.records(stream)
    engine = FlowEngine(profile)
    framing = Framing.sniff(streams.pcap([])[:4])
    taken = feed(engine, streams.pcap([]), framing)
    for number, one in enumerate(made):
        taken += feed(engine, streams.pcap([one])[24:], framing)
        following = made[number + 1][0] if number + 1 < len(made) else one[0]
        now_ns = one[0] + int((following - one[0]) * ticks[number % len(ticks)])
        engine.tick(now_ns - now_ns % 1000)
    engine.finish()
    taken.append(engine.take())
    assert not disagreements(np.concatenate(taken), assemble_wire(profile, made), ["retrans"], in_order=True)


@FEWER
@given(stream=streams.streams())
@pytest.mark.parametrize("name", PROFILES)
def test_every_packet_is_in_a_flow_or_in_a_counter(name: str, stream: list[streams.Sent]):
    made = streams.records(stream)
    profile = replace(PROFILES[name], min_pkts=1)
    engine = FlowEngine(profile)
    data = streams.pcap(made)
    taken = feed(engine, data, Framing.sniff(data[:4]))
    engine.finish()
    flows = np.concatenate([*taken, engine.take()])
    counted = engine.counters
    skipped = sum(counted[reason] for reason in SKIP_REASONS)
    assert counted["packets"] == len(made)
    assert counted["bytes"] == sum(wire for _, wire, _ in made)
    assert int(flows["fwd"]["pkts"].sum() + flows["bwd"]["pkts"].sum()) + skipped == len(made)
    assert counted["in_flow"] + skipped == len(made)
