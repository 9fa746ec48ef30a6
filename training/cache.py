"""Assembled tables, kept: captures take minutes to become flows, and become the same ones every time.

A file is called by the hashes of every file that was read, of the feature set, and of the code that
makes flows and features (the compiled engine is part of it). Arrays and JSON only; nothing is unpickled.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import sensor
from training.checkpoint import BROKEN, ROOT, digest, read, save
from training.config import DataConfig, TransferConfig
from training.datasets import folders
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.table import FlowTable, Loaded
from training.evaluation import transfer
from training.evaluation.transfer import Capture, Elsewhere

if TYPE_CHECKING:
    from sensor.features import FeatureSet

Say = Callable[[str], None]
Arrays = dict[str, npt.NDArray[Any]]
SENSOR = Path(sensor.__file__).resolve().parent
CODE = (
    SENSOR / "flows",
    SENSOR / "features",
    SENSOR / "sources",
    ROOT / "datasets",
    ROOT / "evaluation" / "transfer.py",
)
KINDS = frozenset((".py", ".pyx", ".pxi", ".so", ".pyd"))


class Cache:
    """A folder of assembled tables."""

    def __init__(self, folder: Path, say: Say) -> None:
        """Open the folder, made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._say = folder, say

    def table(self, data: DataConfig, feature_set: "FeatureSet") -> Loaded:
        """Return the labelled flows of the settings' folders, from the cache if they were read before.

        Raises NettrusionError as `folders.load` does.
        """
        places = [Path(folder) for folder in data.folders]
        key = self._key("table", places, feature_set, data.variant, str(data.row_limit))
        if held := self._read(key):
            said, arrays = held
            files = [SourceFile(**one) for one in said["manifest"].pop("files")]
            texts: dict[str, Any] = {name: tuple(said[name]) for name in ("labels", "feature_names", "sources")}
            whole: dict[str, Any] = arrays | texts
            return Loaded(FlowTable(**whole), Manifest(files=files, **said["manifest"]))
        loaded = folders.load(places, feature_set, data.variant, data.row_limit)
        arrays, plain = _parted(loaded.table)
        self._write(key, arrays, plain | {"manifest": loaded.manifest.as_dict()})
        return loaded

    def elsewhere(self, named: TransferConfig, feature_set: "FeatureSet", variant: str) -> Elsewhere:
        """Return the captures of other origin, from the cache if they were read before."""
        captures, labels, truth = Path(named.captures), Path(named.labels), Path(named.flows)
        key = self._key("elsewhere", [captures, labels, truth], feature_set, variant)
        if held := self._read(key):
            said, arrays = held
            whole: dict[str, Any] = dict(arrays)
            known = tuple(Capture(**one) for one in said["captures"])
            return Elsewhere(**whole, captures=known, left_out=said["left_out"])
        flows = transfer.load(captures, labels, truth, feature_set, variant)
        arrays, plain = _parted(flows)
        self._write(key, arrays, plain | {"captures": [asdict(one) for one in flows.captures]})
        return flows

    def _key(self, kind: str, places: Iterable[Path], feature_set: "FeatureSet", *words: str) -> str:
        """Return the name of what is made from some files in some way."""
        total = hashlib.sha256()
        for path in _files(places):
            total.update(f"{path.name}\0{sha256_of(path)}\0".encode())
        own = [path for place in CODE for path in _files([place]) if path.suffix in KINDS]
        how = digest([kind, feature_set.name, feature_set.sha256, *words, *(sha256_of(path) for path in own)])
        return f"{kind}-{hashlib.sha256((total.hexdigest() + how).encode()).hexdigest()[:32]}.npz"

    def _read(self, key: str) -> tuple[dict[str, Any], Arrays] | None:
        try:
            arrays, said = read(self._folder / key)
        except FileNotFoundError:
            return None
        except BROKEN:
            self._say(f"{key}: is damaged, the data is read again")
            return None
        self._say(f"read before: {key}")
        return said, arrays

    def _write(self, key: str, arrays: Arrays, said: Mapping[str, Any]) -> None:
        save(self._folder / key, arrays, said)


def _files(places: Iterable[Path]) -> list[Path]:
    """Return the files of some places, each place's sorted; one that is missing has none."""
    found: list[Path] = []
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        found += [path for path in inside if path.is_file()]
    return found


def _parted(thing: FlowTable | Elsewhere) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a table, and what else is plain in it."""
    arrays: Arrays = {}
    plain: dict[str, Any] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        else:
            plain[field.name] = value
    plain.pop("captures", None)
    return arrays, plain
