"""File share service: Samba with a share of files for the people of the house and a drop for all."""

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.service import Service
from training.testbed.world import USERS, World

CONFIG = """\
[global]
workgroup = HOME
netbios name = STORE
server role = standalone server
security = user
passdb backend = tdbsam:{folder}/passdb.tdb
private dir = {folder}/private
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log.smbd
log level = 1 auth_audit:3
max log size = 0
smb ports = 445
bind interfaces only = no
server min protocol = SMB2
disable netbios = yes
map to guest = never
load printers = no
printing = bsd
printcap name = /dev/null
disable spoolss = yes
dns proxy = no
admin users = backup
[office]
path = {folder}/office
read only = no
force user = root
[drop]
path = {folder}/drop
read only = no
force user = root
"""
FOLDERS = ("letters", "plans", "photos", "tools")
KINDS = (("txt", 3_000, 1.0), ("docx", 40_000, 1.0), ("pdf", 150_000, 1.1), ("jpg", 600_000, 0.6))
MOST_BYTES = 4_000_000


def catalogue(rng: random.Random, count: int = 60) -> dict[str, int]:
    """Return the files of the share with their sizes in bytes."""
    made = {}
    for place in range(count):
        kind, median, spread = rng.choices(KINDS, (4, 4, 3, 2))[0]
        size = min(MOST_BYTES, int(median * rng.lognormvariate(0.0, spread)))
        made[f"{rng.choice(FOLDERS)}/{place:03d}.{kind}"] = size
    return made


def listed(world: World) -> list[str]:
    """Return the names of the files that the share began with, as clients know them."""
    return (world.folder("files") / "names").read_text().split()


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("files")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in ("private", "lock", "state", "cache", "pid", "ncalrpc", "office", "drop"):
        (folder / name).mkdir(mode=0o755)
    for name in FOLDERS:
        (folder / "office" / name).mkdir()
    files = catalogue(rng)
    for name, size in files.items():
        with (folder / "office" / name).open("wb") as out:
            out.truncate(size)
    (folder / "names").write_text("\n".join(files) + "\n")
    config = folder / "smb.conf"
    config.write_text(CONFIG.format(folder=folder))
    for user in USERS:
        _enroll(config, user, world.passwords[user])


def _enroll(config: Path, user: str, password: str) -> None:
    program = shutil.which("smbpasswd") or "smbpasswd"
    done = subprocess.run(
        [program, "-c", str(config), "-a", "-s", user],
        input=f"{password}\n{password}\n",
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        raise NettrusionError(f"smbpasswd failed for {user}: {(done.stderr or done.stdout).strip()[-300:]}")


def _commands(world: World) -> Sequence[Sequence[str]]:
    return [["smbd", "--foreground", "--no-process-group", "-s", f"{world.folder('files')}/smb.conf"]]


SERVICES = (
    Service(
        "files",
        "store",
        _furnish,
        _commands,
        {"smbd": "samba", "smbpasswd": "samba-common-bin"},
        tcp=(445,),
        logs=("log.smbd",),
    ),
)
