"""The configuration: one TOML file, typed, with every unknown key refused.

A value comes from the command line (`--set flows.max_flows=1000`), else from the environment
(`NETTRUSION_FLOWS__MAX_FLOWS=1000`), else from the file, else from the defaults.
"""

from sensor.config.load import ConfigError, Effective, flatten, known_keys, load
from sensor.config.schema import (
    Config,
    DetectorConfig,
    FlowsConfig,
    OutputConfig,
    RulesConfig,
    SensorConfig,
    StatsConfig,
    TimeoutsConfig,
)

__all__ = [
    "Config",
    "ConfigError",
    "DetectorConfig",
    "Effective",
    "FlowsConfig",
    "OutputConfig",
    "RulesConfig",
    "SensorConfig",
    "StatsConfig",
    "TimeoutsConfig",
    "flatten",
    "known_keys",
    "load",
]
