"""The folder between training and export: what goes in comes out, and nothing else is loaded."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from exporter import bundle, folder
from exporter.quantiles import Quantiles
from sensor.errors import NettrusionError
from tests.exporter.networks import CLASSIFIER, ROWS, dense
from tests.sensor.detector.made import SETS, identity

IDENTITY = replace(
    identity(np.linspace(0, 1, 50, dtype=np.float32)), quantiles=Quantiles.of(ROWS, np.zeros(ROWS.shape[1], bool))
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "run"
    folder.write(path, dense(), CLASSIFIER, IDENTITY, ROWS)
    return path


@pytest.fixture
def copied(written, tmp_path):
    for file in written.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_what_comes_out_gives_the_same_bundle(written):
    network, scoring, read_identity, rows = folder.read(written, SETS)
    assert bundle.build(network, scoring, read_identity) == bundle.build(dense(), CLASSIFIER, IDENTITY)
    assert np.array_equal(rows, ROWS)
    assert read_identity == IDENTITY


def test_many_rows_are_thinned_out(tmp_path):
    folder.write(tmp_path, dense(), CLASSIFIER, IDENTITY, np.repeat(ROWS, 40, axis=0))
    assert 2_500 < len(np.load(tmp_path / "rows.npy")) <= 5_000


@pytest.mark.parametrize("name", ["model.keras", "export.json", "rows.npy"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(NettrusionError, match=rf"cannot read .*{name}: No such file.*nettrusion train"):
        folder.read(copied, SETS)


def edit(path, **changes):
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | changes))


def test_a_network_of_another_hash_is_not_loaded(copied):
    edit(copied / "export.json", model_sha256="00" * 32)
    with pytest.raises(NettrusionError, match="is not the file that"):
        folder.read(copied, SETS)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scoring": 1}', "[" * 100_000])
def test_another_document_is_refused(copied, text):
    (copied / "export.json").write_text(text)
    with pytest.raises(NettrusionError, match="is not what `nettrusion train` writes"):
        folder.read(copied, SETS)


def test_rows_of_another_width_are_refused(copied):
    np.save(copied / "rows.npy", ROWS[:, :3])
    with pytest.raises(NettrusionError, match="has the shape"):
        folder.read(copied, SETS)


def test_features_that_have_changed_since_are_refused(written):
    with pytest.raises(NettrusionError, match="the feature set tiny 3, which is another now"):
        folder.read(written, {})


def rezipped(path, change):
    """Return a .keras file whose configuration was changed."""
    out = path.with_name("evil.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return out


def layer(config, **changes):
    config["config"]["layers"][1] |= changes


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: layer(c, class_name="Lambda"), "keras.layers.Lambda"),
        (lambda c: layer(c, class_name="TFSMLayer"), "TFSMLayer"),
        (lambda c: layer(c, module="os", class_name="system"), "os.system"),
        (lambda c: layer(c, module="builtins", class_name="function"), "builtins.function"),
        (lambda c: layer(c, module=None), "None.Dense"),
        (lambda c: layer(c, registered_name="mine>Evil"), "registered.mine>Evil"),
        (lambda c: c.update(module="keras.src.saving.saving_lib"), "saving_lib"),
    ],
)
def test_a_file_that_names_other_code_is_not_loaded(written, change, named):
    path = rezipped(written / "model.keras", change)
    with pytest.raises(NettrusionError, match=f"names .*{named}"):
        folder.load_keras(path)


def test_what_is_no_keras_file_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no zip")
    with pytest.raises(NettrusionError, match=r"is not a \.keras file"):
        folder.load_keras(path)
