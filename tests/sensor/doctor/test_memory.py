"""What the configuration may need against what there is."""

from dataclasses import replace

import pytest

from sensor.doctor.memory import BASE_BYTES, FLOW_BYTES, HOSTS_BYTES, check_memory, needed_bytes
from sensor.flows import FLOW_DTYPE, PROFILES, FlowEngine, Framing
from tests.packets import BASE_NS, Timed, pcap, udp
from tests.sensor.doctor.made import only, scene


def meminfo(total_mib, available_mib):
    return {"/proc/meminfo": f"MemTotal: {total_mib << 10} kB\nMemAvailable: {available_mib << 10} kB\n"}


def test_the_sum(tmp_path):
    sizes = ("flows.max_flows=1000", "daemon.waiting_flows=2000")
    made = scene(tmp_path, "capture.workers=2", "capture.interfaces=a,b", *sizes)
    flows = 1000 * FLOW_BYTES + 2000 * FLOW_DTYPE.itemsize
    assert needed_bytes(made) == BASE_BYTES + flows + 4 * HOSTS_BYTES + (4 * 64 + 16 << 20)
    queues = scene(tmp_path, "capture.source=scapy", "sinks.a.type=stdout", "sinks.b.type=stdout", "sinks.b.queue_mb=4")
    assert needed_bytes(queues) - needed_bytes(scene(tmp_path, "capture.source=scapy")) == 4 << 20


@pytest.mark.parametrize(
    ("total", "available", "outcome"), [(8000, 4000, "ok"), (8000, 100, "warning"), (200, 100, "fail")]
)
def test_what_there_is(tmp_path, total, available, outcome):
    finding = only(check_memory, scene(tmp_path, files=meminfo(total, available)))
    assert finding.outcome == outcome
    assert f"{total if outcome == 'fail' else available:,} MiB" in finding.found


def test_the_control_groups_limit_counts(tmp_path):
    files = {
        "/proc/self/cgroup": "3:memory:/x\n0::/system.slice/n.service\n",
        "/sys/fs/cgroup/system.slice/n.service/memory.max": f"{100 << 20}\n",
    }
    assert only(check_memory, scene(tmp_path, files=meminfo(8000, 4000) | files)).outcome == "fail"


def test_a_machine_that_does_not_tell(tmp_path):
    assert only(check_memory, scene(tmp_path)).outcome == "note"


@pytest.mark.parametrize("context", [False, True])
def test_a_flow_and_its_hosts_take_what_is_said(context):
    flows = 20_000
    engine = FlowEngine(replace(PROFILES["wire"], context=context), max_flows=flows)
    capture = pcap(
        Timed(BASE_NS + n, udp(f"10.0.{n >> 8}.{n & 255}", "10.9.9.9", (1024, 53))) for n in range(flows)
    )
    framing = Framing.sniff(capture[:4])
    engine.feed(capture, framing)
    assert engine.live == flows
    hosts = HOSTS_BYTES if context else 0
    assert 0.6 * FLOW_BYTES < engine.memory_bytes / flows < 1.1 * FLOW_BYTES + hosts / flows
    assert engine.memory_bytes > 0.9 * flows * FLOW_BYTES + hosts / 3
