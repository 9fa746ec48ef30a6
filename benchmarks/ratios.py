"""What one thing costs beside another of the same session, in turns, so that a busy minute falls on both."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Runs = Mapping[str, list[dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one stage's figure was another's, a ratio for each turn."""

    name: str
    turns: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the turns."""
        return statistics.median(self.turns)

    @property
    def line(self) -> str:
        """The line that is printed: the median, the least and the most."""
        return f"{self.name:<44}{self.median:>8.2f}{min(self.turns):>9.2f} -{max(self.turns):>6.2f}"


def in_turns(stages: Mapping[str, Callable[[], dict[str, float]]], times: int) -> Runs:
    """Run every stage once, then all of them again, and so on; return each stage's figures in the order of turns."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in stages}
    for _ in range(times):
        for name, once in stages.items():
            runs[name].append(once())
    return runs


def ratio(name: str, runs: Runs, dear: str, cheap: str, figure: str = "cpu_s") -> Ratio:
    """Return how many times stage `dear` took what stage `cheap` took in the same turn."""
    pairs = zip(runs[dear], runs[cheap], strict=True)
    return Ratio(name, tuple(one[figure] / other[figure] for one, other in pairs))


def of_engine(runs: Runs) -> list[Ratio]:
    """Return what the memory of hosts costs the engine, and feature set flow1 beside cic2022."""
    return [
        ratio("engine, with context over without", runs, "engine only", "engine without context"),
        ratio("features alone, flow1 over cic2022", runs, "engine and flow1", "engine and cic2022", "extract_s"),
        ratio("engine and features, flow1 over cic2022", runs, "engine and flow1", "engine and cic2022"),
    ]
