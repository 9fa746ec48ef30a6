"""A private world for a recording: own network, mount, process and name spaces, gone with it.

The recording runs in namespaces that the kernel takes down with their first process, however it
ends: every program in them is killed, every interface and mount removed. Its network has no way
out; what daemons write (/run, /tmp, /dev/shm, logs, their parts of /var) is its own and lives in
memory, and so are the users, their passwords and the name server.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.world import DOMAIN, RUN, USERS, World

SOURCE_TREE = Path(__file__).resolve().parent.parent.parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games"
HOME = RUN / "home"
# Where the mount namespace outside is told to those inside.
OUTSIDE = "TESTBED_OUTSIDE"

# Program -> the Debian package that brings it; acts and services name theirs themselves.
TOOLS = {
    "sh": "dash",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
    "ethtool": "ethtool",
    "tcpdump": "tcpdump",
    "openssl": "openssl",
}
NAT_TOOLS = {"nft": "nftables", "conntrack": "conntrack", "stdbuf": "coreutils"}

# What daemons write, emptied of files but with its folders, owners and modes.
WRITTEN = (
    "/var/log",
    "/var/lib/nginx",
    "/var/lib/samba",
    "/var/lib/postfix",
    "/var/lib/dovecot",
    "/var/lib/redis",
    "/var/lib/postgresql",
    "/var/lib/chrony",
    "/var/lib/ntp",
    "/var/lib/ntpsec",
    "/var/lib/snmp",
    "/var/lib/dhcp",
    "/var/lib/misc",
    "/var/lib/sipp",
    "/var/cache/samba",
    "/var/cache/nginx",
    "/var/spool/postfix",
    "/var/spool/exim4",
    "/var/spool/cron",
    "/var/mail",
    "/var/backups",
    "/var/tmp",
)
# Folders that the daemons' own start scripts would make: place, owner, mode.
RUN_FOLDERS = (
    ("/run/lock", "root", 0o1777),
    ("/run/sshd", "root", 0o755),
    ("/run/postgresql", "postgres", 0o2775),
    ("/run/redis", "redis", 0o755),
    ("/run/samba", "root", 0o755),
    ("/run/dovecot", "root", 0o755),
    ("/run/chrony", "_chrony", 0o700),
    ("/run/vsftpd/empty", "root", 0o755),
)
FIRST_USER = 61001


def missing(needs: Mapping[str, str] | None = None) -> list[str]:
    """Return what a recording needs and lacks here, one sentence each; empty if it can run.

    `needs` maps further programs to the Debian packages that bring them.
    """
    if os.geteuid() != 0:
        return ["it must run as root (it makes network namespaces and captures in them)"]
    lacks = []
    if not Path("/dev/net/tun").exists():
        lacks.append("/dev/net/tun is not there (the kernel module tun)")
    tools = {**TOOLS, **(needs or {})}
    packages = sorted({package for tool, package in tools.items() if not shutil.which(tool, path=PATH)})
    if packages:
        lacks.append(f"programs are missing: apt-get install {' '.join(packages)}")
    return lacks


def enclose(
    arguments: Sequence[str],
    limit_s: float,
    *,
    module: str = "training.testbed",
    needs: Mapping[str, str] | None = None,
) -> int:
    """Run `python -m MODULE ARGUMENTS` in the private world; return its exit code.

    Paths among the arguments must be absolute. The private world is killed with everything in it
    after `limit_s` seconds, or when this process ends.
    Raises NettrusionError when something that it needs is missing or when the time is up.
    """
    lacks = missing(needs)
    if lacks:
        raise NettrusionError("The testbed cannot record here: " + "; ".join(lacks) + ".")
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--ipc", "--uts"]
    # The shell is the first process: it buries every program whose parent has gone.
    command += ["--fork", "--kill-child", "--mount-proc", "sh", "-c", '"$@"; exit $?', "sh"]
    command += [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, OUTSIDE: os.readlink("/proc/self/ns/mnt")}
    try:
        return subprocess.run(command, cwd=SOURCE_TREE, timeout=limit_s, env=environment).returncode
    except subprocess.TimeoutExpired:
        raise NettrusionError(
            f"The recording was stopped: it was not done after {limit_s:.0f} s. Is the machine"
            " very busy? Try again, or record a shorter profile."
        ) from None


def furnish(world: World, keep: Iterable[Path] = ()) -> None:
    """Give the private world its own files, users and name server, all in memory.

    `keep` names folders that stay the machine's, made if they are missing, for what the recording
    leaves; so do Python's own. Raises NettrusionError unless it is called inside `enclose`.
    """
    apart = os.environ.get(OUTSIDE, "") not in ("", os.readlink("/proc/self/ns/mnt"))
    if not apart or [name for _, name in socket.if_nameindex()] != ["lo"]:
        raise NettrusionError("This step belongs inside the testbed's own namespaces; start it with `record`.")
    socket.sethostname("testbed")
    held = _hold([SOURCE_TREE, Path(sys.prefix), Path(sys.base_prefix), *keep])
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run")
    for folder in (RUN, RUN / "root", RUN / "etc", RUN / "empty", HOME):
        folder.mkdir(mode=0o755)
    for shared in ("/tmp", "/dev/shm"):
        if Path(shared).is_dir():
            _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", shared)
    for place in WRITTEN:
        _empty(Path(place))
    _bring_back(held)
    for name, text in _etc(world).items():
        (RUN / "etc" / name).write_text(text)
        bind(RUN / "etc" / name, Path("/etc") / name)
    (RUN / "etc" / "shadow").chmod(0o640)
    for user, number in zip(USERS, range(FIRST_USER, FIRST_USER + len(USERS)), strict=True):
        (HOME / user).mkdir(mode=0o755)
        os.chown(HOME / user, number, number)
    for place, owner, mode in RUN_FOLDERS:
        Path(place).mkdir(parents=True, exist_ok=True)
        Path(place).chmod(mode)
        shutil.chown(place, owner if _knows(owner) else "root")
    if Path("/dev/log").exists():
        # Nothing of a recording belongs into the machine's own log.
        (RUN / "etc" / "log").touch()
        bind(RUN / "etc" / "log", Path("/dev/log"))
    os.environ.clear()
    os.environ.update(HOME=str(RUN / "root"), PATH=PATH, LC_ALL="C.UTF-8", TERM="dumb")
    os.chdir(RUN / "root")


def bind(ours: Path, place: Path) -> None:
    """Lay a file of ours over one of the machine's, in this mount namespace alone.

    A place that leads into /run, which is ours anyway, is made; one that does not exist is left.
    """
    place = place.resolve()
    if not place.exists():
        if not place.is_relative_to("/run"):
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    _mount("--bind", str(ours), str(place))


def _etc(world: World) -> dict[str, str]:
    """Return the files of /etc that are ours: the machine's daemons stay in them, its people do not."""
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    users = [f"root:x:0:0:root:{RUN}/root:{shell}"]
    groups = [line for line in _lines("group") if line.split(":")[0] not in USERS]
    for line in _lines("passwd"):
        name, _, number, *_ = line.split(":")
        if name not in ("root", *USERS) and (int(number) < 1000 or name == "nobody"):
            users.append(line)
    shadow = [f"{line.split(':')[0]}:*:20000::::::" for line in users]
    for own, user in enumerate(USERS, FIRST_USER):
        users.append(f"{user}:x:{own}:{own}:{user.title()}:{HOME / user}:{shell}")
        groups.append(f"{user}:x:{own}:")
        shadow.append(f"{user}:{_digest(world.passwords[user])}:20000::::::")
    made = {"passwd": users, "group": groups, "shadow": shadow}
    made["resolv.conf"] = [f"nameserver {world.host('infra').v4}", f"search {DOMAIN}"]
    # The machine's own name too: a file server asks for it again and again.
    made["hosts"] = ["127.0.0.1 localhost", "::1 localhost", "127.0.1.1 testbed"]
    made["hostname"] = ["testbed"]
    made["nsswitch.conf"] = [f"{what}: files" for what in ("passwd", "group", "shadow", "services", "protocols")]
    made["nsswitch.conf"] += ["hosts: files dns"]
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def _lines(name: str) -> list[str]:
    return [line for line in Path("/etc", name).read_text().splitlines() if line.count(":") >= 3]


