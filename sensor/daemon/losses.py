"""What was lost since the last look, in sentences with a remedy: for the log, once a minute at most."""

from collections.abc import Mapping
from typing import Final

REMEDIES: Final[Mapping[str, str]] = {
    "kernel_drops": "{n:,} packets were lost by the kernel before they could be read; "
    "raise capture.ring_mb or capture.workers",
    "unscored": "{n:,} flows were not scored, because more ended than the model could score; "
    "take a cheaper model or raise daemon.waiting_flows",
    "evicted": "{n:,} flows left early, the table being full; raise flows.max_flows",
    "oversized": "{n:,} frames were longer than the interface sends: the kernel merged packets before they were "
    "counted; switch that off: ethtool -K IFACE gro off lro off",
}


class Losses:
    """Remembers what was lost up to the last look."""

    def __init__(self) -> None:
        """Begin with nothing lost."""
        self._before: dict[str, int] = {}

    def since(self, counts: Mapping[str, int]) -> list[str]:
        """Return a sentence for each kind of loss that grew since the last call.

        Args:
            counts: by the names of `REMEDIES`, each since the start.
        """
        grown = {name: counts[name] - self._before.get(name, 0) for name in REMEDIES if name in counts}
        self._before = dict(counts)
        return [REMEDIES[name].format(n=n) for name, n in grown.items() if n > 0]
