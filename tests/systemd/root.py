"""The file trees that a test machine is made of: a Debian root, and Nettrusion installed on top of it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

SUITE = "bookworm"
PACKAGES = ("systemd-sysv", "dbus", "python3", "libpcap0.8", "iproute2", "procps", "logrotate")

# Where the checkout and the third-party packages of the running Python lie inside the machine.
TREE = "/opt/nettrusion/tree"
SITE = "/opt/nettrusion/site-packages"

COMMAND = f"""\
#!/usr/bin/python3
import sys
sys.path[:0] = [{TREE!r}, {SITE!r}]
from sensor.cli import main
sys.exit(main())
"""


class NoRootError(Exception):
    """A root cannot be had here; the message says why."""


def debian_root() -> Path:
    """Return the folder of a minimal Debian with systemd, made once and then kept.

    `$NETTRUSION_SYSTEMD_ROOT` names one that is there. Otherwise it is built by mmdebstrap in the user's cache, in
    about half a minute; it is written to by nobody afterwards.

    Raises:
        NoRootError: with what is missing.
    """
    named = os.environ.get("NETTRUSION_SYSTEMD_ROOT")
    if named:
        if not (Path(named) / "lib/systemd/systemd").exists():
            raise NoRootError(f"NETTRUSION_SYSTEMD_ROOT={named} has no systemd in it")
        return Path(named)
    if shutil.which("mmdebstrap") is None:
        raise NoRootError("a Debian root is built by the program mmdebstrap, which is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nettrusion-tests"
    recipe = hashlib.sha256(" ".join((SUITE, *PACKAGES)).encode()).hexdigest()[:12]
    root = cache / f"{SUITE}-{recipe}"
    if not root.is_dir():
        _build(root)
    return root


def _build(root: Path) -> None:
    """Build the root aside and give it its name when it is whole."""
    root.parent.mkdir(parents=True, exist_ok=True)
    aside = root.with_name(f".{root.name}.{os.getpid()}")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(aside)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=420, check=False)
        if done.returncode:
            first = next((line for line in done.stderr.splitlines() if line.startswith("E:")), "no message")
            raise NoRootError(f"mmdebstrap could not build {SUITE}: {first}")
        # Another run may have been faster; its root is as good.
        if not root.is_dir():
            aside.rename(root)
    except subprocess.TimeoutExpired as late:
        raise NoRootError(f"mmdebstrap has not built {SUITE} within {late.timeout:.0f} s") from late
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def install_nettrusion(layer: Path, repo: Path) -> None:
    """Lay the checkout and its units out under `layer`, as an installation would."""
    layer.chmod(0o755)
    subprocess.run(["make", "-s", "-C", str(repo / "systemd"), "install", f"DESTDIR={layer}"], check=True)
    tree = layer / TREE[1:]
    for folder in ("sensor", "rules"):
        shutil.copytree(repo / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__", "*.c", "*.pyx"))
    with (repo / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    about = tree / f"nettrusion-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: nettrusion\nVersion: {project['version']}\n")
    commands = project["entry-points"]["nettrusion.commands"].items()
    lines = [f"{name} = {module}\n" for name, module in commands if module.startswith("sensor.")]
    (about / "entry_points.txt").write_text("[nettrusion.commands]\n" + "".join(lines))
    command = layer / "usr/local/bin/nettrusion"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND)
    command.chmod(0o755)
    (layer / SITE[1:]).mkdir()


def check_python(root: Path) -> None:
    """See that the root's Python takes the compiled packages of this one.

    Raises:
        NoRootError: it is another version.
    """
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not (root / "usr/bin" / ours).exists():
        raise NoRootError(f"{root} has no {ours}, and numpy and onnxruntime are compiled for it")
