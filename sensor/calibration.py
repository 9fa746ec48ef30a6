"""A calibration: the threshold that keeps one operator's traffic within a budget, in a file beside the model.

    calibration = read_calibration(path, sha256)      # of the model that it must have been made for
    calibration.threshold, calibration.budget

`nettrusion calibrate` writes the file; daemon and `score` read it when `detector.threshold = "calibrated"`.
It is input like any other: bounded, of one exact form, and refused for what is not.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sensor.config import DetectorConfig
from sensor.errors import NettrusionError

FORMAT: Final = 1
PLACE: Final = Path("/etc/nettrusion/calibration.json")
"""Where that of the model is which comes with the sensor: root's, so that no sensor can raise its own threshold."""
SUFFIX: Final = ".calibration.json"
MAX_BYTES: Final = 1 << 18
MAX_LEVELS: Final = 256
MAX_ALERTS: Final = 1_000_000
DAYS: Final[Mapping[str, float]] = {"hour": 1 / 24, "day": 1.0, "week": 7.0}
_YEAR_9999_NS: Final = 253_402_300_799_999_999_999
TIME_FORM: Final = "%Y-%m-%dT%H:%M:%S.%f+0000"

Table = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class AlertBudget:
    """How many alerts somebody is willing to look at: `alerts` in an hour, a day or a week (`per`)."""

    alerts: float
    per: str = "day"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `20/day`, `1/hour`, `0.5/week`. Raises NettrusionError for anything else."""
        match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)/(hour|day|week)", text.strip())
        if match is None or not 0 < float(match[1]) <= MAX_ALERTS:
            raise NettrusionError(f"the budget {text[:40]!r} is not a number of alerts and a time, as 20/day or 1/hour")
        return cls(float(match[1]), match[2])

    @property
    def per_day(self) -> float:
        """Alerts a day."""
        return self.alerts / DAYS[self.per]

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.alerts:.9g}/{self.per}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibrating found.

    Attributes:
        model: name and version of the model.
        sha256: of the model's file.
        threshold: the score, 0 to 1, from which on a flow may alert.
        budget: what it was set for.
        certified: whether the traffic was enough to know that the budget is kept.
        first_ns, last_ns: packet time, ns since 1970, of the traffic's beginning and end.
        hours: how much of this time was seen.
        flows: flows seen.
        alerts: alerts that this traffic makes at the threshold.
        table: (score, share of the flows that score as high or higher), highest score first.
    """

    model: str
    sha256: str
    threshold: float
    budget: AlertBudget
    certified: bool
    first_ns: int
    last_ns: int
    hours: float
    flows: int
    alerts: int
    table: Table

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        return f"calibrated for {self.budget} on {self.hours:,.1f} h of traffic until {time_text(self.last_ns)[:10]}"


