"""Labels: each conversation of the capture belongs to exactly one logged program run, or it fails.

The match asks for protocol, both addresses, the service's port, the source port's range and the
time together. Two candidates are as much an error as none.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sensor.errors import NettrusionError
from training.testbed.packets import ND_TYPES, Conversation, Tuple5
from training.testbed.programs import Run

COLUMNS = ("src", "sport", "dst", "dport", "proto", "start", "end", "packets", "label", "tool", "run")
# A frame may be this much under way between the program and the capture.
SLACK_NS = 100_000_000
# Retransmissions and the server's goodbye may follow the program's end for so long.
LINGER_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """A conversation with the run that made it; run 0 is the hosts' own neighbour discovery."""

    talk: Conversation
    label: str
    tool: str
    run: int


def made_it(run: Run, key: Tuple5, start_ns: int, end_ns: int) -> bool:
    """Tell whether a run can have made a conversation that it, or nobody, started."""
    reach = run.reach
    return (
        key.protocol == reach.protocol
        and key.src == run.source
        and key.dst in reach.addresses
        and reach.ports[0] <= key.dport <= reach.ports[1]
        and run.source_ports[0] <= key.sport <= run.source_ports[1]
        and run.start_ns <= start_ns <= run.end_ns + SLACK_NS
        and end_ns <= run.end_ns + LINGER_NS
    )


def label(talks: Iterable[Conversation], runs: Sequence[Run]) -> list[Labelled]:
    """Return the conversations with their labels, in their order.

    Raises NettrusionError that names a conversation which no run, or more than one, can have made.
    """
    done = []
    for talk in talks:
        if talk.key.protocol == "icmp6" and talk.kind in ND_TYPES:
            done.append(Labelled(talk, "benign", "kernel", 0))
            continue
        key = talk.about or talk.key
        makers = [run for run in runs if made_it(run, key, talk.start_ns, talk.end_ns)]
        if len(makers) != 1:
            which = ", ".join(f"{run.run} ({run.tool})" for run in makers) or "none"
            raise NettrusionError(
                f"The conversation {key} from {talk.start_ns} to {talk.end_ns} ns must belong to"
                f" exactly one program run; it fits {which}."
            )
        done.append(Labelled(talk, makers[0].label, makers[0].tool, makers[0].run))
    return done


def text(rows: Iterable[Labelled]) -> str:
    """Return the labels as CSV; ICMP has ports 0.

    Times are in seconds with six digits, as in the capture.
    """
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    for row in rows:
        key, talk = row.talk.key, row.talk
        times = [f"{ns // 10**9}.{ns % 10**9 // 1000:06d}" for ns in (talk.start_ns, talk.end_ns)]
        ports = (0, 0) if key.protocol.startswith("icmp") else (key.sport, key.dport)
        who = (key.src, ports[0], key.dst, ports[1], key.protocol)
        sheet.writerow((*who, *times, sum(talk.packets), row.label, row.tool, row.run))
    return out.getvalue()
