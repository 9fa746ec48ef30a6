"""The folder that training leaves and `nettrusion export` reads.

    model.keras   the network
    export.json   scoring and identity: all else that the bundle holds
    rows.npy      real raw feature rows, float32 (n, k), to examine the bundle on

A .keras file is code: what it names is imported and called. Only what this project writes is read:
its hash stands in export.json, every class it names must be one that a bundle can hold, and Keras
loads it in safe mode.
"""

import hashlib
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exporter.identity import Budget, Identity
from exporter.quantiles import Quantiles
from exporter.scoring import Scoring
from sensor.errors import NettrusionError
from sensor.features import FeatureSet

MODEL: Final = "model.keras"
DOCUMENT: Final = "export.json"
ROWS: Final = "rows.npy"
_MAX_ROWS: Final = 5_000
_MODULES: Final = frozenset(
    {"keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints"}
    | {"keras.src.models.functional", "keras.src.models.sequential", "keras.dtype_policies"}
)
_MAX_CONFIG_BYTES: Final = 1 << 20


Rows = NDArray[np.float32]


def write(directory: Path, network: Any, scoring: Scoring, identity: Identity, rows: Rows) -> None:
    """Write a trained Keras network with all that its bundle needs; the folder is made if absent.

    Of `rows`, raw float32 (n, k), at most 5000 are kept.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Without optimizer and loss, which a clone would take along: the bundle needs neither.
    copy = type(network).from_config(network.get_config())
    copy.set_weights(network.get_weights())
    with _keras_warnings():
        copy.save(directory / MODEL)
    np.save(directory / ROWS, rows[:: max(-(-len(rows) // _MAX_ROWS), 1)], allow_pickle=False)
    document = {
        "format": 1,
        "model_sha256": _sha256(directory / MODEL),
        "scoring": scoring.to_json(),
        "identity": identity.to_json(),
    }
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    (directory / DOCUMENT).write_text(text + "\n", encoding="utf-8")


def read(directory: Path, feature_sets: Mapping[str, FeatureSet]) -> tuple[Any, Scoring, Identity, Rows]:
    """Return network, scoring, identity and rows of a folder that `write` made.

    Raises NettrusionError when a file is missing or not of this project's making, or when the
    features have changed since training.
    """
    path = directory / DOCUMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        scoring = Scoring.from_json(document["scoring"])
        identity = _identity(document["identity"], feature_sets)
        wanted = document["model_sha256"]
        rows = np.load(directory / ROWS, allow_pickle=False).astype(np.float32, copy=False)
        if rows.ndim != 2 or len(rows) == 0 or rows.shape[1] != scoring.preprocessing.width:
            raise ValueError(f"{ROWS} has the shape {rows.shape}")
        model = directory / MODEL
        if _sha256(model) != wanted:
            raise NettrusionError(f"{model} is not the file that {path} was written for; train again")
    except OSError as error:
        raise NettrusionError(
            f"cannot read {error.filename}: {error.strerror}; name a folder that `nettrusion train` wrote"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NettrusionError(f"{path} is not what `nettrusion train` writes: {error!r}") from error
    return load_keras(model), scoring, identity, rows


def load_keras(path: Path) -> Any:
    """Load a .keras file in safe mode, after a look at every class that it names."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > _MAX_CONFIG_BYTES:
                raise NettrusionError(f"{path} has a config.json of more than a megabyte")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise NettrusionError(f"{path} is not a .keras file: {error}") from error
    for module, name in _named(config):
        if module not in _MODULES or name in {"Lambda", "TFSMLayer", "TorchModuleWrapper"}:
            raise NettrusionError(f"{path} names {module}.{name}, which a network here never has")
    import keras

    with _keras_warnings():
        return keras.saving.load_model(path, compile=False, safe_mode=True)


def _named(config: Any) -> Iterator[tuple[str, str]]:
    """Yield (module, class) of every object that a Keras configuration would make."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield str(config.get("module")), str(config["class_name"])
        if config.get("registered_name") not in (None, config.get("class_name")):
            yield "registered", str(config["registered_name"])
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            yield from _named(item)


def _identity(document: Mapping[str, Any], feature_sets: Mapping[str, FeatureSet]) -> Identity:
    name = document["feature_set"]
    feature_set = feature_sets.get(name)
    if feature_set is None or feature_set.sha256 != document["feature_set_sha256"]:
        raise NettrusionError(
            f"the network was trained on the feature set {name} {document['feature_set_version']},"
            " which is another now; train again"
        )
    return Identity(
        name=document["name"],
        version=document["version"],
        feature_set=feature_set,
        variant=document["variant"],
        threshold=float(document["threshold"]),
        budget=Budget(**document["budget"]),
        calibration=tuple((float(score), float(share)) for score, share in document["calibration"]),
        training=document["training"],
        card=document["card"],
        quantiles=Quantiles.from_json(document["quantiles"]) if "quantiles" in document else None,
    )


@contextmanager
def _keras_warnings() -> Iterator[None]:
    """Let Keras copy its variables in a way that numpy calls outdated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
