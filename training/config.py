"""The run's settings: one TOML file, flags above it, unknown keys refused."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sensor.errors import NettrusionError


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where the labelled flows are and how they become features.

    `cache` is a folder for assembled tables, so that captures are assembled once; empty: one in the
    run's own folder.
    """

    folders: tuple[str, ...] = ()
    feature_set: str = "cic2022"
    variant: str = "cns22"
    row_limit: int = 200_000
    cache: str = ""
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Shares of rows (attacks, and benign rows apart), and the seed that orders host pairs.

    With `by = "day"` the shares do not count: the three lists of days say which recordings train,
    set thresholds and report. With `by = "mixed"` the sources in `timed` are cut by the shares, each
    by itself, and the others by the lists. `days_name` is what the recordings of the lists are called
    together where one kind of data is set against another.
    """

    by: str = "time"
    timed: tuple[str, ...] = ()
    days_name: str = "testbed"
    train_days: tuple[str, ...] = ()
    calibration_days: tuple[str, ...] = ()
    test_days: tuple[str, ...] = ()
    calibration: float = 0.25
    test: float = 0.25
    benign_calibration: float = 0.41
    benign_test: float = 0.2
    seed: int = 0
    train_rows_per_label: int = 2_000


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which candidates run and how the network learns.

    `left_out_seeds` is how many seeds runs without a family get, `source_seeds` runs on one kind of
    data alone: 0 is as many as `seeds`. With `families` or `sources` false those runs are left out.
    """

    candidates: tuple[str, ...] = ()
    seeds: int = 5
    left_out_seeds: int = 0
    source_seeds: int = 0
    families: bool = True
    sources: bool = True
    epochs: int = 20
    batch: int = 1024
    width: int = 64


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """False-positive rates: those that are reported, and the one that sets the threshold.

    A candidate that costs more than `cost_us` microseconds a flow in the sensor's session does not
    ship. The cost is measured: with a limit that a candidate is close to, two runs may choose apart.
    """

    rate: float = 1e-3
    report: tuple[float, ...] = (1e-2, 1e-3)
    alerts_a_day: float | None = None
    flows_a_day: float | None = None
    cost_us: float | None = None


@dataclass(frozen=True, slots=True)
class ChooseConfig:
    """What the candidates are compared by; never test rows, never captures of other origin.

    `by = "same"`: on calibration rows of the sources that were learnt from. `by = "left_out_source"`:
    learnt from each kind of data alone, on the calibration rows of the others, at a threshold set on
    their benign ones. That is what awaits a detector on a wire: another network, calibrated there.
    `column` decides first, the other one breaks ties: `learnt` is the mean recall over families that
    were learnt, `unseen` over those that were not. Differences below `tie` are ties. `rate` is the
    false-positive rate to compare at, one of those reported; unset, the alert budget's own. With few
    benign calibration flows a larger one compares more than where one single flow happens to lie.
    """

    by: str = "same"
    column: str = "learnt"
    tie: float = 0.01
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Captures of other origin: only ever tested on. Empty: the column is left out."""

    captures: str = ""
    labels: str = ""
    flows: str = ""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a run. `notes` are sentences for the card: what its author knows and the run does not."""

    name: str = "first-light"
    version: str = "1"
    notes: tuple[str, ...] = ()
    data: DataConfig = field(default_factory=DataConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    models: ModelConfig = field(default_factory=ModelConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    choose: ChooseConfig = field(default_factory=ChooseConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The rates to report, descending, the alert budget's own last."""
        rate = self.alert_rate
        return (*sorted({r for r in self.budget.report if r != rate}, reverse=True), rate)

    @property
    def choose_rate(self) -> float:
        """The false-positive rate at which candidates are compared."""
        return self.alert_rate if self.choose.rate is None else self.choose.rate

    @property
    def alert_rate(self) -> float:
        """The false-positive rate that the threshold is set for: B alerts among N flows a day."""
        budget = self.budget
        if budget.alerts_a_day is not None and budget.flows_a_day is not None:
            return budget.alerts_a_day / budget.flows_a_day
        return budget.rate


def load(path: Path) -> TrainConfig:
    """Read a TOML file; raises NettrusionError that names the file, the key and what would do."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}; name a readable TOML file") from problem
    except tomllib.TOMLDecodeError as problem:
        raise NettrusionError(f"{path}: not TOML: {problem}") from problem
    filled: TrainConfig = _fill(TrainConfig(), document, str(path))
    _check(filled, str(path))
    return filled


def _check(config: TrainConfig, where: str) -> None:
    """Raise NettrusionError for a word that is not one of those that a key takes."""
    for key, found, known in (
        ("split.by", config.split.by, ("time", "day", "mixed")),
        ("choose.by", config.choose.by, ("same", "left_out_source")),
        ("choose.column", config.choose.column, ("learnt", "unseen")),
    ):
        if found not in known:
            raise NettrusionError(f"{where}: {key}: expected {' or '.join(known)}, found {found!r}")
    if config.choose.by == "left_out_source" and not config.models.sources:
        raise NettrusionError(f'{where}: choose.by = "left_out_source" needs models.sources = true')
    if config.choose.rate is not None and config.choose.rate not in config.budgets:
        there = ", ".join(f"{rate:g}" for rate in config.budgets)
        raise NettrusionError(f"{where}: choose.rate: expected a rate that is reported ({there})")
    if config.models.seeds < 1:
        raise NettrusionError(f"{where}: models.seeds: at least one seed is needed")
    for key in ("left_out_seeds", "source_seeds"):
        if not 0 <= getattr(config.models, key) <= config.models.seeds:
            raise NettrusionError(f"{where}: models.{key}: expected 0 (as many as seeds) to {config.models.seeds}")


def _fill(defaults: Any, given: Mapping[str, Any], where: str) -> Any:
    """Return a copy of a settings object with the given keys, each of the default's type."""
    known = {entry.name for entry in fields(defaults)}
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise NettrusionError(f"{where}: unknown key {key}; {hint}")
        default = getattr(defaults, key)
        changes[key] = _convert(default, value, f"{where}: {key}")
    return replace(defaults, **changes)


def _convert(default: Any, value: Any, where: str) -> Any:
    """Return a TOML value as the default's type; raises NettrusionError when it is of another."""
    if hasattr(default, "__dataclass_fields__") and isinstance(value, Mapping):
        return _fill(default, value, where)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if default is None or isinstance(default, float):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif type(value) is type(default):
        return value
    wanted = "number" if default is None else type(default).__name__
    raise NettrusionError(f"{where}: expected {wanted}, found {value!r}")
