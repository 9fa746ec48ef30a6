"""Where stolen files go: SSH, FTP and a plain TCP port on the attacker."""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.world import World

RAW_PORT = 9001
SSHD = """\
AddressFamily any
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/thief.pub
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
LogLevel VERBOSE
"""
FTPD = """\
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={folder}/ftp
anon_upload_enable=YES
anon_umask=022
write_enable=YES
ftp_username=backup
secure_chroot_dir={folder}/empty
seccomp_sandbox=NO
isolate_network=NO
pasv_min_port=42000
pasv_max_port=42999
xferlog_enable=NO
"""


def key(world: World) -> Path:
    """Return the file of the private SSH key that opens the attacker's account for uploads."""
    return world.folder("sink") / "thief"


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("sink")
    for part in ("empty", "ftp/drop", "ssh"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "ftp" / "drop").chmod(0o777)
    Path("/run/sshd").mkdir(exist_ok=True)
    for path in (folder / "host_key", key(world)):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(words, check=True, capture_output=True)
    (folder / "sshd.conf").write_text(SSHD.format(folder=folder))
    config = folder / "vsftpd.conf"
    config.write_text(FTPD.format(folder=folder))
    config.chmod(0o600)


def _commands(world: World) -> Sequence[Sequence[str]]:
    folder = world.folder("sink")
    raw = f"exec ncat -n -l -k --recv-only -p {RAW_PORT} >/dev/null"
    return [
        ["/usr/sbin/sshd", "-D", "-f", f"{folder}/sshd.conf", "-E", f"{folder}/ssh.log"],
        ["vsftpd", f"{folder}/vsftpd.conf"],
        ["sh", "-c", raw],
    ]


SERVICES = (
    Service(
        name="sink",
        host="attacker",
        furnish=_furnish,
        commands=_commands,
        needs={"sshd": "openssh-server", "ssh-keygen": "openssh-client", "vsftpd": "vsftpd", "ncat": "ncat"},
        tcp=(21, 22, RAW_PORT),
        logs=("ssh.log",),
    ),
)
