"""The configuration's sections and keys: types, defaults and limits.

What each key means, its unit and the reason for its default stand in `sensor.toml`, which a test holds
against these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def _key(default: object, **limits: object) -> Any:
    """Return a field with its default and its limits: `low`, `high`, `one_of` words, a `pattern`."""
    return field(default=default, metadata=limits)


@dataclass(frozen=True, slots=True)
class SensorConfig:
    """Who this sensor is and which addresses are its own."""

    name: str = _key("")
    home_net: str = _key("[10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10]")
    external_net: str = _key("!$HOME_NET")


@dataclass(frozen=True, slots=True)
class TimeoutsConfig:
    """After how many seconds of packet time without a packet a flow ends, by protocol and state."""

    tcp_new_s: int = _key(60, low=1, high=604_800)
    tcp_s: int = _key(120, low=1, high=604_800)
    linger_s: int = _key(5, low=0, high=604_800)
    udp_new_s: int = _key(60, low=1, high=604_800)
    udp_s: int = _key(120, low=1, high=604_800)
    icmp_s: int = _key(30, low=1, high=604_800)
    other_s: int = _key(60, low=1, high=604_800)
    active_s: int = _key(120, low=1, high=604_800)


@dataclass(frozen=True, slots=True)
class FlowsConfig:
    """How packets become flows."""

    profile: str = _key("wire", one_of=("wire", "cns22", "fork", "legacy"))
    max_flows: int = _key(262144, low=64, high=16_777_216)
    vlan_in_key: bool = _key(True)
    tunnels: bool = _key(False)
    timeouts: TimeoutsConfig = field(default_factory=TimeoutsConfig)


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Which model scores flows, and from which score on a flow is worth an alert."""

    model: str = _key("")
    signers: str = _key("")
    threshold: float | str = _key("model", low=0, high=1, one_of=("model", "budget"))
    budget_per_million: float = _key(100.0, low=0, high=1_000_000)


@dataclass(frozen=True, slots=True)
class RulesConfig:
    """Which rules turn scored flows into alerts, and the variables that they name."""

    directory: str = _key("")
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """Where events go and which ones are written."""

    path: str = _key("eve.json")
    mode: str = _key("0640", pattern="0[0-7]{3}")
    flow_events: bool = _key(False)
    features: int = _key(3, low=0, high=16)


@dataclass(frozen=True, slots=True)
class StatsConfig:
    """Whether and how often the sensor writes what it counted."""

    enabled: bool = _key(True)
    interval_s: int = _key(0, low=0)
    path: str = _key("")


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, one attribute a section of the file."""

    sensor: SensorConfig = field(default_factory=SensorConfig)
    flows: FlowsConfig = field(default_factory=FlowsConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    stats: StatsConfig = field(default_factory=StatsConfig)
