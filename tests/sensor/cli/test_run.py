"""`nettrusion run` as its user starts it: a folder that fills, signals, and what keeps it from starting."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sensor.cli import main
from sensor.cli.run import assemble, start_log
from sensor.errors import NettrusionError
from tests.packets import connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES
from tests.sensor.wire import Wire

PATIENCE_S = 60.0
SHIPPED = (
    'alert ip any any -> any any (msg:"scan"; flowbits:isset,ml.scan; classtype:denial-of-service; sid:1000009;)\n'
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules").write_text(SHIPPED)
    (tmp_path / "rules" / "classification.config").write_text(CLASSIFICATION)
    (tmp_path / "sensor.toml").write_text('[rules]\ndirectory = "rules"\n[output]\nflow_events = true\n')
    return tmp_path


@contextmanager
def running(place: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start it on a folder and wait until it listens."""
    command = (sys.executable, "-m", "sensor.cli", "run", "-c", "sensor.toml", "--follow", "in", *words)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "STATE_DIRECTORY": str(place)}
    log = (place / "log").open("a+")
    with log, subprocess.Popen(command, cwd=place, env=env, stderr=log, text=True) as process:
        try:
            wait(lambda: "listening on" in said(place) or process.poll() is not None)
            yield process
        finally:
            process.kill()


def wait(met: Callable[[], object]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < until_s
        time.sleep(0.02)


def said(place: Path) -> str:
    return (place / "log").read_text()


def events(place: Path, kind: str) -> list[dict[str, object]]:
    path = place / "eve.json"
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["event_type"] == kind]


def test_a_folder_is_read_until_it_is_told_to_stop(place):
    with running(place) as process:
        (place / "in" / "1.pcap").write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (40000, 80), time.time_ns())))
        wait(lambda: events(place, "flow"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, said(place)
    assert len(events(place, "flow")) == 1
    assert len(events(place, "stats")) == 1
    assert [path.name for path in place.glob("*.json")] == ["eve.json"], "the note of what it holds is gone"


def test_a_reload_takes_new_rules_and_refuses_broken_ones(place):
    with running(place) as process:
        rules = place / "rules" / "a.rules"
        rules.write_text("alert nonsense\n")
        process.send_signal(signal.SIGHUP)
        wait(lambda: "reload refused" in said(place))
        assert "a.rules:1" in said(place)
        rules.write_text(SHIPPED + RULES)
        process.send_signal(signal.SIGHUP)
        wait(lambda: "reloaded: " in said(place))
        assert "2 rules" in said(place).rpartition("reloaded: ")[2]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def test_the_output_file_is_begun_anew_after_a_rotation(place):
    with running(place) as process:
        wait((place / "eve.json").exists)
        (place / "eve.json").rename(place / "eve.json.1")
        process.send_signal(signal.SIGHUP)
        wait((place / "eve.json").exists)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    assert len(events(place, "stats")) == 1


def test_a_summary_is_logged_when_asked_for(place):
    with running(place) as process:
        process.send_signal(signal.SIGUSR1)
        wait(lambda: "lost by the kernel" in said(place))
        assert process.poll() is None


def test_after_an_abrupt_end_the_next_start_says_what_was_lost(place):
    with running(place) as process:
        wait(lambda: any(path.name != "eve.json" for path in place.glob("*.json")))
        process.kill()
        process.wait()
    with running(place):
        wait(lambda: "did not end in order" in said(place))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no interface to listen on; name one with -i"),
        (("-i", "no-such-interface0"), "no-such-interface0"),
        (("--follow", "."), "selftest failed"),
        (("-c", "missing.toml"), "missing.toml: cannot read the configuration"),
        (("--set", "capture.ring=1"), "capture.ring_mb"),
    ],
)
def test_what_keeps_it_from_starting_is_a_sentence_and_an_exit_code(place, words, sentence):
    (place / "empty").mkdir()
    (place / "empty" / "a.rules").write_text("# no rule\n")
    mute = ("--set", "rules.directory=empty") if "--follow" in words else ()
    command = (sys.executable, "-m", "sensor.cli", "run", *words, *mute)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_help_names_every_way_to_listen(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = capsys.readouterr().out
    assert all(word in told for word in ("--interface", "--source", "--follow", "SIGHUP"))


def test_in_the_journal_every_line_has_its_priority(monkeypatch, capsys):
    import logging

    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        start_log(verbose=False)
        logging.getLogger("a").warning("one\ntwo")
        logging.getLogger("a").debug("unheard")
    finally:
        root.handlers, root.level = handlers, level
    assert capsys.readouterr().err == "<4>one\n<4>two\n"


def test_what_was_opened_is_closed_again_when_the_start_fails(place, monkeypatch):
    closed = []

    class Closing(Wire):
        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr("sensor.daemon.opening.open_sources", lambda *arguments, **options: [Closing([None])])
    monkeypatch.chdir(place)
    overrides = ["rules.directory=rules", "metrics.listen=unix:/nowhere/metrics.sock"]
    args = argparse.Namespace(overrides=overrides, config=None, interface=[], source=None, follow=None, new_only=False)
    threads = set(threading.enumerate())
    with pytest.raises(NettrusionError, match="metrics cannot listen"):
        assemble(args)
    assert closed == [True]
    assert set(threading.enumerate()) == threads
