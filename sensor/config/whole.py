"""What the keys of a configuration ask of each other."""

import re
from collections.abc import Iterator, Mapping

from sensor.config.faults import ConfigError
from sensor.config.keys import section_keys
from sensor.config.schema import Config, SinkConfig

NEEDED: Mapping[str, str] = {
    "file": "path",
    "unix_stream": "path",
    "unix_dgram": "path",
    "redis": "address",
    "kafka": "address",
}
"""The key without which an output of a type has nowhere to write to."""


def check_types(origins: Mapping[str, str]) -> None:
    """Raise ConfigError for an output, among the keys that were given, that has no type or no proper name."""
    for key, origin in origins.items():
        if key.startswith("sinks."):
            name = key.split(".")[1]
            if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
                raise ConfigError(f"{origin}: sinks.{name}: a name is of small letters, digits, _ and -")
            if f"sinks.{name}.type" not in origins:
                choices = ", ".join(section_keys(SinkConfig)["type"][1]["one_of"])
                raise ConfigError(f"{origin}: sinks.{name}.type is missing; it is one of {choices}")


def check_whole(config: Config, origins: Mapping[str, str]) -> None:
    """Raise ConfigError, with where the first of them stands, for keys that contradict each other."""
    for key, wrong in _contradictions(config, origins):
        raise ConfigError(f"{origins.get(key, 'the configuration')}: {key}{wrong}")


def _contradictions(config: Config, origins: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong with it)."""
    capture = config.capture
    if capture.ring_mb * 1024 < 2 * capture.block_kb:
        key = "capture.ring_mb" if "capture.ring_mb" in origins else "capture.block_kb"
        yield key, f": a ring of {capture.ring_mb} MiB must hold at least two blocks of {capture.block_kb} KiB"
    if config.sinks and config.stats.path:
        yield "stats.path", ': does not go with [sinks]; give an output events = ["stats"]'
    for name, sink in config.sinks.items():
        yield from _of_sink(f"sinks.{name}", sink, origins)


def _of_sink(prefix: str, sink: SinkConfig, origins: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, (_, limits) in section_keys(SinkConfig).items():
        if f"{prefix}.{name}" in origins and sink.type not in limits.get("kinds", (sink.type,)):
            having = ", ".join(limits["kinds"])
            yield f"{prefix}.{name}", f": an output of type {sink.type} has no such key, only {having}"
    needed = NEEDED.get(sink.type)
    remote = sink.type == "syslog" and sink.transport != "unix"
    if remote:
        needed = "address"
    local_redis = sink.type == "redis" and bool(sink.path)
    if needed is not None and not getattr(sink, needed) and not local_redis:
        kind = f"{sink.type} over {sink.transport}" if remote else sink.type
        yield f"{prefix}.type", f" is {kind}: {prefix}.{needed} must be given too"
    for name, unused in (("path", remote), ("address", sink.type == "syslog" and not remote)):
        if unused and getattr(sink, name):
            yield f"{prefix}.{name}", f": has no meaning with {prefix}.transport = {sink.transport!r}"
    if local_redis and sink.address:
        yield f"{prefix}.path", f": has no meaning beside {prefix}.address; give one of them"
    if sink.rotate_s and "%" not in sink.path:
        yield f"{prefix}.rotate_s", f": {prefix}.path = {sink.path!r} needs codes of strftime, as eve-%Y%m%d-%H.json"
    if "," in sink.address and sink.type != "kafka":
        yield f"{prefix}.address", f" = {sink.address!r}: an output of type {sink.type} has one address"
