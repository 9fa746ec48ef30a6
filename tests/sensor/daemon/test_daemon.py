"""A daemon's life with parts that are known: it runs, is told things, drains, and says what went wrong."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from sensor.config import Config, DaemonConfig, FlowsConfig
from sensor.daemon import daemon as module
from sensor.daemon.daemon import shared_out
from sensor.daemon.reload import Loaded
from sensor.daemon.requests import Request
from sensor.daemon.runstate import RunState
from sensor.errors import NettrusionError
from tests.packets import connection, pcap
from tests.sensor.daemon.parts import LOUD, QUIET, Endless, Told, asked, daemon, rulebook
from tests.sensor.known import RULES, KnownDetector
from tests.sensor.wire import Wire

BOTH = pcap(sorted([*LOUD, *QUIET], key=lambda one: one.time_ns))


def until(met: Callable[[], bool], then: Request) -> Callable[[float], Request | None]:
    """Return a source of requests that asks for something once something is so."""
    end_s = time.monotonic() + 30

    def request(timeout_s: float) -> Request | None:
        assert time.monotonic() < end_s
        if met():
            return then
        time.sleep(0.01)
        return None

    return request


def test_it_runs_until_its_sources_are_over_and_ends_in_order(tmp_path):
    made, sink = daemon(tmp_path / "r", [Wire([(1, BOTH)])])
    told = Told()
    assert made.run(told, RunState(None), asked()) == 0
    (alert,) = sink.events("alert")
    assert (alert["src_ip"], alert["in_iface"]) == ("10.0.0.1", "eth0")
    (stats,) = sink.events("stats")
    assert stats["stats"]["decoder"]["pkts"] == len(LOUD) + len(QUIET)
    assert told.words[0] == "READY=1"
    assert any(word.startswith("STOPPING=1") for word in told.words)


def test_told_to_stop_it_scores_what_is_open(tmp_path):
    opened = pcap(LOUD[:-3])
    made, sink = daemon(tmp_path / "r", [Endless([(1, opened)])])
    seen = until(lambda: made.readings.live() == 1, Request.STOP)
    assert made.run(Told(), RunState(None), seen) == 0
    (alert,) = sink.events("alert")
    assert alert["flow"]["pkts_toserver"] + alert["flow"]["pkts_toclient"] == len(LOUD) - 3


def test_an_alert_comes_as_soon_as_a_connection_closes_and_only_once(tmp_path):
    made, sink = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD))])])
    code = made.run(Told(), RunState(None), until(lambda: bool(sink.events("alert")), Request.STOP))
    assert code == 0
    assert len(sink.events("alert")) == 1
    assert made.readings.counters()["snapshots"] == 1


def test_two_sources_are_two_workers_that_share_the_flows_that_may_be_open(tmp_path):
    other = connection("10.9.0.1", "10.9.0.2", (40000, 80), rounds=10)
    made, sink = daemon(tmp_path / "r", [Wire([(1, pcap(LOUD))]), Wire([(1, pcap(other))])])
    assert made.run(Told(), RunState(None), asked()) == 0
    assert {event["src_ip"] for event in sink.events("alert")} == {"10.0.0.1", "10.9.0.1"}
    assert shared_out(FlowsConfig(max_flows=1000), 2).max_flows == 500
    assert shared_out(FlowsConfig(max_flows=100), 16).max_flows == 64


def test_what_ends_a_part_ends_the_daemon_with_an_error(tmp_path, caplog):
    class Broken(Wire):
        def more(self) -> bool:
            raise NettrusionError("eth0: is gone")

    made, _ = daemon(tmp_path / "r", [Broken([None]), Endless([None])])
    assert made.run(Told(), RunState(None), asked()) == 1
    assert "worker-wire-0 failed: eth0: is gone" in caplog.text


def test_a_writer_that_fails_ends_the_daemon_with_an_error(tmp_path, caplog):
    made, _ = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD))])])

    def broken(*arguments: object) -> None:
        raise MemoryError("no room")

    made.writer.scoring.detector.score = broken  # type: ignore[method-assign,assignment]
    assert made.run(Told(), RunState(None), asked()) == 1
    assert "writer failed: no room" in caplog.text


def test_a_drain_that_takes_too_long_is_cut_off_and_told(tmp_path, caplog):
    made, _ = daemon(tmp_path / "r", [Wire([(1, BOTH)])], replace(Config(), daemon=DaemonConfig(drain_s=1)))

    def slow(*arguments: object) -> None:
        time.sleep(3)

    made.writer.scoring.score = slow  # type: ignore[method-assign,assignment]
    assert made.run(Told(), RunState(None), asked(Request.STOP)) == 1
    assert "daemon.drain_s = 1 s were not enough" in caplog.text


def test_the_note_of_what_it_holds_is_there_while_it_runs_and_gone_after(tmp_path):
    path = tmp_path / "eth0.json"
    made, _ = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD[:5]))])])
    assert made.run(Told(), RunState(path), until(path.exists, Request.STOP)) == 0
    assert not path.exists()


def test_asked_for_a_summary_it_logs_one(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    made, _ = daemon(tmp_path / "r", [Endless([(1, BOTH)])])
    made.run(Told(), RunState(None), asked(Request.SUMMARY, Request.STOP))
    assert sum("lost by the kernel" in record.message for record in caplog.records) == 2


def test_the_watchdog_is_fed_only_while_every_part_moves(tmp_path, caplog):
    stuck = replace(Config(), daemon=DaemonConfig(stall_s=1))
    made, _ = daemon(tmp_path / "r", [Endless([None])], stuck)
    told = Told()
    told.watchdog_s = 1.0
    for thread in (made.writer, *made.workers):
        thread.is_alive = lambda: True  # type: ignore[method-assign]
    made._feed(told)
    fed = told.words.count("WATCHDOG=1")
    well = made.healthy
    made.writer.beat_s -= 100
    made._feed(told)
    made._feed(told)
    assert told.words.count("WATCHDOG=1") == fed
    assert (well, made.healthy) == (True, False)
    assert caplog.text.count("the watchdog is no longer fed") == 1


def test_a_reload_that_is_refused_changes_nothing_and_is_remembered(tmp_path, monkeypatch):
    made, _ = daemon(tmp_path / "r", [Endless([None])])
    before = (made.writer.scoring.detector, made.writer.scoring.rulebook)

    def refuse(*arguments: object) -> None:
        raise NettrusionError("a.rules:1: no")

    monkeypatch.setattr(module, "load_again", refuse)
    told = Told()
    assert not made.reload(told)
    assert (made.writer.scoring.detector, made.writer.scoring.rulebook) == before
    assert made.figures.reloads == {"ok": 0, "failed": 1}
    assert "reload refused: a.rules:1: no" in made.readings.status()


def test_a_reload_is_taken_over_by_the_writer(tmp_path, monkeypatch):
    made, _ = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD))])])
    fresh = rulebook(tmp_path / "fresh", RULES.replace("1000001", "1000002"))
    loaded = Loaded(made.config, KnownDetector(), fresh, ("flows.max_flows",))  # type: ignore[arg-type]
    monkeypatch.setattr(module, "load_again", lambda *arguments: loaded)
    code = made.run(Told(), RunState(None), asked(Request.RELOAD, Request.STOP))
    assert code == 0
    assert made.writer.scoring.rulebook is fresh
    assert made.figures.reloads == {"ok": 1, "failed": 0}


def test_the_watchdog_is_fed_while_a_reload_takes_long(tmp_path, monkeypatch):
    made, _ = daemon(tmp_path / "r", [Endless([None])])
    told = Told()
    told.watchdog_s = 1.0

    def slow(*arguments: object) -> Loaded:
        end_s = time.monotonic() + 5
        while told.words.count("WATCHDOG=1") < 2 and time.monotonic() < end_s:
            time.sleep(0.01)
        raise NettrusionError("a.rules:1: no")

    monkeypatch.setattr(module, "load_again", slow)
    monkeypatch.setattr(module, "TURN_S", 0.01)
    assert not made.reload(told)
    assert told.words.count("WATCHDOG=1") >= 2


def test_a_reload_that_fails_in_a_way_nobody_thought_of_is_refused_too(tmp_path, monkeypatch, caplog):
    made, _ = daemon(tmp_path / "r", [Endless([None])])

    def broken(*arguments: object) -> Loaded:
        raise RecursionError("too deep")

    monkeypatch.setattr(module, "load_again", broken)
    assert made.run(Told(), RunState(None), asked(Request.RELOAD, Request.STOP)) == 0
    assert made.figures.reloads == {"ok": 0, "failed": 1}
    assert "reload refused, the running model and rules stay in force: RecursionError: too deep" in caplog.text


def test_when_the_writer_has_failed_nobody_waits_for_it(tmp_path, caplog):
    config = replace(Config(), daemon=DaemonConfig(waiting_flows=1))
    others = [connection("10.0.0.1", f"10.0.1.{number}", (40000, 80))[:4] for number in range(9)]
    opened = pcap(sorted([packet for other in others for packet in other], key=lambda one: one.time_ns))
    made, _ = daemon(tmp_path / "r", [Endless([(1, pcap(LOUD)), (2, opened)])], config)
    made.writer.error = MemoryError("no room")
    made.writer.run = lambda: None  # type: ignore[method-assign]
    begun_s = time.monotonic()
    assert made.run(Told(), RunState(None), asked()) == 1
    assert time.monotonic() - begun_s < config.daemon.drain_s / 2
    assert "writer failed: no room" in caplog.text


def test_what_a_late_end_cost_is_told_apart_from_what_was_shed_before(tmp_path, caplog):
    made, _ = daemon(tmp_path / "r", [Wire([(1, BOTH)])], replace(Config(), daemon=DaemonConfig(drain_s=1)))
    made.waiting.shed = 5000
    made.writer.scoring.said.flows = -5000

    def slow(*arguments: object) -> None:
        time.sleep(3)

    made.writer.scoring.score = slow  # type: ignore[method-assign,assignment]
    assert made.run(Told(), RunState(None), asked(Request.STOP)) == 1
    assert "about 4 flows were not scored" in caplog.text  # two connections, each told as it closed and once more


def test_a_disk_that_takes_no_note_holds_nothing_up(tmp_path):
    told = Told()
    told.watchdog_s = 1.0
    fed: list[int] = []

    class Stalled(RunState):
        def note(self, facts: Mapping[str, int]) -> None:
            end_s = time.monotonic() + 3
            while told.words.count("WATCHDOG=1") < 5 and time.monotonic() < end_s:
                time.sleep(0.01)
            fed.append(told.words.count("WATCHDOG=1"))

    made, _ = daemon(tmp_path / "r", [Endless([None])])
    assert made.run(told, Stalled(None), until(lambda: bool(fed), Request.STOP)) == 0
    assert fed[0] >= 5
