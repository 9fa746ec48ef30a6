"""`nettrusion score`, as an analyst meets it: a folder of captures, a flag too many, a file cut short."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sensor.scoring
from sensor.cli import main
from tests.packets import connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES, KnownDetector

CONTENT = pcap(connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10))
PACKETS = 26
LOAD_DETECTOR = sensor.scoring.load_detector


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a capture and rules, with a detector whose word is known."""
    (tmp_path / "a.pcap").write_bytes(CONTENT)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules").write_text(RULES)
    (tmp_path / "rules" / "classification.config").write_text(CLASSIFICATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sensor.scoring, "load_detector", lambda config: KnownDetector())
    return tmp_path


def score(*args: str) -> int:
    return main(["score", "--rules", "rules", *args])


def events(path: str = "eve.json") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def kinds(path: str = "eve.json") -> list[str]:
    return [event["event_type"] for event in events(path)]


def test_a_capture_becomes_alerts_and_a_closing_table(capsys):
    assert score("a.pcap") == 0
    assert kinds() == ["alert", "stats"]
    said = capsys.readouterr()
    assert said.err == ""
    shown = {line.split()[0]: line.split()[1:] for line in said.out.splitlines()}
    assert shown["packets"][0] == str(PACKETS)
    assert shown["flows"] == ["1"]
    assert shown["alerts"] == ["1"]
    assert shown["events"] == ["2", "lines", "in", "eve.json"]
    assert "speed" in shown


def test_flows_are_written_too_when_asked():
    assert score("a.pcap", "--flows") == 0
    assert kinds() == ["alert", "flow", "stats"]


def test_the_table_names_each_alert_with_its_reasons(capsys):
    assert score("a.pcap", "--table") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["time", "(UTC)", "source", "destination", "sev", "score", "signature"]
    assert "10.0.0.1:40000" in lines[1]
    assert "0.950  much traffic" in lines[1]
    assert [line[:4] for line in lines[2:5]] == ["    "] * 3
    assert lines[5] == ""


def test_a_run_begins_its_file_anew_and_repeats_byte_for_byte():
    assert score("a.pcap", "--flows") == 0
    first = Path("eve.json").read_bytes()
    assert score("a.pcap", "--flows") == 0
    assert Path("eve.json").read_bytes() == first


def test_several_captures_make_one_file_of_events():
    Path("b.pcap.gz").write_bytes(gzip.compress(CONTENT))
    assert score("a.pcap", "b.pcap.gz", "-o", "all.json") == 0
    assert [event.get("pcap_filename") for event in events("all.json") if event["event_type"] == "alert"] == [
        "a.pcap",
        "b.pcap.gz",
    ]


def test_events_on_standard_output_are_alone_there():
    script = (
        "import sys, sensor.scoring, sensor.cli\n"
        "from tests.sensor.known import KnownDetector\n"
        "sensor.scoring.load_detector = lambda config: KnownDetector()\n"
        "sys.exit(sensor.cli.main(['score', '-', '-o', '-', '--rules', 'rules']))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", script], input=CONTENT, capture_output=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["event_type"] for line in done.stdout.splitlines()] == ["alert", "stats"]
    assert b"packets     26" in done.stderr


def test_a_file_cut_short_is_a_warning_and_no_error(capsys):
    Path("cut.pcap").write_bytes(CONTENT[:-7])
    assert score("cut.pcap") == 0
    said = capsys.readouterr()
    assert said.err.startswith("nettrusion: warning: cut.pcap: is cut short")
    assert f"its {PACKETS - 1} whole packets were read" in said.err


@pytest.mark.parametrize("cut", [30, 200])
def test_a_compressed_file_cut_short_gives_what_is_there(cut, capsys):
    Path("cut.pcap.gz").write_bytes(gzip.compress(CONTENT, 0)[:-cut])
    assert score("cut.pcap.gz") == 0
    said = capsys.readouterr()
    assert "warning: cut.pcap.gz: the gzip data ends early" in said.err
    assert events()[-1]["stats"]["decoder"]["pkts"] > 20


def test_one_bad_capture_does_not_keep_the_others_from_being_scored(capsys):
    Path("empty.pcap").touch()
    Path("text.pcap").write_text("no capture")
    assert score("empty.pcap", "a.pcap", "text.pcap", "missing.pcap", ".") == 1
    assert "alert" in kinds()
    err = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in err] == ["empty.pcap", "text.pcap", "missing.pcap", "."]
    assert all(line.startswith("nettrusion: ") for line in err)


def test_a_capture_is_never_overwritten(capsys):
    assert score("a.pcap", "-o", "a.pcap") == 1
    assert "is one of the captures" in capsys.readouterr().err
    Path("b.pcap").write_bytes(CONTENT)
    assert score("a.pcap", "-o", "b.pcap") == 1
    assert "holds no events" in capsys.readouterr().err
    assert score("a.pcap", "--set", "stats.path=b.pcap") == 1
    assert "holds no events" in capsys.readouterr().err
    assert Path("a.pcap").read_bytes() == Path("b.pcap").read_bytes() == CONTENT


def test_the_table_and_the_events_cannot_share_an_output(capsys):
    assert score("a.pcap", "-o", "-", "--table") == 1
    assert "name a file with -o" in capsys.readouterr().err


def test_flags_are_above_the_file_and_set_is_above_its_keys(capsys):
    Path("s.toml").write_text('[sensor]\nname = "gw"\n[output]\npath = "from-file.json"\nfeatures = 1\n')
    assert score("a.pcap", "--config", "s.toml", "--set", "output.features=2") == 0
    (alert, _) = events("from-file.json")
    assert alert["host"] == "gw"
    assert len(alert["alert"]["metadata"]["ml_features"]) == 2
    assert score("a.pcap", "--config", "s.toml", "-o", "flag.json") == 0
    assert kinds("flag.json") == ["alert", "stats"]


def test_stats_can_have_a_file_of_their_own():
    assert score("a.pcap", "--set", "stats.path=stats.json") == 0
    assert kinds() == ["alert"]
    assert kinds("stats.json") == ["stats"]


def test_a_threshold_above_the_score_silences_the_alert():
    assert score("a.pcap", "--set", "detector.threshold=0.99") == 0
    assert kinds() == ["stats"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("a.pcap", "--set", "flows.max_flow=9"), "do you mean flows.max_flows?"),
        (("a.pcap", "--config", "missing.toml"), "missing.toml: cannot read the configuration"),
        (("a.pcap", "--rules", "missing"), "missing"),
        (("a.pcap", "-o", "no/such/folder/eve.json"), "no/such/folder"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_1(args, says, capsys):
    assert score(*args) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert said.err.count("nettrusion: ") == 1


def test_nothing_to_score_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as left:
        score()
    assert left.value.code == 2
    assert "CAPTURE" in capsys.readouterr().err


def test_stats_with_a_file_of_their_own_that_is_not_their_own_are_refused(capsys):
    assert score("a.pcap", "--set", "stats.path=./eve.json") == 1
    assert "stats.path" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system, a disk that is always full")
def test_events_that_could_not_be_written_are_an_error(capsys):
    assert score("a.pcap", "-o", "/dev/full") == 1
    assert "could not be written" in capsys.readouterr().err


def test_a_model_without_the_signature_that_is_asked_for_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sensor.scoring, "load_detector", LOAD_DETECTOR)
    Path("signers").write_text("nettrusion ssh-ed25519 " + "A" * 68 + "\n")
    assert score("a.pcap", "--set", "detector.signers=signers") == 1
    assert "model.onnx.sig" in capsys.readouterr().err
