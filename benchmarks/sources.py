"""How fast each source hands packets to the engine: python -m benchmarks.sources.

The bundled capture, many times over, is read by the file source, a followed folder, tshark and scapy, each in a process
of its own; printed are packets a CPU second, what child processes used included, without scoring.
"""

import argparse
import gzip
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.stages import cpu_s

DEMO = Path(__file__).parents[1] / "sensor" / "data" / "demo.pcap.gz"
SOURCES = ("file", "follow", "tshark", "scapy")
APART_S = 100


def repeated(target: Path, times: int) -> None:
    """Write the bundled capture `times` over, each copy 100 s after the one before."""
    data = gzip.decompress(DEMO.read_bytes())
    header, at, records = data[:24], 24, []
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, at)
        records.append((seconds, struct.pack("<III", fraction, captured, wire) + data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    with target.open("wb") as out:
        out.write(header)
        for copy in range(times):
            out.writelines(struct.pack("<I", seconds + copy * APART_S) + rest for seconds, rest in records)


def read(name: str, capture: Path) -> tuple[int, float]:
    """Read a capture by one source; return its packets and the CPU seconds of it all."""
    from sensor.assembly import Assembly
    from sensor.flows import PROFILES, FlowEngine
    from sensor.sources.follow import FollowSource
    from sensor.sources.opening import open_file

    begun_s = cpu_s()
    source = FollowSource(capture.parent) if name == "follow" else open_file(str(capture), name)
    engine = FlowEngine(PROFILES["wire"])
    assembly, before = Assembly(source, engine), -1
    while assembly.step():
        engine.take()
        packets = engine.counters["packets"]
        if source.live and not len(source.window) and packets == before:
            break
        before = packets
    source.close()
    return engine.counters["packets"], cpu_s() - begun_s


def main() -> None:
    """Measure every source and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="how many times the bundled capture is read")
    parser.add_argument("--one", nargs=2, metavar=("SOURCE", "CAPTURE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(*read(args.one[0], Path(args.one[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder, "many.pcap")
        repeated(capture, args.times)
        for name in SOURCES:
            rates = []
            for _ in range(3):
                words = (sys.executable, "-m", "benchmarks.sources", "--one", name, str(capture))
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                packets, seconds = done.stdout.split()
                rates.append(int(packets) / float(seconds))
            print(f"{name:7} {int(packets):,} packets, {sorted(rates)[1]:,.0f} a CPU second")


if __name__ == "__main__":
    main()
