"""Whether the sensor, as it is configured, finds the attacks that it was shipped with.

    result = run_selftest(config)
    result.passed, result.sentence

The bundled capture goes through the very pipeline that scores captures, with the configuration's flow rules,
model, threshold and rules, into a sink that counts. Nothing of it reaches the configured outputs.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sensor.config import Config
from sensor.pipeline import Pipeline, Tally
from sensor.sources import Source, open_capture

DATA: Final = Path(__file__).parent / "data"
LIMIT_S: Final = 60.0
"""A third of a second is usual; a machine that takes longer than this is not one to watch a network with."""


@dataclass(frozen=True, slots=True)
class SelftestResult:
    """What became of the bundled capture.

    Attributes:
        passed: the sensor may start. Also when flows reach the threshold and the operator's own rules let
            none of them alert: that may be what they are for.
        sentence: what was found, and the remedy where something is amiss.
        packets, flows: what the capture was read as.
        above: flow records, snapshots of open flows among them, whose score reaches the threshold.
        alerts: alerts that the rules made of them.
        seconds: how long it took, loading the model and the rules included.
    """

    passed: bool
    sentence: str
    packets: int = 0
    flows: int = 0
    above: int = 0
    alerts: int = 0
    seconds: float = 0.0

    @property
    def quiet(self) -> bool:
        """Whether it passed without an alert, because of the operator's own rules."""
        return self.passed and not self.alerts


def run_selftest(config: Config) -> SelftestResult:
    """Run the bundled capture through a pipeline of this configuration.

    Bounded in time by `LIMIT_S`, in memory by the capture: a thousand flows.
    Raises NettrusionError for a model or rules that cannot be loaded at all.
    """
    begun_s = time.monotonic()
    captures = sorted(DATA.glob("demo.pcap*"))
    if not captures:
        return SelftestResult(False, f"{DATA}: the bundled capture is missing; install the sensor again")
    try:
        pipeline = _judge(config, captures[0], begun_s + LIMIT_S)
        passed, sentence = _verdict(config, pipeline, captures[0], begun_s + LIMIT_S)
    except TimeoutError:
        return SelftestResult(
            False,
            f"{captures[0].name} was not scored within {LIMIT_S:g} s; see what else takes the machine's processor time",
            seconds=time.monotonic() - begun_s,
        )
    tally = pipeline.tally
    return SelftestResult(
        passed,
        sentence,
        tally.counters.get("packets", 0),
        tally.counters.get("flows", 0),
        tally.above,
        tally.alerts,
        time.monotonic() - begun_s,
    )


def _judge(config: Config, capture: Path, until_s: float, sink: "_Counting | None" = None) -> Pipeline:
    """Run a capture through a pipeline of its own; raises TimeoutError when that takes too long."""

    def watch(source: Source) -> None:
        if time.monotonic() > until_s:
            raise TimeoutError

    pipeline = Pipeline.assemble(config, sink or _Counting())
    source = open_capture(str(capture))
    try:
        pipeline.run(source, watch)
    finally:
        source.close()
    return pipeline


def _verdict(config: Config, pipeline: Pipeline, capture: Path, until_s: float) -> tuple[bool, str]:
    """Return whether it passed, and the sentence."""
    tally = pipeline.tally
    flows = tally.counters.get("flows", 0)
    if tally.faults or not flows:
        return False, f"{capture} was not read whole; install the sensor again"
    if not tally.above:
        return False, _no_score(config, pipeline, flows, _highest(config, capture, until_s))
    if tally.alerts:
        return True, f"{tally.counters['packets']} packets, {flows} flows, {tally.alerts} alerts"
    return _no_rule(config, pipeline, tally)


def _no_score(config: Config, pipeline: Pipeline, flows: int, highest: float) -> str:
    """Say that the model lets no flow reach the threshold, and which of the two is to be changed."""
    wanted, model = config.detector.threshold, config.detector.model
    threshold = pipeline.scoring.threshold
    found = (
        f"none of {flows} flows of the bundled capture, which holds attacks, reaches the threshold {threshold:g}: "
        f"the highest score is {highest:.3f}"
    )
    if wanted == "calibrated":
        return f'{found}; calibrate on traffic without attacks or for more alerts, or set detector.threshold to "model"'
    if wanted != "model":
        return f'{found}; lower detector.threshold = {wanted:.7g}, or set it to "model"'
    if model:
        return f"{found}; the model {model} does not know these attacks: train it on them, or leave the key empty"
    return f"{found}; the model is not the one of this sensor: install it again"


def _no_rule(config: Config, pipeline: Pipeline, tally: Tally) -> tuple[bool, str]:
    """Say that the rules let no flow alert; with rules of one's own that may be right, with none it is not."""
    rulebook, directory = pipeline.scoring.rulebook, config.rules.directory
    found = f"{tally.above} of {pipeline.scoring.said.flows} scored records reach the threshold"
    if not rulebook.rules:
        return False, f"{found}, and {directory or 'the sensor'} has no rule; see: nettrusion rules check {directory}"
    if not directory:
        return False, f"{found}, and the sensor's own rules let none of them alert; install it again"
    counts = rulebook.counters
    why = ", ".join(f"{counts[name]} times {words}" for name, words in _HELD_BACK.items() if counts[name])
    return True, (
        f"{found}, and the rules of {directory} let none of them alert ({why or 'no rule matches'}); right if they are "
        f"not meant for floods, scans and brute force, else compare them with the sensor's own: nettrusion rules check"
    )


_HELD_BACK: Final[Mapping[str, str]] = {
    "suppressed": "suppressed by threshold.config",
    "passed": "let pass by a pass rule",
    "grouped": "held back by a threshold",
}


def _highest(config: Config, capture: Path, until_s: float) -> float:
    """Return the highest score, 0 to 1, of the capture's flows, from their flow events."""
    sink = _Counting(keep=True)
    _judge(replace(config, output=replace(config.output, flow_events=True)), capture, until_s, sink)
    return sink.highest / 1000


class _Counting:
    """A sink that counts lines and lets them go, at most keeping the highest score that it saw."""

    def __init__(self, *, keep: bool = False) -> None:
        self.highest = 0
        self._keep = keep
        self._lines = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self._lines += len(lines)
        if self._keep:
            for line in lines:
                self.highest = max(self.highest, _score_permille(json.loads(line)))

    def flush(self) -> None:
        return

    def reopen(self) -> None:
        return

    def close(self) -> None:
        return

    @property
    def counters(self) -> Mapping[str, int]:
        return {"lines": self._lines}


def _score_permille(event: Mapping[str, Mapping[str, Mapping[str, int]]]) -> int:
    return event.get("metadata", {}).get("flowints", {}).get("ml_score", 0)
