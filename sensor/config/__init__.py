"""The configuration: one TOML file, typed, with every unknown key refused.

A value comes from the command line (`--set flows.max_flows=1000`), else from the environment
(`NETTRUSION_FLOWS__MAX_FLOWS=1000`), else from the file, else from the defaults.
"""

from sensor.config.faults import ConfigError
from sensor.config.keys import flatten, known_keys, section_keys
from sensor.config.load import Effective, load
from sensor.config.schema import (
    CaptureConfig,
    Config,
    DaemonConfig,
    DetectorConfig,
    FlowsConfig,
    MetricsConfig,
    OutputConfig,
    RulesConfig,
    SensorConfig,
    SinkConfig,
    StatsConfig,
    TimeoutsConfig,
)

__all__ = [
    "CaptureConfig",
    "Config",
    "ConfigError",
    "DaemonConfig",
    "DetectorConfig",
    "Effective",
    "FlowsConfig",
    "MetricsConfig",
    "OutputConfig",
    "RulesConfig",
    "SensorConfig",
    "SinkConfig",
    "StatsConfig",
    "TimeoutsConfig",
    "flatten",
    "known_keys",
    "load",
    "section_keys",
]
