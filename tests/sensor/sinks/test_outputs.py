"""Several outputs at once, each with its kinds of events, as the configuration names them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sensor.config import Config, OutputConfig, SensorConfig, SinkConfig, StatsConfig, load
from sensor.errors import NettrusionError
from sensor.sinks import FileSink, Outputs, QueuedSink
from tests.sensor.sinks.waiting import Memory, event, events, until


def config(tmp_path: Path, sinks: dict[str, SinkConfig] | None = None, *, flows: bool = False, **more: Any) -> Config:
    output = OutputConfig(path=str(tmp_path / "eve.json"), mode="0600", flow_events=flows)
    return replace(Config(), output=output, sinks=sinks or {}, **more)


def test_each_sink_gets_its_kinds(tmp_path: Path):
    paths = {name: tmp_path / name for name in ("alerts", "all", "stats")}
    sinks = {
        "alerts": SinkConfig(type="file", path=str(paths["alerts"]), events=("alert", "anomaly")),
        "all": SinkConfig(type="file", path=str(paths["all"])),
        "stats": SinkConfig(type="file", path=str(paths["stats"]), events=("stats",), flush_ms=50),
    }
    outputs = Outputs.open(config(tmp_path, sinks, flows=True))
    for number, kind in enumerate(("alert", "flow", "stats", "anomaly")):
        assert outputs.wants(kind)  # type: ignore[arg-type]
        outputs.write(kind, [event(number, kind)])  # type: ignore[arg-type]
    outputs.flush()
    outputs.close()
    assert {name: path.read_bytes().count(b"\n") for name, path in paths.items()} == {"alerts": 2, "all": 4, "stats": 1}
    assert paths["alerts"].read_bytes() == event(0, "alert") + event(3, "anomaly")
    assert outputs.counters["all"]["lines"] == 4


def test_without_sinks_there_is_the_file_of_the_output(tmp_path: Path):
    outputs = Outputs.open(config(tmp_path))
    assert [outputs.wants(kind) for kind in ("alert", "anomaly", "flow", "stats")] == [True, True, False, True]
    outputs.write("alert", events(2))
    outputs.write("flow", events(2))
    outputs.close()
    path = tmp_path / "eve.json"
    assert path.read_bytes() == b"".join(events(2))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(outputs.counters) == ["output"]


def test_flow_events_and_stats_go_where_the_output_says(tmp_path: Path):
    outputs = Outputs.open(config(tmp_path, flows=True, stats=StatsConfig(path=str(tmp_path / "stats.json"))))
    outputs.write("flow", events(1))
    outputs.write("stats", events(1, 1))
    outputs.close()
    assert (tmp_path / "eve.json").read_bytes() == event(0)
    assert (tmp_path / "stats.json").read_bytes() == event(1)


@pytest.mark.parametrize("sinks", [{}, {"out": SinkConfig(type="stdout")}], ids=["file", "sinks"])
def test_what_is_not_made_is_not_wanted(tmp_path: Path, sinks: dict[str, SinkConfig]):
    outputs = Outputs.open(config(tmp_path, sinks, stats=StatsConfig(enabled=False)))
    assert [outputs.wants(kind) for kind in ("alert", "anomaly", "flow", "stats")] == [True, True, False, False]
    outputs.close()


def test_a_file_of_its_own_for_stats_does_not_go_with_sinks(tmp_path: Path):
    sinks = {"out": SinkConfig(type="stdout")}
    with pytest.raises(NettrusionError, match=r"stats.path: does not go with \[sinks\]"):
        Outputs.open(config(tmp_path, sinks, stats=StatsConfig(path="stats.json")))


def test_one_bad_sink_closes_the_others_and_is_named(tmp_path: Path):
    sinks = {
        "good": SinkConfig(type="file", path=str(tmp_path / "good")),
        "bad": SinkConfig(type="file", path=str(tmp_path / "missing" / "eve.json")),
    }
    with pytest.raises(NettrusionError, match=r"sinks\.bad: cannot write .*there is no directory"):
        Outputs.open(config(tmp_path, sinks))


def test_a_slow_sink_holds_up_no_other(tmp_path: Path):
    stalled, quick = Memory(), Memory()
    stalled.open.clear()
    outputs = Outputs(
        [
            ("stalled", QueuedSink("stalled", stalled, queue_bytes=1000), frozenset({"flow"})),
            ("quick", QueuedSink("quick", quick), frozenset({"flow"})),
        ]
    )
    outputs.write("flow", events(1000))
    until(lambda: quick.got == events(1000))
    assert outputs.counters["stalled"]["dropped_lines"] > 900
    outputs.close(0.1)
    assert stalled.got == []
    assert outputs.counters["stalled"]["dropped_lines"] == 1000


def test_the_end_of_a_stalled_sink_takes_no_time_from_the_others():
    stalled, held = Memory(), Memory()
    stalled.open.clear()
    outputs = Outputs(
        [
            ("stalled", QueuedSink("stalled", stalled), frozenset({"flow"})),
            ("held", QueuedSink("held", held, hold_s=3600), frozenset({"flow"})),
        ]
    )
    until(lambda: outputs.counters["held"]["connected"])
    outputs.write("flow", events(5000))
    outputs.close(0.2)
    assert held.got == events(5000)
    assert outputs.counters["stalled"]["dropped_lines"] == 5000


def test_reopening_reaches_every_sink(tmp_path: Path):
    memory, path = Memory(), tmp_path / "eve.json"
    plain = FileSink(path)
    outputs = Outputs(
        [("memory", QueuedSink("memory", memory), frozenset({"alert"})), ("file", plain, frozenset({"alert"}))]
    )
    outputs.write("alert", events(1))
    moved = path.rename(tmp_path / "moved")
    until(lambda: memory.got)
    outputs.reopen()
    outputs.write("alert", events(1, 1))
    outputs.close()
    assert (moved.read_bytes(), path.read_bytes()) == (event(0), event(1))
    assert memory.got == events(2)
    assert "reopen" in memory.events


def test_the_tables_of_a_file_become_sinks(tmp_path: Path):
    toml = tmp_path / "sensor.toml"
    toml.write_text(
        f"""
        [sinks.local]
        type = "file"
        path = "{tmp_path}/eve.json"
        events = ["alert"]

        [sinks.siem]
        type = "syslog"
        path = "{tmp_path}/nobody"
        """
    )
    outputs = Outputs.open(load(toml).config)
    outputs.write("alert", events(1))
    outputs.close(1)
    assert (tmp_path / "eve.json").read_bytes() == event(0)
    assert outputs.counters["siem"]["dropped_lines"] == 1


def test_the_name_of_the_sensor_is_in_what_syslog_gets(tmp_path: Path):
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(20)
        sinks = {"siem": SinkConfig(type="syslog", path=str(tmp_path / "log"))}
        outputs = Outputs.open(config(tmp_path, sinks, sensor=SensorConfig(name="gw7")))
        outputs.write("alert", [event(1, "alert", severity=3)])
        assert b" gw7 nettrusion " in server.recv(65536)
        outputs.close()
