"""One stage of the sensor over one capture, in a process of its own: STAGE CAPTURE -> JSON.

CPU seconds (user and system) are of the work alone, without starting Python; memory is the peak of
the whole process.
"""

import json
import resource
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

# A link type that nobody decodes: the engine then does no more than walk from record to record.
USER_LINK = 147
# The feature sets that are measured, each by the formulas that bundled models were trained with.
SETS = {"cic2022": "cns22", "flow1": "flow1"}


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its finished children so far."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def resident_mb() -> float:
    """Return the memory that this process has right now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def walk(capture: Path) -> dict[str, float]:
    """Walk the record headers of a classic pcap; its packets are of a link type not decoded."""
    from sensor.flows import PROFILES, FlowEngine, Framing
    from sensor.sources import open_capture

    source = open_capture(capture)
    header = bytearray(source.window[:24])
    order = "<" if header[0] in (0xD4, 0x4D) else ">"
    struct.pack_into(order + "I", header, 20, USER_LINK)
    engine, framing = FlowEngine(PROFILES["wire"]), Framing.sniff(bytes(header))
    start = cpu_s()
    assert engine.feed(bytes(header), framing) == 24
    source.advance(24)
    while True:
        used = engine.feed(source.window, framing)
        source.advance(used)
        if not used and not source.more():
            break
    spent = cpu_s() - start
    source.close()
    assert engine.counters["in_flow"] == 0
    return {"cpu_s": spent, "packets": engine.counters["packets"]}


def assemble(capture: Path, extract: str = "", context: bool = True) -> dict[str, float]:
    """Assemble flows by profile `wire`, with or without the memory of hosts, and compute a feature set of each.

    `extract` names the set, or none. `extract_s` of the figures are the CPU seconds of the features alone.
    """
    from sensor.features import FeatureSet
    from sensor.flows import PROFILES, FlowEngine, Framing
    from sensor.pipeline import BATCH_FLOWS
    from sensor.sources import open_capture

    features = FeatureSet.load(extract) if extract else None
    source = open_capture(capture)
    engine = FlowEngine(replace(PROFILES["wire"], context=context))
    framing = Framing.sniff(bytes(source.window[:4096]))
    flows = most_live = 0
    live_mb = extract_s = 0.0

    def drain() -> int:
        nonlocal extract_s
        batch = engine.take()
        if features and len(batch):
            begun_s = time.process_time()
            features.extract(batch, SETS[extract])
            extract_s += time.process_time() - begun_s
        return len(batch)

    start = cpu_s()
    while True:
        used = engine.feed(source.window, framing)
        source.advance(used)
        if engine.pending >= BATCH_FLOWS:
            flows += drain()
        if not used:
            if engine.live > most_live:
                most_live, live_mb = engine.live, resident_mb()
            if not source.more():
                break
    while engine.drain():
        flows += drain()
    flows += drain()
    spent = cpu_s() - start
    source.close()
    return {
        "cpu_s": spent,
        "extract_s": extract_s,
        "packets": engine.counters["packets"],
        "flows": flows,
        "live": most_live,
        "live_mb": live_mb,
    }


def nfstream(capture: Path) -> dict[str, float]:
    """Compute NFStream's statistical features without dissection, with one meter."""
    from nfstream import NFStreamer

    start = cpu_s()
    streamer = NFStreamer(str(capture), statistical_analysis=True, n_dissections=0, n_meters=1)
    flows = packets = 0
    for flow in streamer:
        flows += 1
        packets += flow.bidirectional_packets
    return {"cpu_s": cpu_s() - start, "packets": packets, "flows": flows}


STAGES: dict[str, Callable[[Path], dict[str, float]]] = {
    "walk": walk,
    "engine": assemble,
    "contextless": lambda capture: assemble(capture, context=False),
    "cic2022": lambda capture: assemble(capture, "cic2022"),
    "flow1": lambda capture: assemble(capture, "flow1"),
    "nfstream": nfstream,
}


def main() -> None:
    """Run a stage and print its figures."""
    figures = STAGES[sys.argv[1]](Path(sys.argv[2]))
    peaks = (resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({**figures, "rss_mb": max(peaks) / 1024}))


if __name__ == "__main__":
    main()
