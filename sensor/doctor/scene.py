"""What the checks look at: a configuration, and a machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sensor.config import Config

CAP_NET_RAW = 13


@dataclass(frozen=True, slots=True)
class Scene:
    """A configuration and the machine that it is to run on.

    Attributes:
        config: what is in force; `capture.interfaces` are those to be checked.
        root: where /proc, /sys and /etc lie.
        environ: the environment.
        look_s: for how long traffic is waited for.
    """

    config: Config
    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    look_s: float = 2.0

    def read(self, path: str) -> str | None:
        """Return a small file's text without the white space around it, None when it cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """Return the whole number that a file holds, None when there is none."""
        text = self.read(path)
        return int(text) if text and text.isdigit() else None

    def field(self, path: str, name: str) -> str | None:
        """Return what stands behind `name:` in a file of such lines, None when it does not."""
        lines = (self.read(path) or "").splitlines()
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:")), None)

    @property
    def may_capture(self) -> bool:
        """Whether CAP_NET_RAW is effective in this process."""
        return bool(int(self.field("/proc/self/status", "CapEff") or "0", 16) >> CAP_NET_RAW & 1)