def ranks(table: Table, score: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return for scores (n,) how many flows in a million score as high or higher by a table, int64.

    A score above the table has the rank of its highest entry, one below it a million.
    """
    levels = np.array(table, np.float64)
    at = np.searchsorted(-levels[:, 0].astype(np.float32), -score, side="left")
    found: NDArray[np.int64] = np.append(np.ceil(levels[:, 1] * 1e6 - 1e-6), 1_000_000).astype(np.int64)[at]
    return found


def calibration_path(config: DetectorConfig) -> Path:
    """Return where the calibration of the configured model is, or belongs."""
    if config.calibration:
        return Path(config.calibration)
    return Path(config.model + SUFFIX) if config.model else PLACE


def read_calibration(path: Path, sha256: str) -> Calibration:
    """Read a calibration that was made for the model of this hash.

    Raises NettrusionError, with the remedy, when there is none, or it is damaged or of another model.
    """
    again = "make it again: nettrusion calibrate --budget 20/day CAPTURE_OR_EVE..."
    try:
        made = _parse(_read(path))
    except OSError as error:
        raise NettrusionError(
            f"{path}: cannot read the calibration: {error.strerror}; {again}, or set another detector.threshold"
        ) from error
    except (NettrusionError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise NettrusionError(f"{path}: is no calibration, or a damaged one ({_reason(error)}); {again}") from None
    if made.sha256 != sha256:
        raise NettrusionError(
            f"{path}: was made for the model {made.model} with the sha256 {made.sha256[:12]}, and the one in force has"
            f" {sha256[:12]}: scores of two models cannot be compared; {again}"
        )
    return made


def write_calibration(path: Path, made: Calibration) -> None:
    """Write a calibration, whole or not at all; everybody may read it. Raises NettrusionError."""
    text = json.dumps(_as_json(made), indent=1, allow_nan=False) + "\n"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(fresh, "x", encoding="ascii") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise NettrusionError(
            f"{path}: cannot write the calibration: {error.strerror}; name another with -o or detector.calibration"
        ) from error


def time_text(time_ns: int) -> str:
    """Return packet time as events write it, UTC, microseconds; at most the year 9999, at least 1970."""
    time_ns = min(max(time_ns, 0), _YEAR_9999_NS)
    return (
        datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
        .replace(microsecond=time_ns // 1000 % 1_000_000)
        .strftime(TIME_FORM)
    )


def _as_json(made: Calibration) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": made.model,
        "sha256": made.sha256,
        "threshold": made.threshold,
        "budget": str(made.budget),
        "certified": made.certified,
        "first": time_text(made.first_ns),
        "last": time_text(made.last_ns),
        "hours": made.hours,
        "flows": made.flows,
        "alerts": made.alerts,
        "table": [list(entry) for entry in made.table],
    }


def _read(path: Path) -> str:
    # Non-blocking, so that a FIFO in the file's place cannot hang the start.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return data.decode("ascii")


def _parse(text: str) -> Calibration:
    found = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    wanted = {"format", "first", "last"} | (set(Calibration.__slots__) - {"first_ns", "last_ns"})
    if set(found) != wanted:
        raise ValueError(f"its keys {', '.join(sorted(map(str, set(found) ^ wanted)))} are too many or too few")
    made = Calibration(
        model=_fits(found, "model", lambda text: re.fullmatch(r"[\w.+-]{1,64} [\w.+-]{1,64}", text, re.ASCII)),
        sha256=_fits(found, "sha256", lambda text: re.fullmatch(r"[0-9a-f]{64}", text)),
        threshold=_number(found, "threshold", 1),
        budget=AlertBudget.parse(_fits(found, "budget", lambda text: len(text) < 40)),
        certified=_fits(found, "certified", lambda value: isinstance(value, bool)),
        first_ns=_time_ns(found["first"]),
        last_ns=_time_ns(found["last"]),
        hours=_number(found, "hours", 1e6),
        flows=_fits(found, "flows", _is_count),
        alerts=_fits(found, "alerts", _is_count),
        table=_table(found["table"]),
    )
    if made.last_ns < made.first_ns or not made.flows:
        raise ValueError("its traffic ends before it begins, or has no flow")
    return made


def _table(value: Any) -> Table:
    table = tuple((_share(score), _share(share)) for score, share in value)
    falling = all(high[0] > low[0] and high[1] <= low[1] for high, low in pairwise(table))
    if not 0 < len(table) <= MAX_LEVELS or not falling:
        raise ValueError("its table does not fall in score and rise in share")
    return table


def _share(value: Any) -> float:
    return _number({"table": value}, "table", 1)


def _number(found: Mapping[str, Any], key: str, most: float) -> float:
    value = found[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"its {key} is {str(value)[:40]!r}")
    return float(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _fits(found: Mapping[str, Any], key: str, fits: Any) -> Any:
    if not fits(found[key]):
        raise ValueError(f"its {key} is {str(found[key])[:40]!r}")
    return found[key]


def _time_ns(text: str) -> int:
    time = datetime.strptime(text, TIME_FORM).replace(tzinfo=UTC)
    return math.floor(time.timestamp()) * 1_000_000_000 + time.microsecond * 1000


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("it has a key twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"it has the number {name}")


def _reason(error: Exception) -> str:
    """Return an error in printable words, not many."""
    text = str(error) if isinstance(error, ValueError | NettrusionError) else type(error).__name__
    return "".join(sign if sign.isprintable() else "?" for sign in text[:120])
