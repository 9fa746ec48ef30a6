"""The rulebook: rules in Suricata's grammar decide which scored flow becomes which alert."""

from sensor.rulebook.book import MAX_INCIDENTS, Rulebook
from sensor.rulebook.directory import Reading, read_directory
from sensor.rulebook.faults import Fault, RuleError
from sensor.rulebook.rule import Reference, Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.sidmap import sid_msg_map
from sensor.rulebook.throttle import GROUPING, Throttle
from sensor.rulebook.variables import rule_variables
from sensor.rulebook.verdict import Verdict

__all__ = [
    "GROUPING",
    "MAX_INCIDENTS",
    "Fault",
    "Reading",
    "Reference",
    "Rule",
    "RuleError",
    "Rulebook",
    "ScoredFlows",
    "Throttle",
    "Verdict",
    "read_directory",
    "rule_variables",
    "sid_msg_map",
]
