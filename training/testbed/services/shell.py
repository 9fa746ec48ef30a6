"""Shell service: an OpenSSH server on each of two hosts, for people, copies and git."""

import os
import pwd
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.world import RUN, USERS, World

PAPERS = 12

CONFIG = """\
AddressFamily any
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {keys}/%u.pub
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication yes
KbdInteractiveAuthentication no
AllowUsers {users}
PrintMotd no
PrintLastLog no
LoginGraceTime 60
MaxStartups 60:30:200
SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""


def key(world: World, user: str) -> Path:
    """Return the file of a user's private SSH key, which both servers accept."""
    return world.folder("keys") / user


def furnish_homes(rng: random.Random) -> None:
    """Put `papers/paper-NN` of many sizes and an empty `inbox` into each user's home, once."""
    for user in USERS:
        home, account = RUN / "home" / user, pwd.getpwnam(user)
        if (home / "papers").exists():
            continue
        for folder in (home, home / "papers", home / "inbox"):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, account.pw_uid, account.pw_gid)
        for number in range(PAPERS):
            paper = home / "papers" / f"paper-{number:02d}"
            paper.write_bytes(rng.randbytes(min(4_000_000, int(rng.lognormvariate(11.0, 1.5)))))
            os.chown(paper, account.pw_uid, account.pw_gid)


def _make_key(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(words, check=True, capture_output=True)


def _furnish(world: World, name: str) -> None:
    folder = world.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    for user in USERS:
        _make_key(key(world, user))
        key(world, user).with_suffix(".pub").chmod(0o644)
    _make_key(folder / "host_key")
    text = CONFIG.format(folder=folder, keys=world.folder("keys"), users=" ".join(USERS))
    (folder / "sshd.conf").write_text(text)


def _furnish_web(world: World, rng: random.Random) -> None:
    furnish_homes(rng)
    _furnish(world, "shell-web")


def _furnish_store(world: World, rng: random.Random) -> None:
    furnish_homes(rng)
    _furnish(world, "shell-store")


def _command(world: World, name: str) -> Sequence[Sequence[str]]:
    # It starts itself anew for each connection, and insists on an absolute path for that.
    folder = world.folder(name)
    return [["/usr/sbin/sshd", "-D", "-f", f"{folder}/sshd.conf", "-E", f"{folder}/log"]]


def _web(world: World) -> Sequence[Sequence[str]]:
    return _command(world, "shell-web")


def _store(world: World) -> Sequence[Sequence[str]]:
    return _command(world, "shell-store")


NEEDS = {"sshd": "openssh-server", "ssh-keygen": "openssh-client"}
SERVICES = (
    Service("shell-web", "web", _furnish_web, _web, NEEDS, tcp=(22,), logs=("log",)),
    Service("shell-store", "store", _furnish_store, _store, NEEDS, tcp=(22,), logs=("log",)),
)
