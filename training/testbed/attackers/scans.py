"""Scans: many ports of one host, few ports of many hosts, and what the open ones run."""

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, address, one

COMMON: tuple[int, ...] = (
    21,
    22,
    23,
    25,
    53,
    80,
    110,
    111,
    135,
    139,
    143,
    389,
    443,
    445,
    587,
    631,
    993,
    995,
    1433,
    1723,
)
COMMON += (2049, 3306, 3389, 5060, 5432, 5900, 6379, 8000, 8080, 8443, 8888, 9200, 10000, 27017)
UDP = (53, 67, 69, 111, 123, 137, 138, 161, 162, 389, 445, 500, 514, 520, 631, 1434, 1701, 1900, 4500, 5060, 5353)
PROBES = {
    "syn": "-sS",
    "connect": "-sT",
    "udp": "-sU",
    "fin": "-sF",
    "null": "-sN",
    "xmas": "-sX",
    "ack": "-sA",
    "window": "-sW",
    "maimon": "-sM",
}
HPING = {"syn": ["-S"], "fin": ["-F"], "ack": ["-A"], "xmas": ["-F", "-P", "-U"], "null": []}
NEEDS = {"nmap": "nmap", "masscan": "masscan", "hping3": "hping3", "ncat": "ncat", "fping": "fping"}
# Nothing is looked up and nothing retried for long: a scan ends by itself.
NMAP = ("nmap", "-n", "-Pn", "--max-retries", "1")


def ports(stage: Stage, count: int, probe: str) -> list[int]:
    """Return ports to probe: well-known ones first in line, the rest drawn from all, sorted."""
    known = list(UDP if probe == "udp" else COMMON)
    stage.rng.shuffle(known)
    chosen = set(known[: max(1, round(count * float(stage.settings["known"])))])
    while len(chosen) < count:
        chosen.add(stage.rng.randint(1, 49_151))
    return sorted(chosen)


def scan_ports(stage: Stage) -> None:
    """Probe ports of one host with one tool."""
    tool, probe, place = one(stage, "tool"), one(stage, "probe"), address(stage)
    chosen = ports(stage, about(stage, "ports"), probe)
    listed = ",".join(map(str, chosen))
    rate = about(stage, "rate") if one(stage, "rate") else 0
    if tool == "nmap":
        words = [*NMAP, PROBES[probe], f"-T{one(stage, 'timing')}", "--host-timeout", "80s", "-p", listed]
        words += ["--max-rate", str(rate)] if rate else []
        words += ["-6"] if ":" in place else []
        stage.run(*words, place, limit_s=90, ok=None)
    elif tool == "masscan":
        masscan(stage, [place], listed, rate or 200)
    elif tool == "hping3":
        words = ["hping3", "--scan", listed, *HPING[probe], "-i", f"u{1_000_000 // (rate or 200)}", place]
        stage.run(*words, limit_s=60, ok=None)
    else:
        stage.rng.shuffle(chosen)
        for port in chosen:
            stage.run("ncat", "-n", "-z", "-w", "1", place, str(port), limit_s=5, ok=None)
            stage.pause(stage.rng.expovariate(rate) if rate else 0.0)


def masscan(stage: Stage, places: list[str], listed: str, rate: int) -> None:
    """Run masscan, which asks no kernel: it is told its link, its own address and the router's."""
    words = ["masscan", *places, "-p", listed, "--rate", str(rate), "--wait", "1", "--retries", "0"]
    own = stage.host
    words += ["-e", f"at-{own.name}", "--router-ip", f"{own.prefix4}.{own.number}.1", "--adapter-ip", own.v4]
    words += ["--adapter-port", str(stage.rng.randint(40_000, 60_000))]
    words += ["--seed", str(stage.rng.randint(1, 10**6))]
    stage.run(*words, limit_s=60, ok=None)


def neighbours(stage: Stage, count: int) -> list[str]:
    """Return IPv4 addresses of one side: the hosts' own and as many more of their networks as it takes."""
    hosts = [host for host in stage.world.hosts.values() if host.side == one(stage, "side")]
    found = {host.v4 for host in hosts if host.name != stage.host.name}
    while len(found) < count:
        host = stage.rng.choice(hosts)
        found.add(f"{host.prefix4}.{host.number}.{stage.rng.randint(2, 254)}")
    return sorted(found)


def sweep(stage: Stage) -> None:
    """Look for hosts, or for a few services on many hosts."""
    tool, probe = one(stage, "tool"), one(stage, "probe")
    places = neighbours(stage, about(stage, "hosts"))
    if tool == "fping":
        words = ["fping", "-q", "-r", "1", "-i", str(max(1, 1000 // (one(stage, "rate") or 100)))]
        stage.run(*words, *places, limit_s=60, ok=None)
        return
    listed = ",".join(map(str, ports(stage, int(one(stage, "ports")), probe)))
    if tool == "masscan":
        masscan(stage, places, listed, one(stage, "rate") or 100)
        return
    words = ["nmap", "-n", "--max-retries", "1", "--host-timeout", "40s", f"-T{one(stage, 'timing')}"]
    words += ["--max-rate", str(one(stage, "rate"))] if one(stage, "rate") else []
    words += ["-sn", "-PE"] if probe == "ping" else ["-Pn", PROBES[probe], "-p", listed]
    stage.run(*words, *places, limit_s=90, ok=None)


def ask_versions(stage: Stage) -> None:
    """Ask open ports what they run, with nmap's own dialogues."""
    place = address(stage)
    listed = ",".join(map(str, ports(stage, about(stage, "ports"), "syn")))
    words = [*NMAP, "-sV", "--version-intensity", str(one(stage, "intensity")), "--host-timeout", "50s", "-p", listed]
    words += ["--script", one(stage, "scripts"), "--script-timeout", "10s"] if one(stage, "scripts") else []
    words += ["-6"] if ":" in place else []
    stage.run(*words, place, limit_s=60, ok=None)


KINDS = (
    Kind(
        name="port-scan",
        label="scan",
        play=scan_ports,
        needs=NEEDS,
        lasts_s=4,
        limit_s=100,
        settings={
            "tool": "nmap",  # or masscan, hping3, ncat
            "probe": "syn",  # nmap: any of PROBES; hping3: of HPING; masscan: syn; ncat: connect
            "target": ["web", "infra", "store"],  # hosts, "spare" (answers, all closed), "silent" (nobody)
            "family": 4,
            "ports": 80,  # median; a quarter of a second each with probe "udp", whose refusals are rationed
            "known": 0.3,  # share of well-known ports among them
            "rate": 0,  # packets per second, 0: the tool's own pace; below 1 is not possible
            "timing": 4,  # nmap -T
        },
    ),
    Kind(
        name="host-sweep",
        label="scan",
        play=sweep,
        needs=NEEDS,
        lasts_s=6,
        limit_s=100,
        settings={
            "tool": "nmap",  # or masscan, fping
            "probe": "syn",  # or ping, connect, udp
            "side": "servers",  # whose networks: inside, servers, outside
            "hosts": 30,  # median number of addresses, most of them nobody's
            "ports": 2,
            "known": 1.0,
            "rate": 50,
            "timing": 4,
        },
    ),
    Kind(
        name="version-scan",
        label="scan",
        play=ask_versions,
        needs={"nmap": "nmap"},
        lasts_s=15,
        limit_s=70,
        settings={
            "target": ["web", "infra", "store"],
            "family": 4,
            "ports": 16,
            "known": 1.0,
            "intensity": 3,  # 0 to 9, how many dialogues are tried
            "scripts": "",  # nmap --script, "" for none
        },
    ),
)
