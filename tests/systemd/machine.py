"""A machine for the length of a test: a real systemd as PID 1 in namespaces of its own."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# First in the new namespaces: stacks the layers, lays out what a container has, and becomes systemd.
# $1 a scratch folder, $2 the layers as overlayfs names them (upper ones first), $3 the cgroup; then pairs of
# folders FROM TO, which are shown read-only inside.
FIRST = r"""
set -eu
scratch=$1 layers=$2 cgroup=$3; shift 3
echo 0 > "$cgroup/cgroup.procs"
mount --make-rprivate /
mount -t tmpfs -o mode=0755 scratch "$scratch"
mkdir "$scratch/changes" "$scratch/work" "$scratch/root"
mount -t overlay -o "lowerdir=$layers,upperdir=$scratch/changes,workdir=$scratch/work" overlay "$scratch/root"
cd "$scratch/root"
while [ $# -gt 0 ]; do mount --bind "$1" ".$2"; mount -o remount,bind,ro ".$2"; shift 2; done
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=0755 dev dev
for node in null zero full random urandom tty; do : > dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 pts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mkdir .host; pivot_root . .host; cd /
exec unshare --cgroup /bin/sh -c '
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    umount -l /.host; rmdir /.host
    mount --make-rshared /
    exec env -i container=test PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --unit=multi-user.target'
"""

# Nobody logs in, nothing is mounted or tuned; without these the machine is up in a second.
MASKED = (
    "console-getty.service", "getty.target", "systemd-logind.service", "systemd-remount-fs.service",
    "systemd-sysctl.service", "systemd-udevd.service", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "dev-hugepages.mount", "dev-mqueue.mount", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "dpkg-db-backup.timer", "logrotate.timer",
)  # fmt: skip
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": ""}


class Machine:
    """Boots on entering, and leaves no process, mount or cgroup behind on leaving."""

    def __init__(self, layers: Sequence[Path], shown: Mapping[Path, str]) -> None:
        """Describe a machine.

        Args:
            layers: file trees, upper ones first; they are not written to.
            shown: folders of this system and where they are seen inside, read-only.
        """
        self._layers = layers
        self._shown = shown
        self._scratch = Path(tempfile.mkdtemp(prefix="nettrusion-machine-"))
        self._cgroup = _cgroup2() / self._scratch.name
        self._outer: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def __enter__(self) -> Self:
        """Boot, and wait until systemd has started everything."""
        try:
            self._boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch the machine off."""
        self.close()

    def _boot(self) -> None:
        self._cgroup.mkdir()
        mounts, masks = self._scratch / "mounts", self._scratch / "masks"
        mounts.mkdir()
        (masks / "etc/systemd/system").mkdir(parents=True)
        for name in MASKED:
            (masks / "etc/systemd/system" / name).symlink_to("/dev/null")
        layers = ":".join(str(layer) for layer in (masks, *self._layers))
        shown = [text for source, target in self._shown.items() for text in (str(source), target)]
        with (self._scratch / "console").open("wb") as console:
            self._outer = subprocess.Popen(
                ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net",
                 "sh", "-c", FIRST, "first", str(mounts), layers, str(self._cgroup), *shown],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.wait_for("PID 1", self._found, 10)
        self.wait_for("systemd", lambda: self._state() not in ("", "offline", "unknown", "initializing", "starting"))
        state = self._state()
        if state != "running":
            raise RuntimeError(f"the machine is {state}: {self.run('systemctl', '--failed', '--plain').stdout}")
        self.run("ip", "link", "set", "lo", "up")

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def _found(self) -> bool:
        """Note the PID that systemd has out here, once it is systemd."""
        assert self._outer is not None
        if self._outer.poll() is not None:
            raise RuntimeError(f"the machine did not boot:\n{(self._scratch / 'console').read_text()}")
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
        with contextlib.suppress(FileNotFoundError):
            if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n":
                self.pid = int(children[0])
        return self.pid > 0

    def run(
        self, *command: str, check: bool = True, stdin: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside, in systemd's namespaces."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        done = subprocess.run(
            [*enter, "--wd=/", "--", *command],
            input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{shlex.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def write(self, path: str, text: str) -> None:
        """Write a file inside, and the folders above it."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "write", path, stdin=text)

    def read(self, path: str) -> str:
        """Return the text of a file inside, "" where there is none."""
        return self.run("cat", path, check=False).stdout

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return what systemd knows about a unit."""
        lines = self.run("systemctl", "show", unit, f"--property={','.join(properties)}").stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, unit: str) -> str:
        """Return a unit's messages so far, its manager's among them."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--unit", unit, "--output=cat").stdout

    def wait_for(self, what: str, happened: Callable[[], object], timeout_s: float = 30) -> None:
        """Return when `happened` is true.

        Raises:
            AssertionError: it has not become so in time.
        """
        until_s = time.monotonic() + timeout_s
        while not happened():
            assert time.monotonic() < until_s, f"no {what} within {timeout_s:.0f} s"
            time.sleep(0.1)

    def close(self) -> None:
        """Kill PID 1, which takes every process and mount along, and remove what lay out here."""
        if self._outer is not None:
            if self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            else:
                self._outer.kill()
            self._outer.wait(timeout=30)
        if self._cgroup.is_dir():
            self.wait_for("empty cgroup", lambda: "populated 0" in (self._cgroup / "cgroup.events").read_text())
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                os.rmdir(folder)
        shutil.rmtree(self._scratch)


def _cgroup2() -> Path:
    """Return where this system's unified control groups are mounted."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise RuntimeError("no cgroup2 is mounted here")
