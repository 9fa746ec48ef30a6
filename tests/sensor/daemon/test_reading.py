"""What a daemon says of itself adds up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from sensor.config import Config, StatsConfig
from sensor.daemon.runstate import RunState
from tests.packets import BASE_NS, Timed, ethernet, pcap
from tests.sensor.daemon.parts import LOUD, QUIET, Endless, Told, asked, daemon
from tests.sensor.wire import Wire

BOTH = pcap(sorted([*LOUD, *QUIET], key=lambda one: one.time_ns))


class Counted(Wire):
    """A wire whose kernel counted."""

    counters: ClassVar[Mapping[str, int]] = {"kernel_packets": 40, "kernel_drops": 3}


def test_figures_are_those_of_all_workers(tmp_path):
    made, _ = daemon(tmp_path / "r", [Counted([(1, BOTH)]), Counted([(1, pcap(QUIET))])])
    made.run(Told(), RunState(None), asked())
    figures = made.figures
    assert figures.counters["packets"] == len(LOUD) + 2 * len(QUIET)
    assert figures.interfaces == {"wire": {"kernel_packets": 80, "kernel_drops": 6, "oversized": 0, "up": 1}}
    assert figures.alerts == {"dos": 1}
    assert (figures.live_flows, figures.waiting_flows, figures.flows_unscored) == (0, 0, 0)
    assert figures.sinks["kept"]["lines"] == 2
    assert figures.model[:2] == ("known", "1")


def test_the_summary_and_the_status_name_what_matters(tmp_path):
    made, _ = daemon(tmp_path / "r", [Counted([(1, BOTH)])])
    made.run(Told(), RunState(None), asked())
    summary = made.readings.summary()
    assert "model known 1" in summary
    assert "lost by the kernel 3" in summary
    assert "alerts 1, updates 0; dos 1" in summary
    assert "output kept: lines 2" in summary
    assert made.readings.status().endswith("3 lost by the kernel; 4 flows scored, 0 open; 1 alerts")


def test_stats_carry_what_the_kernel_counted(tmp_path):
    made, sink = daemon(tmp_path / "r", [Counted([(1, BOTH)])])
    made.run(Told(), RunState(None), asked())
    (stats,) = sink.events("stats")
    assert stats["stats"]["capture"] == {"kernel_packets": 40, "kernel_drops": 3}
    assert stats["in_iface"] == "eth0"


def test_stats_can_be_off(tmp_path):
    made, sink = daemon(tmp_path / "r", [Wire([(1, BOTH)])], replace(Config(), stats=StatsConfig(enabled=False)))
    made.run(Told(), RunState(None), asked())
    assert sink.events("stats") == []


def test_anomalies_are_written_as_they_come(tmp_path):
    torn = Timed(BASE_NS, ethernet(b"\x45"))
    made, sink = daemon(tmp_path / "r", [Endless([(1, pcap([torn, *QUIET]))])])
    made.writer.turn(0)
    while made.workers[0].assembly.engine.counters["packets"] == 0:
        made.workers[0].assembly.step()
    made.readings._anomalies_s = 0
    made.readings.write_due()
    (event,) = sink.events("anomaly")
    assert event["anomaly"]["event"] == "decoder.ipv4.pkt_too_small"


def test_what_an_abrupt_end_would_cost(tmp_path):
    made, _ = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD[:5]))])])
    while made.readings.live() == 0:
        made.workers[0].assembly.step()
    assert made.readings.held() == {"live_flows": 1, "waiting_flows": 0, "queued_lines": 0}


def test_what_was_lost_is_logged_at_the_end_at_the_latest(tmp_path, caplog):
    made, _ = daemon(tmp_path / "r", [Counted([(1, BOTH)])])
    made.run(Told(), RunState(None), asked())
    assert "3 packets were lost by the kernel" in caplog.text


def test_a_folder_is_one_place_whatever_file_of_it_is_read(tmp_path):
    class Folder(Wire):
        def more(self) -> bool:
            self.name = f"/captures/{len(self._windows)}.pcap"
            return super().more()

    made, _ = daemon(tmp_path / "r", [Folder([(1, pcap(LOUD)), (2, pcap(QUIET))])])
    made.run(Told(), RunState(None), asked())
    assert list(made.figures.interfaces) == ["wire"]
