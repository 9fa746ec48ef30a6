"""A ring and a capture file of the same packets give the same flows, with one worker and with two."""

import gzip
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensor.config import CaptureConfig
from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources.ring import RingSource, open_rings
from tests.live.cable import Cable
from tests.packets import connection, tcp
from tests.sensor.flows.drive import Flows, assemble
from tests.sensor.flows.frames import frames
from tests.sensor.sources.kinds import DRESSES, frame

WIRE = PROFILES["wire"]
CAPTURE = CaptureConfig(ring_mb=16, block_kb=256, block_ms=20)
HOSTS = [f"10.1.{number}.{number}" for number in range(1, 31)]
SERVER = "198.51.100.7"


def demo(repo: Path) -> list[bytes]:
    """Return the frames of the bundled capture at their full length, zeros where it cut them."""
    data = gzip.decompress((repo / "sensor" / "data" / "demo.pcap.gz").read_bytes())
    return [one.data.ljust(one.wire, b"\0") for one in frames(data)]


def strange() -> list[bytes]:
    """Return frames with tags, in PPPoE, in fragments, and the errors that hosts send about them."""
    made = []
    for host in HOSTS:
        for dress in DRESSES:
            made += [frame(dress, host, SERVER), frame(dress, SERVER, host)]
        made += [tagged(one.frame, 5) for one in connection(host, SERVER, (50000, 443))]
        made += [tagged(tagged(one.frame, 7), 6) for one in connection(host, SERVER, (50001, 443))]
        made += [one.frame for one in connection(host, SERVER, (50002, 443))]
    return made


def tagged(packet: bytes, vlan: int) -> bytes:
    return packet[:12] + b"\x81\0" + vlan.to_bytes(2, "big") + packet[12:]


@contextmanager
def tcpdump(cable: Cable, path: Path, expected: int) -> Iterator[None]:
    """Write what comes in into a file with tcpdump, until it has so many packets."""
    if not shutil.which("tcpdump"):
        pytest.skip("comparing with a capture file needs the command tcpdump")
    words = ("tcpdump", "-i", cable.interface, "-s", "256", "-B", "32768", "--time-stamp-precision=nano", "-n", "-q")
    command = cable.command("sensor", *words, "-U", "-Z", "root", "-c", str(expected), "-w", str(path))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert any("listening on" in line for line in process.stderr), "tcpdump did not begin"
        yield
        process.communicate(timeout=30)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()


def opened(cable: Cable, **options: Any) -> list[RingSource]:
    with cable.inside("sensor"):
        return open_rings(cable.interface, replace(CAPTURE, **options))


def flows_of(source: RingSource, silences: int = 3) -> tuple[Flows, Framing, FlowEngine]:
    """Assemble what comes until it has been silent for some rounds; closes the source."""
    engine, framing, quiet = FlowEngine(WIRE), Framing.ring(source.link_type, source.mtu), 0
    while quiet < silences:
        quiet = 0 if source.window else quiet + 1
        source.advance(engine.feed(source.window, framing))
        assert source.more()
        if not source.window and source.horizon_ns is not None:
            engine.tick(source.horizon_ns)
    engine.finish()
    flows = engine.take()
    assert source.counters["kernel_drops"] == 0
    source.close()
    assert not framing.corrupt
    return flows, framing, engine


def ordered(*parts: Flows) -> Flows:
    flows = np.concatenate(parts)
    return flows[np.lexsort((flows["part"], flows["flow_id"]))]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["demo", "strange"])
def test_flows_are_those_of_a_capture_file(cable: Cable, repo: Path, tmp_path: Path, kind, workers):
    sent = demo(repo) if kind == "demo" else strange()
    sources = opened(cable, workers=workers)
    with tcpdump(cable, tmp_path / "seen.pcap", len(sent)):
        assert cable.send(sent) == len(sent)
    expected = ordered(assemble((tmp_path / "seen.pcap").read_bytes(), WIRE))
    told = [flows_of(source) for source in sources]
    live = ordered(*(flows for flows, _, _ in told))
    assert sum(framing.records for _, framing, _ in told) == len(sent)
    assert sum(len(flows) > 0 for flows, _, _ in told) == workers
    assert len(live) == len(expected) > 100
    for field in expected.dtype.names or ():
        if field != "context":
            assert np.array_equal(live[field], expected[field]), field
    # Two hosts meet in one worker; what one host does with all others is told by each worker's share.
    for field in expected["context"].dtype.names or ():
        ours, theirs = live["context"][field], expected["context"][field]
        if workers == 1 or field.startswith("pair_"):
            assert np.array_equal(ours, theirs), field
        else:
            assert (theirs[ours > 0] > 0).all(), field


