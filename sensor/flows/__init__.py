"""Packets to flows: the one compiled part of the sensor."""

from sensor.flows.engine import COUNTERS, FLOW_DTYPE, SKIP_REASONS, FlowEngine, Framing
from sensor.flows.profile import PROFILES, Profile
from sensor.flows.reason import Reason, State
from sensor.flows.rows import join, pick

__all__ = [
    "COUNTERS",
    "FLOW_DTYPE",
    "PROFILES",
    "SKIP_REASONS",
    "FlowEngine",
    "Framing",
    "Profile",
    "Reason",
    "State",
    "join",
    "pick",
]
