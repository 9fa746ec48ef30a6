"""Events read back say what was written; whatever else a line holds is refused with a reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.eve.flow import REASONS as WRITTEN
from sensor.flows import Reason
from sensor.traffic.events import REASONS, STATES, Unusable, read_event
from sensor.traffic.rows import ROW
from tests.sensor.traffic.made import CLASSES, MARK, MODEL, NOON_NS, alert, line, row

NAMES = [name for name in ROW.names or () if name != "segment"]


def read(content: bytes):
    return read_event(content, MARK, MODEL, CLASSES)


def changed(**values) -> bytes:
    """Return a flow's line with values set by dotted name."""
    event = json.loads(line())
    for key, value in values.items():
        *path, last = key.split("__")
        inner = event
        for part in path:
            inner = inner[part]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"src": "2001:db8::1", "dst": "2001:db8::2", "proto": 17},
        {"proto": 1, "src_port": 0, "dst_port": 0, "icmp_type": 8, "icmp_code": 0},
        {"proto": 47, "src_port": 0, "dst_port": 0, "fwd_bytes": 2**53 + 1},
    ],
)
def test_a_flow_is_read_as_it_was(fields):
    fields = {"reason": Reason.IDLE, **fields}
    event = read(line(123_456, 2, **fields))
    expected = row(123_456, 2, **fields)
    for name, value in zip(NAMES, event.values, strict=True):
        if name in ("src", "dst"):
            assert value == bytes(expected[name][0])[: len(value)] and len(value) in (4, 16)
        else:
            assert value == expected[name][0], name
    assert (event.time_ns, event.alert, event.capture) == (NOON_NS + 1_500_000_000, None, None)


def test_every_reason_and_state_that_is_written_is_read():
    assert set(WRITTEN.values()) == set(REASONS)
    assert len(STATES) == 3


def test_an_alert_is_a_look_at_a_flow_and_tells_its_class():
    event = read(alert(990_000))
    found = dict(zip(NAMES, event.values, strict=True))
    assert (event.alert, found["ppm"], found["reason"]) == ("dos", 990_000, Reason.SNAPSHOT)


def test_the_capture_is_told():
    assert read(line(name="a.pcap")).capture == "a.pcap"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"event_type": "stats", "stats": {}}', "of other kinds"),
        (b'{"event_type": "flow", "flow": {}}', "without a score"),
        (b'{"event_type": "flow", "metadata": []}', "without a score"),
        (line(mark=MARK + 1), "of another model"),
    ],
)
def test_whole_events_that_are_of_no_use_say_why(content, why):
    with pytest.raises(Unusable, match=why):
        read(content)


def test_a_later_word_on_an_alert_is_no_second_alert():
    event = json.loads(alert())
    event["metadata"] = {"flowints": {"ml_score": 975}}
    with pytest.raises(Unusable, match="later words"):
        read(json.dumps(event).encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"[1]", "event_type"),
        (b'"flow"', "event_type"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "nested"),
        (changed(metadata__flowints__ml_score_ppm=1_000_001), "ml_score_ppm"),
        (changed(metadata__flowints__ml_score_ppm=0.5), "ml_score_ppm"),
        (changed(metadata__flowints__ml_score_ppm=True), "ml_score_ppm"),
        (changed(metadata__flowints__ml_class=len(CLASSES)), "ml_class"),
        (changed(metadata__flowints__ml_class=-1), "ml_class"),
        (changed(timestamp="2026-11-21T12:00:01Z"), "time"),
        (changed(timestamp="2026-13-21T12:00:01.500000+0000"), "does not match"),
        (changed(timestamp=5), "timestamp"),
        (changed(flow=None), "flow"),
        (changed(flow__start=None), "start"),
        (changed(flow__state="odd"), "state"),
        (changed(flow__reason="odd"), "flow.reason"),
        (changed(flow__pkts_toserver=-1), "pkts_toserver"),
        (changed(flow__bytes_toclient=1 << 63), "bytes_toclient"),
        (changed(flow_id=1 << 51), "flow_id"),
        (changed(src_port=65_536), "src_port"),
        (changed(proto="256"), "proto"),
        (changed(proto="IP"), "proto"),
        (changed(src_ip="300.1.1.1"), "300.1.1.1"),
        (changed(dest_ip=None), "dest_ip"),
        (changed(dest_ip="::1"), "two versions"),
    ],
)
def test_what_is_damaged_is_told_with_its_reason(content, reason):
    with pytest.raises(ValueError, match=reason):
        read(content)


@given(st.binary(max_size=200) | st.integers(0, len(line())).flatmap(lambda at: st.just(line()[:at])))
def test_any_bytes_are_an_event_or_refused(content):
    try:
        read(content)
    except (ValueError, Unusable):
        return
    assert content == line()


@given(
    st.dictionaries(st.sampled_from(sorted(json.loads(line()))), st.none() | st.integers() | st.lists(st.integers()))
)
def test_any_values_in_an_event_s_keys_are_read_or_refused(values):
    try:
        read(json.dumps(json.loads(line()) | values).encode())
    except (ValueError, Unusable):
        return