@pytest.mark.parametrize("workers", [1, 2])
def test_by_the_kernels_hash_connections_stay_whole_too(cable: Cable, workers):
    sent = [one.frame for host in HOSTS for one in connection(host, SERVER, (40000, 443))]
    sources = opened(cable, workers=workers, balance="flows")
    cable.send(sent)
    flows = ordered(*(flows_of(source)[0] for source in sources))
    assert len(flows) == len(HOSTS)
    assert set((flows["fwd"]["pkts"] + flows["bwd"]["pkts"]).tolist()) == {len(sent) // len(HOSTS)}


def test_the_kernel_puts_fragments_together_when_it_deals_by_flows(cable: Cable):
    whole = [frame("first fragment", host, SERVER) for host in HOSTS]
    (source,) = opened(cable, workers=1, balance="flows")
    cable.send(whole)
    alone, _, _ = flows_of(source)
    sources = opened(cable, workers=2, balance="flows")
    cable.send(whole)
    dealt = [flows_of(one)[0] for one in sources]
    assert len(alone) == len(HOSTS)
    assert sum(map(len, dealt)) == 0, "they wait in the kernel for the rest that never comes"


def test_a_tag_that_the_kernel_took_off_is_counted_again(cable: Cable):
    sent = [one.frame for one in connection("10.0.0.1", SERVER, (40000, 443))]
    (source,) = opened(cable)
    cable.send([tagged(one, 5) for one in sent] + [tagged(tagged(one, 8), 9) for one in sent] + sent)
    flows, _, _ = flows_of(source)
    shown = sorted((tuple(flow["vlan"][: flow["vlans"]].tolist()), int(flow["fwd"]["bytes"])) for flow in flows)
    plain = next(size for vlans, size in shown if not vlans)
    packets = int(flows["fwd"]["pkts"][0])
    assert shown == [((), plain), ((5,), plain + 4 * packets), ((9, 8), plain + 8 * packets)]


def test_frames_that_the_driver_joined_are_counted(cable: Cable):
    for side, interface, address in (
        ("sensor", cable.interface, "10.7.0.1/24"),
        ("far", cable.far_interface, "10.7.0.2/24"),
    ):
        cable.run(side, "ip", "address", "add", address, "dev", interface)  # type: ignore[arg-type]
        cable.run(side, "ethtool", "-K", interface, "tso", "on", "gso", "on")  # type: ignore[arg-type]
    (source,) = opened(cable)
    with cable.inside("sensor"):
        server = socket.create_server(("10.7.0.1", 5001))
    with cable.inside("far"):
        client = socket.create_connection(("10.7.0.1", 5001), 10)
    with server, client:
        answer, _ = server.accept()
        with answer:
            client.sendall(bytes(200_000))
            received = 0
            while received < 200_000:
                received += len(answer.recv(1 << 16))
    flows, framing, _ = flows_of(source)
    assert framing.oversized > 0
    (flow,) = flows[flows["proto"] == 6]
    assert flow["fwd"]["payload"] == 200_000, "their length is that on the wire, not that kept"


def test_a_long_silence_ends_flows(cable: Cable):
    (source,) = opened(cable)
    profile = replace(WIRE, tcp_new_ns=300_000_000)
    engine, framing = FlowEngine(profile), Framing.ring(source.link_type, source.mtu)
    cable.send([tcp("10.0.0.1", SERVER, (1, 2), 2)])
    for _ in range(30):
        source.advance(engine.feed(source.window, framing))
        source.more()
        if not source.window and source.horizon_ns is not None:
            engine.tick(source.horizon_ns)
        if engine.pending:
            break
    source.close()
    assert len(engine.take()) == 1
