"""What the engine tells of hosts equals the reference, and hangs on nothing but the packets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.flows import FlowEngine, Framing
from tests.sensor.flows import streams
from tests.sensor.flows.drive import assemble, feed
from tests.sensor.flows.gatherings import FORWARD_SILENCES_US, gatherings
from tests.sensor.flows.reference_decode import Decoder
from tests.sensor.flows.reference_wire import Table, assemble_wire
from tests.sensor.flows.test_against_reference import (
    FEWER,
    GLANCED,
    HURRIED,
    PATIENT,
    WIRE,
    disagreements,
    wire_disagreements,
)

LIVE = replace(WIRE, snapshot_pkts=2, snapshot_closed=True)
# So few entries that they have to make room for each other.
FORGETFUL = replace(LIVE, context_hosts=2, context_pairs=2)
ALONE = replace(HURRIED, context_hosts=1, context_pairs=1)
PROFILES = {
    "wire": WIRE,
    "live": LIVE,
    "hurried": HURRIED,
    "glanced": GLANCED,
    "patient": PATIENT,
    "forgetful": FORGETFUL,
    "alone": ALONE,
}


@pytest.mark.parametrize("name", PROFILES)
@FEWER
@given(stream=gatherings())
def test_the_context_of_every_record_is_the_references(name: str, stream: list[streams.Sent]):
    assert not wire_disagreements(PROFILES[name], streams.records(stream))


@FEWER
@given(stream=gatherings(FORWARD_SILENCES_US), max_flows=st.integers(1, 6))
@pytest.mark.parametrize("name", ["live", "glanced", "forgetful"])
def test_a_flow_that_has_to_make_room_has_ended(name: str, stream: list[streams.Sent], max_flows: int):
    assert not wire_disagreements(PROFILES[name], streams.records(stream), max_flows)


@FEWER
@given(stream=gatherings())
def test_as_many_entries_are_forgotten_as_the_reference_says(stream: list[streams.Sent]):
    made = streams.records(stream)
    engine = FlowEngine(FORGETFUL)
    data = streams.pcap(made)
    feed(engine, data, Framing.sniff(data[:4]))
    decoder, table = Decoder(), Table(FORGETFUL)
    for time_ns, wire, frame in made:
        table.advance(time_ns - time_ns % 1000)
        packet = decoder.decode(time_ns, wire, frame)
        if packet:
            table.take(packet)
    assert table.context
    assert engine.counters["context_forgotten"] == table.context.forgotten


@FEWER
@given(stream=gatherings(), sizes=st.lists(st.integers(0, 2000), max_size=40))
def test_any_split_of_the_buffer_and_any_secret_tell_the_same(stream: list[streams.Sent], sizes: list[int]):
    """Every engine draws a secret of its own for its hashes."""
    data = streams.pcap(streams.records(stream))
    whole = assemble(data, FORGETFUL)
    assert whole.tobytes() == assemble(data, FORGETFUL, sizes=sizes).tobytes()


@FEWER
@given(
    stream=gatherings(FORWARD_SILENCES_US),
    ticks=st.lists(st.sampled_from((0.0, 0.3, 0.7, 1.0)), min_size=1, max_size=4),
    often=st.booleans(),
)
@pytest.mark.parametrize("name", ["live", "glanced", "forgetful"])
def test_a_live_source_and_a_file_tell_the_same(name: str, stream: list[streams.Sent], ticks: list[float], often: bool):
    """Silence is told to one engine in ticks, `often` four times a second; the other sees packets only."""
    made = streams.records(stream)
    engine = FlowEngine(PROFILES[name])
    head = streams.pcap([])
    framing = Framing.sniff(head[:4])
    taken = feed(engine, head, framing)
    for number, one in enumerate(made):
        taken += feed(engine, streams.pcap([one])[24:], framing)
        following = made[number + 1][0] if number + 1 < len(made) else one[0]
        step_ns = 250_000_000 if often and following - one[0] < 200 * 10**9 else following - one[0] + 1
        for now_ns in range(one[0], following, step_ns):
            engine.tick(now_ns - now_ns % 1000)
        now_ns = one[0] + int((following - one[0]) * ticks[number % len(ticks)])
        engine.tick(now_ns - now_ns % 1000)
        taken.append(engine.take())
    engine.finish()
    taken.append(engine.take())
    assert np.concatenate(taken).tobytes() == assemble(streams.pcap(made), PROFILES[name]).tobytes()


@FEWER
@given(first=gatherings(), second=gatherings())
def test_a_capture_knows_nothing_of_the_one_before(first: list[streams.Sent], second: list[streams.Sent]):
    engine = FlowEngine(LIVE)
    taken = []
    for stream in (first, second):
        data = streams.pcap(streams.records(stream))
        taken = feed(engine, data, Framing.sniff(data[:4]))
        engine.finish()
        taken.append(engine.take())
    expected = assemble_wire(LIVE, streams.records(second))
    assert not disagreements(np.concatenate(taken), expected, ["retrans"], in_order=True)
