"""What a rule says that is honoured and that yet goes wrong with those who read the alerts."""

import re
from collections.abc import Iterator

from sensor.rulebook.conditions import AppProtocol
from sensor.rulebook.faults import Fault
from sensor.rulebook.rule import Rule

_ELASTIC_MOVES = ("protocols", "attack_target", "capec_id", "cwe_id", "malware", "cve", "priority")
_ELASTIC_SETS = ("hostile", "infected", "filename", "classtype", "rule_source", "sid")
ELASTIC_KEYS = frozenset((*_ELASTIC_MOVES, *_ELASTIC_SETS))
"""Metadata keys that Elastic's pipeline for Suricata takes for its own."""
_OF_THE_FLOW = ("ml_model", "ml_score", "ml_threshold", "ml_class", "ml_features", "ml_open")
_OF_THE_INCIDENT = ("ml_incident_flows", "ml_incident_sources", "ml_incident_by")
SENSOR_KEYS = frozenset((*_OF_THE_FLOW, *_OF_THE_INCIDENT))
"""Metadata keys that the sensor itself adds to every alert."""
_DATES = ("created_at", "updated_at")
_DATE = re.compile(r"\d{4}_\d{2}_\d{2}")

LOCAL_SIDS = range(1_000_000, 2_000_000)


def warn_about(rule: Rule) -> Iterator[Fault]:
    """Yield what to reconsider about a rule, each with its place."""

    def warning(text: str) -> Fault:
        return Fault(rule.path, rule.line, f"sid {rule.sid}: {text}")

    for key in sorted(ELASTIC_KEYS & set(rule.metadata)):
        yield warning(f"Elastic's pipeline takes the metadata key {key} for its own; name it otherwise")
    for key in sorted(SENSOR_KEYS & set(rule.metadata)):
        yield warning(f"the sensor writes the metadata key {key} itself, and its value stands in the alert")
    for key in _DATES:
        if not all(_DATE.fullmatch(value) for value in rule.metadata.get(key, ())):
            yield warning(f"the metadata key {key} is a date as yyyy_mm_dd")
    if rule.sid not in LOCAL_SIDS:
        yield warning("signature ids of one's own are 1000000 to 1999999")
    if any(isinstance(condition, AppProtocol) for condition in rule.conditions):
        yield warning(
            "app-layer-protocol is met by no flow, negated or not, for none of the sensor's sources tells application"
            " protocols; ask for the ports"
        )
    if rule.noalert and rule.action == "alert":
        yield warning("noalert keeps the rule from ever alerting, and the sensor's rules do nothing else")
