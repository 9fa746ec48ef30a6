"""What is raised for a configuration that cannot be used."""

from sensor.errors import NettrusionError


class ConfigError(NettrusionError):
    """A configuration that cannot be used; the sentence names the file and the key."""
