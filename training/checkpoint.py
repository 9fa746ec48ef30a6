"""What a run has finished, kept so that an interrupted one goes on: one file a fit, arrays and JSON only.

A file is called by what its fit depends on: the rows of its split, the candidate and its settings, the
seed, the code and the versions under it. So a changed setting, changed data or another program simply
does not find it, and what a change did not touch is found. A file is written beside its name and then
renamed: what has the name is whole. One that is damaged all the same is noticed by its checksum and
fitted again. There is no network in it and nothing that is unpickled: the one detector that ships is
fitted again if need be, and has to say the same, bit for bit.
"""

import fcntl
import hashlib
import json
import os
import platform
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.table import FlowTable
from training.evaluation.trials import Answers, Course
from training.models.candidate import Candidate
from training.splits.parts import Rows, Split

ROOT = Path(__file__).resolve().parent
CODE = (ROOT / "models", ROOT / "evaluation" / "trials.py", ROOT.parent / "exporter" / "preprocessing.py")
"""What a fit runs through, beside the libraries."""
LIBRARIES = ("numpy", "scikit-learn", "keras", "tensorflow-cpu")
Place = tuple[str, str, int]
ARRAYS = ("rows", "score", "called", "elsewhere", "elsewhere_called")
ENDING, PREFIX = ".npz", "array-"
BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What reading a damaged file raises."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fit to be done: a candidate, with a seed, on a split; `column` is what it is called.

    `asked` are the rows to be scored, `elsewhere` whether captures of other origin are scored too.
    """

    candidate: Candidate
    seed: int
    column: str
    split: Split
    asked: Rows
    elsewhere: bool = False

    @property
    def place(self) -> Place:
        """What tells a fit from the others of a run."""
        return self.column, self.candidate.name, self.seed

    @property
    def title(self) -> str:
        """What a progress line calls it."""
        return f"{self.candidate.name}, seed {self.seed}, {self.column}"


class Store:
    """A folder of finished fits of one run's data."""

    def __init__(self, folder: Path, course: Course) -> None:
        """Open the folder, made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.damaged: list[str] = []
        self._ground = {
            "table": digest(_parts(course.table)),
            "features": digest([course.times, course.rates, *course.excluded]),
            "elsewhere": None if course.elsewhere is None else digest([course.elsewhere]),
            "code": code(CODE),
            "versions": {name: metadata.version(name) for name in LIBRARIES},
            "machine": platform.machine(),
        }

    def identity(self, job: Job) -> dict[str, Any]:
        """Return everything that a fit's answers depend on, as plain values."""
        ground = self._ground if job.elsewhere else self._ground | {"elsewhere": None}
        return {
            **ground,
            "candidate": recipe(job.candidate),
            "seed": job.seed,
            "train": digest([job.split.train]),
            "calibration": digest([job.split.calibration]),
            "asked": digest([job.asked]),
        }

    def path(self, job: Job) -> Path:
        """Return where the answers of a fit lie, or will."""
        text = json.dumps(self.identity(job), sort_keys=True)
        return self.folder / (hashlib.sha256(text.encode()).hexdigest()[:32] + ENDING)

    def get(self, job: Job) -> Answers | None:
        """Return what a finished fit said, None if there is none or its file is damaged."""
        path = self.path(job)
        try:
            arrays, said = read(path)
            whole = said.pop("sum") == _checksum(arrays, said) and said.pop("identity") == self.identity(job)
        except FileNotFoundError:
            return None
        except BROKEN:
            whole = False
        if not whole:
            self.damaged.append(path.name)
            return None
        kept: dict[str, Any] = {name: arrays[name] for name in ARRAYS} | said
        kept["classes"] = tuple(said["classes"])
        kept["preprocessing"] = Preprocessing.from_json(said["preprocessing"])
        return Answers(**kept)

    def put(self, job: Job, answers: Answers) -> None:
        """Keep what a finished fit said; whoever reads sees all of it or nothing."""
        arrays = {name: getattr(answers, name) for name in ARRAYS}
        said = {field.name: getattr(answers, field.name) for field in fields(answers) if field.name not in ARRAYS}
        said |= {"preprocessing": answers.preprocessing.to_json(), "identity": self.identity(job)}
        said = json.loads(json.dumps(said))
        save(self.path(job), arrays, said | {"sum": _checksum(arrays, said)})

    @contextmanager
    def claim(self, job: Job, *, wait: bool) -> Iterator[bool]:
        """Hold a fit so that no other process does it too; yields whether it could be had.

        The lock goes with the process that holds it, however that ends. With `wait`, whoever holds it is
        waited for: look into the store again then.
        """
        path = self.path(job).with_suffix(".lock")
        with path.open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every finished fit of the folder."""
        for path in self.folder.glob(f"*{ENDING}"):
            path.unlink()


def save(path: Path, arrays: Mapping[str, npt.NDArray[Any]], said: Mapping[str, Any]) -> None:
    """Write arrays and plain values as one file that is whole or not there, whenever the power goes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as stream:
        named: dict[str, Any] = {PREFIX + name: array for name, array in arrays.items()}
        np.savez(stream, allow_pickle=False, said=np.array(json.dumps(said)), **named)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return what `save` wrote; raises FileNotFoundError, or one of BROKEN for what is damaged."""
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as held:
        said: dict[str, Any] = json.loads(str(held["said"]))
        return {name.removeprefix(PREFIX): held[name] for name in held.files if name != "said"}, said


def recipe(thing: Any) -> Any:
    """Return a candidate's class and settings as plain values; what is code counts by the code's own hash.

    A field that is not compared is no setting.
    """
    if is_dataclass(thing):
        settings = {field.name: recipe(getattr(thing, field.name)) for field in fields(thing) if field.compare}
        return {"class": type(thing).__name__, **settings}
    if isinstance(thing, tuple | list):
        return [recipe(one) for one in thing]
    return thing if isinstance(thing, str | int | float | bool | None) else type(thing).__name__


def digest(parts: Iterable[Any]) -> str:
    """Return one hash of arrays (shape, type and bytes) and strings, in their order."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            total.update(f"{part.dtype.str}{part.shape}".encode())
            total.update(np.ascontiguousarray(part).data if part.size else b"")
        else:
            total.update(str(part).encode() + b"\0")
    return total.hexdigest()


def code(places: Iterable[Path]) -> str:
    """Return one hash of source files, and of all below folders."""
    total = hashlib.sha256()
    for place in places:
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for path in files:
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def _parts(table: FlowTable) -> list[Any]:
    return [getattr(table, field.name) for field in fields(table)]


def _checksum(arrays: Mapping[str, npt.NDArray[Any]], said: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in said.items() if key != "sum"}
    return digest([*(arrays[name] for name in ARRAYS), json.dumps(plain, sort_keys=True)])
