"""The names that rules may use for groups of addresses and ports."""

from sensor.config import Config


def rule_variables(config: Config) -> dict[str, str]:
    """Return the variables of a configuration; its `[rules.variables]` may replace the two nets."""
    return {
        "HOME_NET": config.sensor.home_net,
        "EXTERNAL_NET": config.sensor.external_net,
        **config.rules.variables,
    }
