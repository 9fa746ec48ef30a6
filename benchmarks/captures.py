"""The captures that the benchmarks read: a large mixture, and one of many flows at once."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
SYN, SYN_ACK, ACK, PSH_ACK = 0x02, 0x12, 0x10, 0x18
START_S = 1_700_000_000


def shared() -> Path:
    """Return the folder of captures that the project reads but never ships, or say what is missing."""
    folder = Path(os.environ.get("NETTRUSION_SHARED") or ROOT.parent / "shared")
    if not (folder / "tools" / "throughput.py").is_file():
        raise SystemExit(
            f"no captures at {folder}: set NETTRUSION_SHARED to their folder, or give a capture of"
            " your own with --capture"
        )
    return folder


def mixture(folder: Path, packets: int) -> Path:
    """Make a capture of that many packets out of the shared real ones, spread over 900 s."""
    source, unpacked, out = shared(), folder / "dev", folder / f"mixture-{packets}.pcap"
    if not (shutil.which("zstd") and shutil.which("tar")):
        raise SystemExit("unpacking the captures needs the commands tar and zstd")
    unpacked.mkdir()
    archive = source / "data" / "captures" / "dev.tar.zst"
    subprocess.run(["tar", "--zstd", "--no-same-owner", "-xf", archive, "-C", unpacked], check=True)
    tool = source / "tools" / "throughput.py"
    subprocess.run([sys.executable, tool, unpacked, out, str(packets)], check=True)
    shutil.rmtree(unpacked)
    return out


def open_flows(folder: Path, flows: int) -> Path:
    """Make a capture of that many TCP connections that open in 30 s, talk once, and never end."""
    out = folder / f"open-{flows}.pcap"
    steps = ((SYN, 0, True), (SYN_ACK, 0, False), (ACK, 0, True), (PSH_ACK, 200, True))
    with out.open("wb") as file:
        file.write(PCAP_HEADER)
        for step, (flags, payload, forward) in enumerate(steps):
            for flow in range(flows):
                micros = step * 10_000_000 + flow * 10_000_000 // flows
                frame = _segment(flow, flags, payload, forward)
                seconds, rest = divmod(micros, 1_000_000)
                length = len(frame)
                file.write(struct.pack("<IIII", START_S + seconds, rest, length, length) + frame)
    return out


def _segment(flow: int, flags: int, payload: int, forward: bool) -> bytes:
    client = struct.pack(">I", (10 << 24) + 256 + flow // 20_000)
    port, server = 20_000 + flow % 20_000, bytes((192, 0, 2, 1))
    src, dst = (client, server) if forward else (server, client)
    sport, dport = (port, 443) if forward else (443, port)
    tcp = struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 4096, 0, 0) + bytes(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + src + dst
    return bytes(12) + b"\x08\x00" + ip + tcp
