"""The attacks: real tools against our own server, with our own throw-away passwords."""

import random
import secrets
from pathlib import Path

from training.testbed.enclosure import RUN
from training.testbed.network import SERVER, SILENT, Host
from training.testbed.profiles import Guess, Scan, SlowHttp
from training.testbed.programs import ANY_PORTS, Intent, Reach
from training.testbed.servers import Secrets

COMMON_PORTS = (21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 993, 995, 1723, 3306)


def intent(attack: Scan | SlowHttp | Guess, host: Host, keys: Secrets, rng: random.Random) -> Intent:
    """Return the program that carries an attack out from a host."""
    if isinstance(attack, Scan):
        return _scan(attack, host, rng)
    if isinstance(attack, SlowHttp):
        return _slow(attack, host)
    return _guess(attack, host, keys, rng)


def _scan(scan: Scan, host: Host, rng: random.Random) -> Intent:
    others = [port for port in range(1, 10_000) if port not in COMMON_PORTS]
    common = COMMON_PORTS[: scan.ports]
    ports = [*common, *rng.sample(others, scan.ports - len(common))]
    address = SERVER.v4 if scan.target == "server" else SILENT
    words = ["nmap", "-n", "-Pn", scan.probe, *scan.options, "--host-timeout", "25s"]
    words += ["-p", ",".join(map(str, sorted(ports))), address]
    reach = Reach("tcp", (address,), (1, 9_999))
    return Intent(host, "nmap", words, reach, "scan", source_ports=ANY_PORTS, limit_s=30.0)


def _slow(slow: SlowHttp, host: Host) -> Intent:
    words = ["slowhttptest", slow.mode, "-c", str(slow.connections), "-r", str(slow.per_second)]
    words += ["-l", str(slow.seconds), "-i", str(slow.interval_s), "-p", "3", "-x", "24"]
    path = "upload" if slow.mode == "-B" else ""
    words += ["-u", f"http://{SERVER.v4}/{path}"]
    reach = Reach("tcp", (SERVER.v4,), (80, 80))
    return Intent(host, "slowhttptest", words, reach, "dos", limit_s=slow.seconds + 10.0)


def _guess(guess: Guess, host: Host, keys: Secrets, rng: random.Random) -> Intent:
    user, owner = ("guest", "guest") if guess.service == "ssh" else ("admin", "web")
    words = [f"{rng.choice(('summer', 'winter', 'qwerty'))}{n}" for n in range(guess.passwords)]
    if guess.finds_it:
        words[-1] = keys.passwords[owner]
    book = RUN / "root" / f"words-{host.name}-{secrets.token_hex(3)}"
    book.write_text("\n".join(words) + "\n")
    if guess.tool == "ssh-loop":
        return _loop(host, book)
    port = 22 if guess.service == "ssh" else 80
    path = "" if guess.service == "ssh" else "/private/index"
    command = ["hydra", "-I", "-t", str(guess.tasks), "-l", user, "-P", str(book)]
    command += [f"{guess.service}://{SERVER.v4}{path}"]
    reach = Reach("tcp", (SERVER.v4,), (port, port))
    return Intent(host, "hydra", command, reach, "bruteforce", limit_s=40.0)


def _loop(host: Host, book: Path) -> Intent:
    script, asked = book.with_suffix(".sh"), book.with_suffix(".ask")
    asked.write_text('#!/bin/sh\necho "$GUESS"\n')
    asked.chmod(0o700)
    options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    options += " -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1"
    script.write_text(
        f"export SSH_ASKPASS={asked} SSH_ASKPASS_REQUIRE=force\n"
        f"while read -r GUESS; do export GUESS\n"
        f"ssh {options} guest@{SERVER.v4} true </dev/null\ndone <{book}\n"
    )
    reach = Reach("tcp", (SERVER.v4,), (22, 22))
    return Intent(host, "ssh-loop", ["sh", str(script)], reach, "bruteforce", limit_s=60.0)
