"""Machines with Nettrusion installed as its packages would, and why there are none where there are none."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy
import pytest

from tests.systemd.machine import Machine
from tests.systemd.root import SITE, NoRootError, check_python, debian_root, install_nettrusion


@pytest.fixture(scope="session")
def layers(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the file trees of a machine: Nettrusion and its units, over a Debian root."""
    if os.geteuid() != 0:
        pytest.skip("booting a systemd in namespaces needs root")
    missing = [name for name in ("unshare", "nsenter", "make") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"booting a systemd needs the programs {', '.join(missing)}")
    if " cgroup2 " not in Path("/proc/self/mounts").read_text():
        pytest.skip("systemd needs a mounted cgroup2 hierarchy")
    try:
        root = debian_root()
        check_python(root)
    except NoRootError as error:
        pytest.skip(str(error))
    layer = tmp_path_factory.mktemp("nettrusion")
    install_nettrusion(layer, repo)
    return layer, root


Boot = Callable[..., Machine]


@pytest.fixture
def boot(layers: tuple[Path, Path], tmp_path: Path) -> Iterator[Boot]:
    """Return a function that boots a machine, with further files {path: text} in place before it starts."""
    with ExitStack() as running:

        def start(files: dict[str, str] | None = None) -> Machine:
            own = tmp_path / "own"
            own.mkdir(mode=0o755)
            for path, text in (files or {}).items():
                (own / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                (own / path.lstrip("/")).write_text(text)
            return running.enter_context(Machine([own, *layers], {Path(numpy.__file__).parents[1]: SITE}))

        yield start
