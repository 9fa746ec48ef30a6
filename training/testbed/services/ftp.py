"""File transfer service: vsftpd for the users of the house, passive ports from a range of its own."""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.services.shell import furnish_homes
from training.testbed.world import RUN, World

CONFIG = """\
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
pam_service_name=vsftpd
local_root={home}/$USER
user_sub_token=$USER
pasv_min_port=40000
pasv_max_port=41999
connect_from_port_20=YES
secure_chroot_dir={folder}/empty
seccomp_sandbox=NO
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file={folder}/log
use_localtime=NO
ftpd_banner=files of home.test
max_per_ip=200
delay_failed_login=1
"""


def _furnish(world: World, rng: random.Random) -> None:
    furnish_homes(rng)
    folder = world.folder("ftp")
    (folder / "empty").mkdir(parents=True, exist_ok=True)
    config = folder / "vsftpd.conf"
    config.write_text(CONFIG.format(folder=folder, home=RUN / "home"))
    config.chmod(0o600)


def _commands(world: World) -> Sequence[Sequence[str]]:
    return [["vsftpd", f"{world.folder('ftp')}/vsftpd.conf"]]


SERVICES = (Service("ftp", "web", _furnish, _commands, {"vsftpd": "vsftpd"}, tcp=(21,), logs=("log",)),)
