"""The configuration's sections and keys: types, defaults and limits.

What each key means, its unit and the reason for its default stand in `sensor.toml`, which a test holds
against these classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def _key(default: object, **limits: object) -> Any:
    """Return a field with its default and its limits.

    Limits are `low`, `high`, `one_of` values, a `pattern` with the words for it as its `form`; of an
    array they are those of each element. `kinds` are the types of output that have the key; all, if absent.
    """
    return field(default=default, metadata=limits)


_ADDRESS = r"(\[[0-9A-Fa-f:.%\w]+\]|[^\s:,\[\]/]+):\d{1,5}"


@dataclass(frozen=True, slots=True)
class SensorConfig:
    """Who this sensor is and which addresses are its own."""

    name: str = _key("")
    home_net: str = _key("auto")
    external_net: str = _key("!$HOME_NET")


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """How packets are taken off live interfaces."""

    interfaces: tuple[str, ...] = _key((), pattern=r".+", form="an interface's name")
    source: str = _key("ring", one_of=("ring", "scapy", "tshark"))
    workers: int = _key(1, low=1, high=64)
    balance: str = _key("hosts", one_of=("hosts", "flows"))
    ring_mb: int = _key(64, low=1, high=4096)
    block_kb: int = _key(1024, one_of=tuple(64 << power for power in range(9)))
    block_ms: int = _key(50, low=1, high=1000)
    snap_bytes: int = _key(256, low=96, high=65_535)
    promiscuous: bool = _key(True)
    filter: str = _key("")


@dataclass(frozen=True, slots=True)
class TimeoutsConfig:
    """After how many seconds of packet time without a packet a flow ends, by protocol and state."""

    tcp_new_s: int = _key(60, low=1, high=604_800)
    tcp_s: int = _key(120, low=1, high=604_800)
    linger_s: int = _key(5, low=1, high=604_800)
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
    snapshot_closed: bool = _key(True)
    snapshot_pkts: int = _key(50, low=0, high=1_000_000)
    timeouts: TimeoutsConfig = field(default_factory=TimeoutsConfig)


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Which model scores flows, and from which score on a flow is worth an alert."""

    model: str = _key("")
    signers: str = _key("")
    threshold: float | str = _key("model", low=0, high=1, one_of=("model", "budget", "calibrated"))
    calibration: str = _key("")
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
    mode: str = _key("0640", pattern="0[0-7]{3}", form="0640, four octal digits")
    flow_events: bool = _key(False)
    features: int = _key(3, low=0, high=16)


@dataclass(frozen=True, slots=True)
class StatsConfig:
    """Whether and how often the sensor writes what it counted."""

    enabled: bool = _key(True)
    interval_s: int = _key(0, low=0)
    path: str = _key("")


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """One of several outputs: where it is and which events it takes."""

    type: str = field(
        metadata={"one_of": ("file", "stdout", "unix_stream", "unix_dgram", "syslog", "redis", "kafka")},
    )
    events: tuple[str, ...] = _key(
        ("alert", "anomaly", "stats", "flow"), one_of=("alert", "anomaly", "stats", "flow"), least=1
    )
    queue_mb: int = _key(16, low=1, high=4096)
    path: str = _key("", kinds=("file", "unix_stream", "unix_dgram", "syslog", "redis"))
    mode: str = _key("0640", pattern="0[0-7]{3}", form="0640, four octal digits", kinds=("file",))
    rotate_s: int = _key(0, low=0, high=31_536_000, kinds=("file",))
    flush_ms: int = _key(0, low=0, high=60_000, kinds=("file",))
    address: str = _key(
        "",
        pattern=f"|{_ADDRESS}(,{_ADDRESS})*",
        form="HOST:PORT, an IPv6 host in brackets",
        kinds=("syslog", "redis", "kafka"),
    )
    transport: str = _key("unix", one_of=("unix", "udp", "tcp"), kinds=("syslog",))
    facility: str = _key(
        "local5", one_of=("user", "daemon", "auth", "authpriv", *(f"local{n}" for n in range(8))), kinds=("syslog",)
    )
    cee: bool = _key(False, kinds=("syslog",))
    store: str = _key("list", one_of=("list", "channel", "stream"), kinds=("redis",))
    key: str = _key("nettrusion", pattern=r"\S+", form="a name without spaces", kinds=("redis", "kafka"))
    max_entries: int = _key(100_000, low=0, kinds=("redis",))
    username: str = _key("", kinds=("redis", "kafka"))
    password_file: str = _key("", kinds=("redis", "kafka"))
    tls: bool = _key(False, kinds=("redis", "kafka"))


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """How the sensor behaves as a service."""

    drain_s: int = _key(20, low=0, high=3600)
    waiting_flows: int = _key(65_536, low=1024, high=16_777_216)
    stall_s: int = _key(30, low=5, high=3600)


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where the sensor's figures can be read in Prometheus' format."""

    listen: str = _key("", pattern=f"|off|unix:/.+|{_ADDRESS}", form='HOST:PORT, "unix:/PATH", "off" or ""')


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, one attribute a section of the file."""

    sensor: SensorConfig = field(default_factory=SensorConfig)
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    flows: FlowsConfig = field(default_factory=FlowsConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    stats: StatsConfig = field(default_factory=StatsConfig)
    sinks: Mapping[str, SinkConfig] = field(default_factory=dict)
    daemon: DaemonConfig = field(default_factory=DaemonConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
