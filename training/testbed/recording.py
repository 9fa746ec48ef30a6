"""Record a profile: network, servers, people and attackers, capture, labels, manifest."""

import gzip
import hashlib
import json
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sensor.errors import NettrusionError
from training.testbed import attacks, benign, evidence, labels
from training.testbed.enclosure import RUN, furnish
from training.testbed.network import CLIENTS, DESK, LAPTOP, OUTSIDE, SERVER_LINK, Host, Network
from training.testbed.packets import conversations, read
from training.testbed.profiles import Guess, Profile, Scan, SlowHttp
from training.testbed.programs import Programs, Run
from training.testbed.servers import Secrets, Servers

FORMAT = 1
MOST_BYTES = 2_000_000
VERSIONS = {
    "nginx": ("nginx", "-v"),
    "dnsmasq": ("dnsmasq", "--version"),
    "ssh": ("ssh", "-V"),
    "curl": ("curl", "--version"),
    "dig": ("dig", "-v"),
    "ping": ("ping", "-V"),
    "nmap": ("nmap", "--version"),
    "slowhttptest": ("slowhttptest", "-h"),
    "hydra": ("hydra", "-h"),
    "tcpdump": ("tcpdump", "--version"),
    "ip": ("ip", "-V"),
    "kernel": ("uname", "-r"),
}


def record(profile: Profile, seed: int, folder: Path, name: str) -> dict[str, Any]:
    """Record into FOLDER/NAME.pcap.gz, .labels.csv and .manifest.json; return the manifest.

    Works only inside `enclosure.enclose`. Raises NettrusionError when a program does not start,
    when packets were lost, or when a conversation cannot be labelled without doubt.
    """
    furnish()
    raw = RUN / "capture.pcap"
    with Network(seed):
        servers = Servers(random.Random(f"{seed} content"))
        programs = Programs({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(RUN / "root"), "LC_ALL": "C"})
        try:
            servers.start()
            capture = _capture(raw, profile.snap_bytes)
            _act(profile, seed, programs, servers.secrets)
            time.sleep(1.0)  # the last goodbyes
            heard = _stop(capture)
        finally:
            servers.stop()
        rows = labels.label(conversations(raw), programs.log)
        agreed = evidence.check(rows, servers.access_log, servers.ssh_log)
    folder.mkdir(parents=True, exist_ok=True)
    packed, table = folder / f"{name}.pcap.gz", folder / f"{name}.labels.csv"
    packed.write_bytes(gzip.compress(raw.read_bytes(), 9, mtime=0))
    if packed.stat().st_size >= MOST_BYTES:
        raise NettrusionError(f"{packed} has {packed.stat().st_size} bytes, over {MOST_BYTES}.")
    table.write_text(labels.text(rows), encoding="ascii")
    manifest = {
        "format": FORMAT,
        "command": f"python -m training.testbed record --profile {profile.name} --seed {seed}",
        "seed": seed,
        "profile": asdict(profile),
        "network": {host.name: asdict(host) for host in CLIENTS},
        "versions": {tool: version(*words) for tool, words in VERSIONS.items()},
        "capture": {"file": packed.name, "sha256": digest(packed), "snap_bytes": profile.snap_bytes}
        | facts(raw)
        | heard,
        "labels": {
            "file": table.name,
            "sha256": digest(table),
            "conversations": dict(sorted(Counter(row.label for row in rows).items())),
            "confirmed_by_server_logs": agreed,
        },
        "runs": [run.as_dict() for run in programs.log],
    }
    (folder / f"{name}.manifest.json").write_text(dump(manifest), encoding="ascii")
    return manifest


def _act(profile: Profile, seed: int, programs: Programs, keys: Secrets) -> None:
    """Let people and attackers work side by side until all are done."""
    until_s = time.monotonic() + profile.seconds
    stop = threading.Event()
    crews = [
        (DESK, (*[benign.SURFER] * 3, benign.RESOLVER, benign.ADMIN)),
        (LAPTOP, (*[benign.SURFER] * 2, benign.RESOLVER, benign.ADMIN)),
        (OUTSIDE, (*[benign.SURFER] * 2, benign.RESOLVER, benign.ADMIN)),
    ]
    with ThreadPoolExecutor(max_workers=16) as pool:
        jobs = []
        for host, crew in crews:
            for place, actions in enumerate(crew):
                rng = random.Random(f"{seed} {host.name} {place}")
                person = benign.Person(host, programs, keys, rng, profile.pause_s, until_s, stop)
                jobs.append(pool.submit(person.live, actions))
        for host, plan in ((OUTSIDE, profile.outside), (LAPTOP, profile.inside)):
            jobs.append(pool.submit(_attack, host, plan, profile, seed, programs, keys))
        try:
            for job in jobs:
                job.result()
        finally:
            stop.set()