def _digest(password: str) -> str:
    words = ["openssl", "passwd", "-6", "-stdin"]
    return subprocess.run(words, input=password, capture_output=True, text=True, check=True).stdout.strip()


def _knows(user: str) -> bool:
    return any(line.startswith(f"{user}:") for line in _lines("passwd"))


def _hold(folders: Iterable[Path]) -> dict[Path, int]:
    """Open folders while they can still be seen, those that are missing made; outer ones come first."""
    held = {}
    for path in sorted({folder.resolve() for folder in folders}):
        path.mkdir(parents=True, exist_ok=True)
        held[path] = os.open(path, os.O_PATH | os.O_DIRECTORY)
    return held


def _bring_back(held: Mapping[Path, int]) -> None:
    """Put held folders back into their places where those were covered meanwhile."""
    for path, handle in held.items():
        if not path.is_dir() or not os.path.samestat(path.stat(), os.fstat(handle)):
            path.mkdir(parents=True, exist_ok=True)
            # As the kernel knows it: its name leads to what covers it.
            _mount("--no-canonicalize", "--rbind", f"/proc/{os.getpid()}/fd/{handle}", str(path))
        os.close(handle)


def _empty(place: Path) -> None:
    """Lay a folder in memory over one of the machine's: the same folders in it, but no files."""
    if not place.is_dir():
        return
    place = place.resolve()
    folders = [(folder, folder.stat()) for path, _, _ in os.walk(place) if (folder := Path(path))]
    _mount("-t", "tmpfs", "tmpfs", str(place))
    for folder, status in folders:
        folder.mkdir(exist_ok=True)
        os.chown(folder, status.st_uid, status.st_gid)
        folder.chmod(status.st_mode & 0o7777)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
