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
    """Where the labelled flows are and how they become features."""

    folders: tuple[str, ...] = ()
    feature_set: str = "cic2022"
    variant: str = "cns22"
    row_limit: int = 200_000
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Shares of rows (attacks, and benign rows apart), and the seed that orders host pairs.

    With `by = "day"` the shares do not count: the three lists of days say which recordings train,
    set thresholds and report.
    """

    by: str = "time"
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
    """Which candidates run and how the network learns."""

    candidates: tuple[str, ...] = ()
    seeds: int = 5
    epochs: int = 20
    batch: int = 1024
    width: int = 64


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """False-positive rates: those that are reported, and the one that sets the threshold."""

    rate: float = 1e-3
    report: tuple[float, ...] = (1e-2, 1e-3)
    alerts_a_day: float | None = None
    flows_a_day: float | None = None


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Captures of other origin: only ever tested on. Empty: the column is left out."""

    captures: str = ""
    labels: str = ""
    flows: str = ""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """All of a run."""

    name: str = "first-light"
    version: str = "1"
    data: DataConfig = field(default_factory=DataConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    models: ModelConfig = field(default_factory=ModelConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The rates to report, descending, the alert budget's own last."""
        rate = self.alert_rate
        return (*sorted({r for r in self.budget.report if r != rate}, reverse=True), rate)

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
    return filled


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
