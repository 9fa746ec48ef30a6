"""Packet streams in which few hosts have much to do with each other: many short connections, scans, floods, answers."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.sensor.flows.reference import ACK, FIN, PSH, RST, SYN
from tests.sensor.flows.streams import SECOND_US, Kind, Sent

# Between connections: seconds that end timers, the length of a window, a step back, hours.
SILENCES_US = st.one_of(
    st.just(0),
    st.integers(0, 3 * SECOND_US),
    st.sampled_from((1, 5, 30, 59, 60, 61, 119, 121, 300, 601)).map(lambda seconds: seconds * SECOND_US),
    st.sampled_from((-1, -SECOND_US, -7 * SECOND_US, 3_600 * SECOND_US, -3_700 * SECOND_US)),
)
FORWARD_SILENCES_US = SILENCES_US.map(lambda gap_us: max(gap_us, 0))
# What both ends say, as (who: 0 the initiator, flags, payload bytes).
TALKS: tuple[tuple[tuple[int, int, int], ...], ...] = (
    ((0, SYN, 0),),
    ((0, SYN, 0), (1, RST | ACK, 0)),
    ((0, SYN, 0), (1, SYN | ACK, 0), (0, RST, 0)),
    ((0, SYN, 0), (1, SYN | ACK, 0), (0, PSH | ACK, 70), (1, PSH | ACK, 900), (0, RST | ACK, 0), (1, ACK, 0)),
    ((0, SYN, 0), (1, SYN | ACK, 0), (0, PSH | ACK, 9), (0, FIN | ACK, 0), (1, FIN | ACK, 5), (0, ACK, 0)),
    ((1, SYN | ACK, 0), (0, PSH | ACK, 1)),
    ((0, PSH | ACK, 100), (1, ACK, 0)),
    ((0, RST, 0),),
)
ENDS = ((0, 1), (0, 2), (1, 0), (2, 1), (2, 0), (1, 1))


@st.composite
def connection(draw: st.DrawFn, silences_us: st.SearchStrategy[int] = SILENCES_US) -> list[Sent]:
    """One short exchange between two of three hosts; now and then so slow that timers cut it."""
    kind: Kind = draw(st.sampled_from(("tcp", "tcp", "tcp", "udp", "udp", "icmp", "gre")))
    ends = draw(st.sampled_from(ENDS))
    ports = (draw(st.sampled_from((40000, 40001))), draw(st.sampled_from((22, 53, 80, 443))))
    version = draw(st.sampled_from((4, 4, 4, 6)))
    pace_us = draw(st.sampled_from((0, 1000, 100_000, 4 * SECOND_US, 50 * SECOND_US)))
    made, gap_us = [], draw(silences_us)
    for who, flags, size in draw(st.sampled_from(TALKS)):
        ways = (ends, ports) if not who else (ends[::-1], ports[::-1])
        icmp = (0, 0) if who else (8, 0)
        made.append(Sent(gap_us, kind, *ways, flags=flags, size=size, icmp=icmp, version=version))
        gap_us = pace_us
    return made


@st.composite
def sweep(draw: st.DrawFn, silences_us: st.SearchStrategy[int] = SILENCES_US) -> list[Sent]:
    """Many first packets: to many ports of one host, from many ports to one, or the same one again and again."""
    kind: Kind = draw(st.sampled_from(("tcp", "udp")))
    step_us = draw(st.sampled_from((0, 100, 20_000, SECOND_US)))
    own, other = draw(st.sampled_from(((0, 1), (1, 0), (1, 1))))
    refused = draw(st.booleans())
    gap_us = draw(silences_us)
    made = []
    for number in range(draw(st.integers(1, 20))):
        ports = (50000 + own * number, 1000 + other * number)
        made.append(Sent(gap_us, kind, (0, 1), ports, flags=SYN))
        if refused:
            made.append(Sent(50, kind, (1, 0), ports[::-1], flags=RST | ACK))
        gap_us = step_us
    return made


@st.composite
def gatherings(draw: st.DrawFn, silences_us: st.SearchStrategy[int] = SILENCES_US) -> list[Sent]:
    """A day among three hosts."""
    parts = st.lists(st.one_of(connection(silences_us), connection(silences_us), sweep(silences_us)), max_size=8)
    return [sent for part in draw(parts) for sent in part]
