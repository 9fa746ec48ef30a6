"""What an attack of ISCXIDS2012 is called: the data set tags flows, its publication says what each day held.

Shiravi, Shiravi, Tavallaee and Ghorbani, "Toward developing a systematic approach to generate benchmark datasets
for intrusion detection", Computers & Security 31(3), 2012: seven days of June 2010, an attack scenario on four.
"""

import re
from datetime import date

NORMAL, ATTACK = "Normal", "Attack"
BENIGN = "benign"
SCENARIOS = {
    13: "iscx infiltration from inside",
    14: "iscx http denial of service",
    15: "iscx ddos by an irc botnet",
    17: "iscx ssh brute force",
}
"""The scenario of a day of June 2010. The 11th, 12th and 16th have none."""
UNSCHEDULED = "iscx attack on a day without a scenario"
LABELS = (BENIGN, *SCENARIOS.values(), UNSCHEDULED)

# TestbedTueJun15-2Flows, testbed-15jun.pcap
_NAMED = re.compile(r"jun[-_ ]?(?P<after>\d\d)(?!\d)|(?<!\d)(?P<before>\d\d)[-_ ]?jun", re.IGNORECASE)


def named_day(name: str) -> int | None:
    """Return the day of June that a record's tag or a file's name tells, None where it tells none."""
    found = _NAMED.search(name)
    return int(found["after"] or found["before"]) if found else None


def label_of(tag: str, day: int) -> str | None:
    """Return what a record with this Tag on this day of June is labelled; None for an unknown Tag."""
    if tag == NORMAL:
        return BENIGN
    return SCENARIOS.get(day, UNSCHEDULED) if tag == ATTACK else None


def day_of(record_tag: str, started: str) -> int:
    """Return a record's day of the month: what its tag tells, else that of its start (ISO 8601), else 0.

    A flow that starts a minute before midnight stands in the next day's file, and is that day's.
    """
    if (day := named_day(record_tag)) is not None:
        return day
    try:
        return date.fromisoformat(started[:10]).day
    except ValueError:
        return 0
