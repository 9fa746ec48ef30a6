"""The manifest of a recording: what it says, how it is written, and the proof that labels follow from it."""

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sensor.errors import NettrusionError
from training.testbed import labels, nat
from training.testbed.labels import Labelled, Played, Story
from training.testbed.programs import Run
from training.testbed.world import Host, World

FORMAT = 2
PARTS = {"capture": "pcap.gz", "labels": "labels.csv", "sockets": "sockets.csv.gz"}
"""The files beside the manifest: part, suffix."""


def dump(manifest: Mapping[str, Any]) -> str:
    """Return a manifest as JSON; each entry of its tables and lists stands on a line of its own."""
    parts = []
    for key, value in manifest.items():
        ends = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
        if isinstance(value, Mapping) and value:
            inner = [f"{json.dumps(str(name))}: {_line(entry)}" for name, entry in value.items()]
        elif isinstance(value, list) and value:
            inner = [_line(entry) for entry in value]
        else:
            parts.append(f" {json.dumps(key)}: {_line(value)}")
            continue
        parts.append(f" {json.dumps(key)}: {ends[0]}\n  " + ",\n  ".join(inner) + f"\n {ends[1]}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def load(path: Path) -> dict[str, Any]:
    """Return a manifest; NettrusionError for a file that is none of this format."""
    try:
        manifest = json.loads(path.read_text(encoding="ascii"))
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise NettrusionError(f"{path} is no manifest: {problem}") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NettrusionError(
            f"{path} is no manifest of format {FORMAT}; record it anew with `nettrusion testbed run`."
        )
    return manifest


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(path: Path) -> dict[str, str]:
    """Return a file's name and digest."""
    return {"file": path.name, "sha256": digest(path)}


def counted(rows: Iterable[Labelled]) -> dict[str, dict[str, int]]:
    """Return how many conversations each label and each activity has."""
    rows = list(rows)
    return {
        "by_label": dict(sorted(Counter(row.label for row in rows).items())),
        "by_activity": dict(sorted(Counter(row.activity for row in rows).items())),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Debian packages and of the kernel; packages that dpkg does not know are left out."""
    words = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *sorted(set(packages))]
    found: dict[str, str] = {}
    try:
        said = subprocess.run(words, capture_output=True, text=True).stdout
    except OSError:
        said = ""
    for line in said.splitlines():
        name, _, version = line.partition(" ")
        if version:
            found[name] = version
    release = Path("/proc/sys/kernel/osrelease").read_text().strip()
    return {**found, "linux": release}


def addresses(world: World) -> dict[str, frozenset[str]]:
    """Return all addresses of each host and of the router, those of the links and the spare one included."""
    hosts = [*world.hosts.values(), *([nat.gateway(world)] if world.nat else [])]
    own = {host.name: {*host.all_v4, *host.all_v6, f"fe80::77:ff:fe00:{host.number:x}10"} for host in hosts}
    if "web" in own:
        own["web"].add(world.spare)
    own["router"] = set()
    for host in hosts:
        nets = (host.v4.rpartition(".")[0], host.v6.partition("::")[0])
        own["router"] |= {f"{nets[0]}.1", f"{nets[1]}::1", f"fe80::77:ff:fe00:{host.number:x}01"}
    return {name: frozenset(them) for name, them in own.items()}


def drawn(world: World) -> dict[str, Any]:
    """Return a world for the manifest, its passwords left out."""
    return {"nat": world.nat, "hosts": {name: asdict(host) for name, host in world.hosts.items()}}


def story(manifest: Mapping[str, Any]) -> Story:
    """Return who did what in a recording, from its manifest."""
    net = manifest["network"]
    world = World({name: Host(**host) for name, host in net["hosts"].items()}, {}, net["nat"])
    return Story(
        acts={entry["act"]: Played(**entry) for entry in manifest["acts"]},
        runs={entry["run"]: Run(**entry) for entry in manifest["runs"]},
        services={entry["run"]: entry["service"] for entry in manifest["services"]},
        addresses=addresses(world),
    )


def services(told: Story) -> list[dict[str, Any]]:
    """Return the servers of a story for the manifest."""
    runs = [(name, told.runs[number]) for number, name in told.services.items()]
    return [{"service": name, "run": run.run, "host": run.host, "command": run.command} for name, run in runs]


def check(path: Path) -> dict[str, Any]:
    """Label a recording anew from its capture, socket log and manifest, and compare with its labels.

    Returns the manifest. Raises NettrusionError if a file is not the one that the manifest names, or
    if the labels do not follow.
    """
    manifest = load(path)
    files = {part: path.parent / manifest[part]["file"] for part in PARTS}
    for part, file in files.items():
        if not file.is_file() or digest(file) != manifest[part]["sha256"]:
            raise NettrusionError(f"{file} is not the file that {path.name} describes.")
    try:
        again = labels.text(labels.follow(files["capture"], files["sockets"], story(manifest)))
    except (KeyError, TypeError, ValueError) as problem:
        raise NettrusionError(f"{path} does not hold together: {type(problem).__name__}: {problem}") from problem
    if again != files["labels"].read_text(encoding="ascii"):
        raise NettrusionError(f"{files['labels']} does not follow from the socket log and the acts.")
    return manifest
