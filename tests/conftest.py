"""Fixtures that more than one part of the tests uses: where the captures of others lie."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The fixture `cable`: network namespaces for live tests.
pytest_plugins = ["tests.live.cable"]


@pytest.fixture(scope="session")
def repo() -> Path:
    """Return the root of the source tree."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of captures and data sets that the project reads but never ships.

    It is $NETTRUSION_SHARED, or `shared` beside the source tree; the folder that has `data` in it.
    """
    root = Path(os.environ.get("NETTRUSION_SHARED") or ROOT.parent / "shared")
    if not (root / "data").is_dir():
        pytest.skip(f"no captures and data sets at {root}; set NETTRUSION_SHARED to their folder")
    return root / "data"


@pytest.fixture(scope="session")
def shared_eve(shared_data: Path) -> Path:
    """Return the folder with Suricata's own EVE schemas."""
    return shared_data.parent / "eve"


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack a .tar.zst with the system's tar and zstd and return the folder it went to."""
    if not archive.is_file():
        pytest.skip(f"{archive} is not there")
    if not (shutil.which("zstd") and shutil.which("tar")):
        pytest.skip("unpacking the captures needs the commands tar and zstd")
    subprocess.run(["tar", "--zstd", "--no-same-owner", "-xf", str(archive), "-C", str(target)], check=True)
    return target


@pytest.fixture(scope="session")
def dev_captures(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `attack/` and `benign/`, real captures; labels are in the shared data."""
    return _unpack(shared_data / "captures" / "dev.tar.zst", tmp_path_factory.mktemp("dev"))


@pytest.fixture(scope="session")
def odd_captures(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of small captures that break parsers, with their `index.tsv`."""
    return _unpack(shared_data / "captures" / "odd.tar.zst", tmp_path_factory.mktemp("odd"))
