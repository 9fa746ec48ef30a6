"""A machine of files, and what checks say about it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sensor.config import load
from sensor.doctor import Finding, Scene


def scene(root: Path, *overrides: str, files: Mapping[str, str] | None = None, **more: Any) -> Scene:
    """Return a scene of a configuration and a machine with these files."""
    for name, text in (files or {}).items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = load(environ={}, overrides=overrides).config
    return Scene(config, root=root, **{"environ": {}, "look_s": 0.3, **more})


def found(check: Callable[..., Iterator[Finding]], *args: Any) -> dict[str, Finding]:
    """Return what a check found, by its name."""
    return {finding.check: finding for finding in check(*args)}


def only(check: Callable[..., Iterator[Finding]], *args: Any) -> Finding:
    """Return the one thing that a check found."""
    (finding,) = check(*args)
    return finding