def _attack(
    host: Host,
    plan: tuple[Scan | SlowHttp | Guess, ...],
    profile: Profile,
    seed: int,
    programs: Programs,
    keys: Secrets,
) -> None:
    rng = random.Random(f"{seed} {host.name} attacks")
    time.sleep(profile.lead_s * rng.uniform(0.8, 1.2))
    for attack in plan:
        run = programs.run(attacks.intent(attack, host, keys, rng))
        if run.exit_code < 0:
            said = programs.outputs[run.run].decode(errors="replace")[-300:]
            raise NettrusionError(f"{run.tool} was killed at its time limit; it said: {said}")
        time.sleep(rng.uniform(0.6, 1.4))


def _capture(raw: Path, snap_bytes: int) -> "subprocess.Popen[str]":
    words = ["tcpdump", "-i", SERVER_LINK, "-s", str(snap_bytes), "-w", str(raw), "-n"]
    words += ["-B", "8192", "--immediate-mode", "-Z", "root"]
    capture = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert capture.stderr is not None
    first = capture.stderr.readline()
    if "listening on" not in first:
        raise NettrusionError(f"tcpdump did not start: {first.strip()}")
    return capture


def _stop(capture: "subprocess.Popen[str]") -> dict[str, int]:
    """End tcpdump and return how many packets it had to drop: none, or this raises."""
    time.sleep(0.3)
    capture.send_signal(signal.SIGINT)
    _, said = capture.communicate(timeout=10)
    counts = {line.split(" ", 1)[1]: int(line.split(" ", 1)[0]) for line in said.splitlines()}
    dropped = counts["packets dropped by kernel"]
    if dropped:
        raise NettrusionError(f"The capture lost {dropped} packets: the machine was too busy.")
    return {"dropped": dropped}


def dump(manifest: dict[str, Any]) -> str:
    """Return a manifest as JSON, each program run on a line of its own."""
    head = json.dumps({**manifest, "runs": []}, indent=1)
    runs = ",\n".join(json.dumps(run, separators=(",", ":")) for run in manifest["runs"])
    return head.removesuffix("[]\n}") + f"[\n{runs}\n]\n}}\n"


def facts(capture: Path) -> dict[str, int | str]:
    """Return what a manifest says about a capture: packets, first and last packet's time."""
    times = [time_ns for time_ns, _, _ in read(capture)]
    return {"packets": len(times), "start_ns": min(times), "end_ns": max(times)}


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version(*words: str) -> str:
    """Return the first dotted number in what a program says about itself, a patch letter kept."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"\d+\.[\d.]*\d(p\d+)?|\b20\d{6}\b", done.stdout)
    return found[0] if found else "unknown"


def check(manifest_path: Path) -> dict[str, Any]:
    """Label a recording anew from its capture and program log, and compare with what lies there.

    Returns the manifest. Raises NettrusionError if a file is not the one the manifest names, or
    if the labels do not follow from the log.
    """
    manifest: dict[str, Any] = json.loads(manifest_path.read_text(encoding="ascii"))
    folder = manifest_path.parent
    for part in ("capture", "labels"):
        path = folder / manifest[part]["file"]
        if digest(path) != manifest[part]["sha256"]:
            raise NettrusionError(f"{path} is not the file that {manifest_path.name} describes.")
    runs = [Run.of(entry) for entry in manifest["runs"]]
    rows = labels.label(conversations(folder / manifest["capture"]["file"]), runs)
    again = labels.text(rows)
    if again != (folder / manifest["labels"]["file"]).read_text(encoding="ascii"):
        raise NettrusionError(f"{manifest['labels']['file']} does not follow from the program log.")
    return manifest
