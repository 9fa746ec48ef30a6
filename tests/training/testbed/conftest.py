"""The bundled recording, and one made here and now where that is possible."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed import bench
from training.testbed.casting import needs
from training.testbed.enclosure import missing
from training.testbed.settings import load


@pytest.fixture(scope="session")
def bundled(repo: Path) -> Path:
    """Return the manifest of the recording that the project ships."""
    return repo / "sensor" / "data" / "demo.manifest.json"


@pytest.fixture(scope="session")
def recorded(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record the shortest profile for real and return its manifest."""
    if lacks := missing(needs(load("brief"))):
        pytest.skip("a real recording is not possible: " + "; ".join(lacks))
    folder = tmp_path_factory.mktemp("recorded")
    words = ["testbed", "run", "brief", "-o", str(folder), "--seed", "5"]
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from sensor.cli import main; sys.exit(main(sys.argv[1:]))", *words],
        cwd=repo,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "brief.manifest.json"


@pytest.fixture
def in_world(tmp_path: Path) -> Callable[..., Any]:
    """Return what calls a function in a recorded network of its own: in_world(function, argument...)."""
    if lacks := missing():
        pytest.skip("the testbed's network is not possible: " + "; ".join(lacks))

    def call(function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return bench.call(function, arguments, tmp_path, **more)

    return call
