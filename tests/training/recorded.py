"""A recording made in code: packets, labels and manifest of a small network, exact to the microsecond."""

import csv
import gzip
import hashlib
import ipaddress
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 192, 1)
COLUMNS: tuple[str, ...] = ("src", "sport", "dst", "dport", "proto", "start", "end", "packets")
COLUMNS += ("label", "activity", "tool", "act", "run", "host")
START_US = 1_800_000_000_000_000
SYN, SYN_ACK, ACK, PSH, FIN, RST = 2, 18, 16, 24, 17, 20


@dataclass(frozen=True)
class Talk:
    """One conversation over TCP, or UDP if `udp`: a packet each way for every size, and its label."""

    start_us: int
    client: str
    sport: int
    server: str
    dport: int
    label: str
    activity: str = "web-page"
    act: int = 1
    sizes: Sequence[int] = (100, 900)
    gap_us: int = 20_000
    udp: bool = False
    host: str = "desk"
    labelled: bool = True

    def frames(self):
        """Yield (time in us, frame) of every packet."""
        at = self.start_us
        steps = [(True, 0, SYN), (False, 0, SYN_ACK), (True, 0, ACK)] if not self.udp else []
        steps += [(place % 2 == 0, size, PSH) for place, size in enumerate(self.sizes)]
        steps += [(True, 0, FIN), (False, 0, FIN), (True, 0, ACK)] if not self.udp else []
        for forward, size, flags in steps:
            yield at, self._frame(forward, size, flags)
            at += self.gap_us

    def _frame(self, forward, size, flags):
        ends = [(self.client, self.sport), (self.server, self.dport)]
        (src, sport), (dst, dport) = ends if forward else ends[::-1]
        if self.udp:
            layer = struct.pack(">HHHH", sport, dport, 8 + size, 0)
        else:
            layer = struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 8192, 0, 0)
        layer += bytes(size)
        addresses = [ipaddress.ip_address(address).packed for address in (src, dst)]
        number = 17 if self.udp else 6
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(layer), 0, 0x4000, 64, number, 0) + b"".join(addresses)
        return bytes(12) + b"\x08\x00" + ip + layer

    def row(self, run):
        """Return the labels file's row."""
        times = [at for at, _ in self.frames()]
        proto = "udp" if self.udp else "tcp"
        span = [f"{at // 10**6}.{at % 10**6:06d}" for at in (times[0], times[-1])]
        who = [self.client, self.sport, self.server, self.dport, proto]
        return [*who, *span, len(times), self.label, self.activity, "curl", self.act, run, self.host]


def day(seed: int, *, benign: int = 120, attacks: int = 30, net: int = 0) -> list[Talk]:
    """Return a day's conversations: benign pages and names by six hosts, a scan and a guessing in acts of ten."""
    rng = np.random.default_rng(seed)
    start = START_US + seed * 86_400_000_000
    talks = []
    for place in range(benign):
        host = place % 6
        sizes = tuple(int(size) for size in rng.lognormal(5.5, 0.7, 2 + 2 * int(rng.integers(1, 4))).clip(20, 1400))
        udp = place % 3 == 0
        talks.append(
            Talk(
                start + int(rng.integers(0, 3_600_000_000)), f"10.{net}.{host}.10", 20000 + place,
                "10.9.9.10", 53 if udp else 443, "benign", "names" if udp else "web-page", 1 + place // 10,
                sizes[:2] if udp else sizes, int(rng.integers(500, 50_000)), udp, f"host{host}",
            )
        )  # fmt: skip
    for place in range(attacks):
        at, act = start + place * 1_000_000, 1000 + place // 10
        who = ("10.66.6.6", 30000 + place, "10.9.9.10")
        talks.append(Talk(at, *who, 100 + place, "scan", "scan-syn", act, (), 1000, host="attacker"))
        at += 1_800_000_000
        who = ("10.66.6.6", 40000 + place, "10.9.9.10")
        sizes = tuple([300] * 14)
        talks.append(Talk(at, *who, 22, "bruteforce", "guess-ssh", 100 + act, sizes, 90_000, host="attacker"))
    return talks


def write(
    folder: Path, name: str, talks: Sequence[Talk], *, columns: int = len(COLUMNS), manifest: bool = True
) -> Path:
    """Write a recording's files; returns its labels file. `columns` leaves the last ones out."""
    folder.mkdir(parents=True, exist_ok=True)
    packets = sorted((at, number, frame) for number, talk in enumerate(talks) for at, frame in talk.frames())
    body = b"".join(
        struct.pack("<IIII", *divmod(at, 10**6), min(192, len(frame)), len(frame)) + frame[:192]
        for at, _, frame in packets
    )
    capture, labels = folder / f"{name}.pcap.gz", folder / f"{name}.labels.csv"
    capture.write_bytes(gzip.compress(HEADER + body, 1, mtime=0))
    with labels.open("w", newline="") as stream:
        sheet = csv.writer(stream, lineterminator="\n")
        sheet.writerow(COLUMNS[:columns])
        sheet.writerows(talk.row(run)[:columns] for run, talk in enumerate(talks, 1) if talk.labelled)
    if manifest:
        files = {"capture": capture, "labels": labels}
        said = {part: {"file": path.name, "sha256": sha256(path)} for part, path in files.items()}
        (folder / f"{name}.manifest.json").write_text(json.dumps({"format": 2} | said))
    return labels


def sha256(path: Path) -> str:
    """Return a file's hash."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
