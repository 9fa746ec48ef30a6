"""A private world for a recording: own network, mount and process namespaces, gone with it.

The recording runs as process 1 of namespaces that the kernel takes down with it, however it ends:
every program in it is killed, every interface and mount removed. Its network has no way out, its
/run and /var/log are its own and live in memory, and so do the user names and passwords.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError

RUN = Path("/run/testbed")
SOURCE_TREE = Path(__file__).resolve().parent.parent.parent

# Program -> the Debian package that brings it.
TOOLS = {
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
    "ethtool": "ethtool",
    "tcpdump": "tcpdump",
    "nginx": "nginx-light",
    "dnsmasq": "dnsmasq-base",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "scp": "openssh-client",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "ping": "iputils-ping",
    "nmap": "nmap",
    "slowhttptest": "slowhttptest",
    "hydra": "hydra",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PASSWD = """\
root:x:0:0:root:/run/testbed/root:/bin/sh
sshd:x:990:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
ada:x:61001:61001::/run/testbed/ada:/bin/sh
guest:x:61002:61002::/run/testbed/guest:/bin/sh
"""
GROUP = """\
root:x:0:
tty:x:5:
shadow:x:42:
nogroup:x:65534:
ada:x:61001:
guest:x:61002:
"""


def missing() -> list[str]:
    """Return what a recording needs and lacks here, one sentence each; empty if it can run."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("it must run as root (it makes network namespaces and captures in them)")
    if not Path("/dev/net/tun").exists():
        lacks.append("/dev/net/tun is not there (the kernel module tun)")
    packages = sorted({p for tool, p in TOOLS.items() if not shutil.which(tool, path=PATH)})
    if packages:
        lacks.append(f"programs are missing: apt-get install {' '.join(packages)}")
    return lacks


def enclose(arguments: Sequence[str], limit_s: float) -> int:
    """Run `python -m training.testbed ARGUMENTS` in the private world; return its exit code.

    Paths among the arguments must be absolute. The private world is killed with everything in it
    after `limit_s` seconds, or when this process ends.
    Raises NettrusionError when something that it needs is missing or when the time is up.
    """
    lacks = missing()
    if lacks:
        raise NettrusionError("The testbed cannot record here: " + "; ".join(lacks) + ".")
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--ipc"]
    command += ["--fork", "--kill-child", "--mount-proc", sys.executable, "-m", "training.testbed"]
    try:
        return subprocess.run([*command, *arguments], cwd=SOURCE_TREE, timeout=limit_s).returncode
    except subprocess.TimeoutExpired:
        raise NettrusionError(
            f"The recording was stopped: it was not done after {limit_s:.0f} s. Is the machine"
            " very busy? Try again, or record the profile 'brief'."
        ) from None


def furnish() -> None:
    """Give the private world its own /run, logs, users and name service, all in memory.

    Raises NettrusionError unless it is called inside `enclose`.
    """
    if os.getpid() != 1 or [name for _, name in socket.if_nameindex()] != ["lo"]:
        raise NettrusionError("This step belongs inside the testbed's own namespaces; start it with `record`.")
    for mounted in ("/run", "/var/log"):
        _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", mounted)
    for folder in (RUN, RUN / "root", RUN / "etc", Path("/run/sshd")):
        folder.mkdir(mode=0o755)
    (RUN / "etc" / "resolv.conf").write_text("# no name server: names go to dig @server\n")
    (RUN / "etc" / "passwd").write_text(PASSWD)
    (RUN / "etc" / "group").write_text(GROUP)
    for name in ("passwd", "group", "resolv.conf"):
        bind(RUN / "etc" / name, Path("/etc") / name)
    os.environ.clear()
    os.environ.update(HOME=str(RUN / "root"), PATH=PATH, LC_ALL="C.UTF-8", TERM="dumb")
    os.chdir(RUN / "root")


def bind(ours: Path, place: Path) -> None:
    """Lay a file of ours over one of the machine's, in this mount namespace alone."""
    _mount("--bind", str(ours), str(place.resolve()))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
