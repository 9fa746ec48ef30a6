"""The names that rules may use for groups of addresses and ports."""

from typing import Final

from sensor.config import Config

PRIVATE_NETS: Final = "[10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10]"
"""Private and link-local networks: what a gateway usually has behind it."""


def rule_variables(config: Config, home_net: str | None = None) -> dict[str, str]:
    """Return the variables of a configuration; its `[rules.variables]` may replace the two nets.

    `home_net` is what stands for `sensor.home_net = "auto"`: the networks that the captured interfaces have.
    Without it these are the private ones.
    """
    wanted = config.sensor.home_net
    return {
        "HOME_NET": (home_net or PRIVATE_NETS) if wanted == "auto" else wanted,
        "EXTERNAL_NET": config.sensor.external_net,
        **config.rules.variables,
    }
