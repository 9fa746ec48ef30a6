"""The files that events go to: writable, with room, and something that takes them away."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene

LITTLE_BYTES = 1 << 30
NOTHING_BYTES = 16 << 20
LARGE_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Output:
    """A file of the configuration: the key that names it, and whether the sensor itself begins new ones."""

    key: str
    path: Path
    rotates: bool


def output_files(scene: Scene) -> list[Output]:
    """Return the files that events go to, as they are called now."""
    config = scene.config
    files = []
    for name, sink in config.sinks.items():
        if sink.type == "file":
            path = time.strftime(sink.path, time.gmtime()) if sink.rotate_s else sink.path
            files.append(Output(f"sinks.{name}", Path(path), bool(sink.rotate_s)))
    if not config.sinks and config.output.path != "-":
        files.append(Output("output", Path(config.output.path), False))
    if config.stats.enabled and config.stats.path not in ("", "-") and not config.sinks:
        files.append(Output("stats", Path(config.stats.path), False))
    return files


def check_disk(scene: Scene) -> Iterator[Finding]:
    """Each file: its folder, its room, its rotation."""
    for output in output_files(scene):
        yield from _check_place(output)
        yield from _check_rotation(scene, output)


def _check_place(output: Output) -> Iterator[Finding]:
    path, check = output.path, f"file {output.key}"
    folder = path.parent
    who = f"user {os.geteuid()}"
    remedy = f"make it, or name another file: {output.key}.path"
    if not folder.is_dir():
        yield Finding(check, "fail", f"there is no folder {folder.absolute()}", remedy)
    elif path.is_dir():
        yield Finding(check, "fail", f"{path} is a folder", f"name a file: {output.key}.path")
    elif not os.access(path if path.exists() else folder, os.W_OK):
        yield Finding(check, "fail", f"{path} cannot be written by {who}", f"chown it, or change {output.key}.path")
    else:
        yield _check_room(check, path, folder)


def _check_room(check: str, path: Path, folder: Path) -> Finding:
    disk = os.statvfs(folder)
    free_bytes = disk.f_bavail * disk.f_frsize
    found = f"{path.absolute()} can be written, {free_bytes / (1 << 30):,.1f} GiB are free"
    if free_bytes < NOTHING_BYTES:
        return Finding(check, "fail", found, f"make room in {folder.absolute()}")
    if free_bytes < LITTLE_BYTES:
        return Finding(check, "warning", found, f"make room in {folder.absolute()}")
    if disk.f_files and not disk.f_favail:
        return Finding(check, "fail", f"{folder.absolute()} has no inode left for a file", "remove small files there")
    return Finding(check, "ok", found)


def _check_rotation(scene: Scene, output: Output) -> Iterator[Finding]:
    """Say when a regular file grows without an end."""
    path = output.path
    if output.rotates or (path.exists() and not path.is_file()) or _logrotate_knows(scene, path):
        return
    size = path.stat().st_size if path.exists() else 0
    remedy = "give it a rotate_s of its own (an output [sinks.NAME] has one), or name it in /etc/logrotate.d"
    found = f"nothing takes {path} away as it grows; it has {size / (1 << 20):,.0f} MiB"
    yield Finding(f"rotation {output.key}", "warning" if size > LARGE_BYTES else "note", found, remedy)


def _logrotate_knows(scene: Scene, path: Path) -> bool:
    """Whether a file of /etc/logrotate.d names the file, or a pattern of its folder."""
    folder = scene.root / "etc/logrotate.d"
    texts = [scene.read(f"/etc/logrotate.d/{entry.name}") or "" for entry in sorted(folder.glob("*"))]
    return any(str(path.absolute()) in text or f"{path.absolute().parent}/*" in text for text in texts)
