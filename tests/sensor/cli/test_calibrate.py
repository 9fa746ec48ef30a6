"""`nettrusion calibrate` on the bundled capture and on the events of it, with the model that ships."""

import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from sensor.calibration import read_calibration
from sensor.cli import main
from sensor.cli.finding import address, rate
from sensor.cli.finding import hours as hours_text
from sensor.scoring import MODEL
from tests.sensor.traffic.made import line

DEMO = str(MODEL.parent / "demo.pcap.gz")


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the events of the bundled capture."""
    path = tmp_path_factory.mktemp("eve") / "eve.json"
    assert main(["score", "--flows", "-o", str(path), DEMO]) == 0
    return path


@pytest.fixture(scope="module")
def hours(eve: Path) -> float:
    """Return how long the bundled capture is."""
    events = [json.loads(text) for text in eve.read_text().splitlines()]
    starts = [event["flow"]["start"] for event in events if event["event_type"] == "flow"]
    ends = [event["timestamp"] for event in events if event["event_type"] == "flow"]
    first, last = min(starts), max(ends)
    seconds = [int(text[11:13]) * 3600 + int(text[14:16]) * 60 + float(text[17:26]) for text in (first, last)]
    return (seconds[1] - seconds[0]) / 3600


@pytest.fixture(scope="module")
def usual(eve: Path) -> int:
    """Return how many alerts the bundled capture makes by the model's own threshold: a budget that can be kept."""
    return len(alerts(eve))


def budget(alerts: float, hours: float) -> str:
    """Return a budget that allows so many alerts in the bundled capture."""
    return f"{math.ceil((alerts + 0.5) / hours)}/hour"


@pytest.fixture
def found(capsys: pytest.CaptureFixture[str]):
    """Return what a call prints as JSON."""

    def run(*args: str) -> dict[str, Any]:
        capsys.readouterr()
        main(["calibrate", "--json", *args])
        made: dict[str, Any] = json.loads(capsys.readouterr().out)
        return made

    return run


def alerts(path: Path) -> list[dict[str, Any]]:
    """Return the alerts in a file, without later words on them."""
    events = [json.loads(text) for text in path.read_text().splitlines()]
    return [
        event for event in events if event["event_type"] == "alert" and "ml_score_ppm" in event["metadata"]["flowints"]
    ]


@pytest.mark.parametrize("part", [0.5, 1])
def test_the_budget_is_kept_when_the_traffic_is_scored_again(tmp_path, found, hours, usual, part):
    path = tmp_path / "c.json"
    allowed = max(1, int(usual * part))
    made = found("--budget", budget(allowed, hours), "-o", str(path), DEMO)
    assert 0 < made["alerts"] <= allowed
    use = ["--set", "detector.threshold=calibrated", "--set", f"detector.calibration={path}"]
    assert main(["score", "-o", str(tmp_path / "eve.json"), *use, DEMO]) == 0
    told = alerts(tmp_path / "eve.json")
    assert len(told) == made["alerts"]
    assert {event["alert"]["metadata"]["ml_threshold"][0] for event in told} == {f"{made['threshold']:.6g}"}
    assert sum(made["alerts_by_class"].values()) == made["alerts"]
    check = made["check"]
    assert check["hours"] == pytest.approx(made["hours"] / 2)
    assert check["alerts_per_day"] == pytest.approx(check["alerts"] / check["hours"] * 24)
    assert check["upper_per_day"] > check["alerts_per_day"]


# Without early records a flow is scored once, at its end, and events tell that score.
LATE = ("--set", "flows.snapshot_closed=false", "--set", "flows.snapshot_pkts=0")


def test_captures_and_events_agree_and_a_larger_budget_has_no_higher_threshold(found, hours, usual, tmp_path):
    late = tmp_path / "eve.json"
    assert main(["score", "--flows", "-o", str(late), *LATE, DEMO]) == 0
    packed = tmp_path / "eve.json.1.gz"
    packed.write_bytes(gzip.compress(late.read_bytes()))
    thresholds = []
    for allowed in (0, usual // 4, usual // 2, usual):
        of_capture, of_events = (
            found("-n", *LATE, "--budget", budget(allowed, hours), traffic) for traffic in (DEMO, str(packed))
        )
        for key in ("threshold", "alerts", "flows", "alerts_by_class", "upper_per_day", "certain"):
            assert of_capture[key] == of_events[key], key
        # None stands for a score above every other.
        thresholds.append(1.0 if of_capture["threshold"] is None else of_capture["threshold"])
    assert thresholds == sorted(thresholds, reverse=True) and thresholds[0] > thresholds[-1]


def test_of_early_records_events_tell_those_that_alerted(eve, found, hours, usual):
    """Captures know the score of every early record. Where a model scores the flow's end lower, events know less."""
    for allowed in (max(1, usual // 2), usual):
        of_capture, of_events = (found("-n", "--budget", budget(allowed, hours), on) for on in (DEMO, str(eve)))
        assert of_events["flows"] == of_capture["flows"]
        assert 0 < of_events["alerts"] <= allowed


def test_a_person_reads_what_was_found_and_what_to_do(tmp_path, capsys, hours, usual):
    path = tmp_path / "c.json"
    assert main(["calibrate", "--budget", budget(usual, hours), "-o", str(path), DEMO]) == 0
    said = capsys.readouterr().out
    for words in ("flows in ", "Garwood 1936", "checked      chosen on the earlier half", "certified", "\n* "):
        assert words in said
    assert f"written      {path}" in said and 'detector.threshold = "calibrated"' in said


def test_too_little_time_is_said_with_how_much_is_needed(capsys):
    main(["calibrate", "-n", "--budget", "20/day", DEMO])
    assert re.search(r"cannot be certified: [0-9.]+ min seen; at least 3\.6 h needed", capsys.readouterr().out)


def test_a_threshold_that_the_sensor_would_not_start_with_is_not_written(tmp_path, capsys):
    path = tmp_path / "c.json"
    assert main(["calibrate", "--budget", "1/week", "-o", str(path), DEMO]) == 1
    said = capsys.readouterr()
    # One of the two, as the model's highest scores are.
    assert "nothing was written" in said.err or "no threshold keeps 1/week" in said.err
    assert "An attack among them raises it: --leave-out" in said.out
    assert not path.exists()


def test_a_dry_run_writes_nothing(tmp_path, hours, usual):
    path = tmp_path / "c.json"
    assert main(["calibrate", "-n", "--budget", budget(usual, hours), "-o", str(path), DEMO]) == 0
    assert not path.exists()


def test_the_place_is_that_of_the_configuration_and_beside_a_model_of_one_s_own(tmp_path, hours, usual, capsys):
    model = tmp_path / "own.onnx"
    model.write_bytes(MODEL.read_bytes())
    assert main(["calibrate", "--budget", budget(usual, hours), "--model", str(model), DEMO]) == 0
    made = read_calibration(tmp_path / "own.onnx.calibration.json", json.loads(_json(tmp_path))["sha256"])
    assert made.alerts <= usual
    given = ["--set", f"detector.calibration={tmp_path}/x.json", "--set", "detector.threshold=calibrated"]
    assert main(["calibrate", "--budget", budget(usual, hours), *given, DEMO]) == 0
    assert (tmp_path / "x.json").exists()
    assert "sensor.toml" not in capsys.readouterr().out.rpartition("written")[2]


def _json(folder: Path) -> str:
    return (folder / "own.onnx.calibration.json").read_text()


def test_a_damaged_or_foreign_file_is_refused_by_score_with_the_remedy(tmp_path, hours, usual, capsys):
    path = tmp_path / "c.json"
    use = ["--set", "detector.threshold=calibrated", "--set", f"detector.calibration={path}", DEMO]
    again = ["score", "-o", str(tmp_path / "eve.json"), *use]
    assert main(again) == 1
    assert "cannot read the calibration" in capsys.readouterr().err
    assert main(["calibrate", "--budget", budget(usual, hours), "-o", str(path), DEMO]) == 0
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert main(again) == 1
    assert "damaged" in capsys.readouterr().err
    made = json.loads(whole)
    path.write_text(json.dumps(made | {"sha256": "0" * 64}))
    assert main(again) == 1
    assert "cannot be compared; make it again: nettrusion calibrate" in capsys.readouterr().err
    assert not (tmp_path / "eve.json").exists()


def test_events_of_another_model_are_refused(tmp_path, capsys):
    path = tmp_path / "eve.json"
    path.write_bytes(line() + b"\n")
    assert main(["calibrate", "-n", "--budget", "20/day", str(path)]) == 1
    assert "another model" in capsys.readouterr().err


def test_damaged_lines_are_told_and_the_rest_counts(tmp_path, eve, hours, usual, capsys, found):
    path = tmp_path / "eve.json"
    path.write_bytes(b'{"event_type": "flow"\n' + eve.read_bytes())
    whole = found("-n", "--budget", budget(usual, hours), str(eve))
    capsys.readouterr()
    assert main(["calibrate", "-n", "--json", "--budget", budget(usual, hours), str(path)]) == 0
    said = capsys.readouterr()
    assert f"{path}:1: " in said.err and "1 damaged lines were left out" in said.err
    assert json.loads(said.out)["threshold"] == whole["threshold"]


def test_an_attacker_can_be_left_out(found, hours):
    few = ["-n", "--budget", budget(0, hours)]
    whole = found(*few, DEMO)
    loudest = whole["top"][0]["src_ip"]
    without = found(*few, "--leave-out", loudest, DEMO)
    assert loudest not in {one["src_ip"] for one in without["top"]}
    assert without["flows"] == whole["flows"] - without["left_out"]["flows of the addresses named"] < whole["flows"]
    assert without["hours"] == whole["hours"]
    assert (without["threshold"] or 1) <= (whole["threshold"] or 1)


@pytest.mark.parametrize(
    ("group", "wrong"), [("[0.0.0.0/0,::/0]", "leaves out every flow"), ("10.0.0.300", "is not an address")]
)
def test_what_cannot_be_left_out_is_said(group, wrong, capsys):
    assert main(["calibrate", "-n", "--budget", "20/day", "--leave-out", group, DEMO]) == 1
    assert wrong in capsys.readouterr().err


def test_figures_have_no_more_digits_than_they_deserve():
    assert [hours_text(days) for days in (0.0005, 0.05, 1.5, 3, 1000)] == [
        "0.7 min",
        "1.2 h",
        "36.0 h",
        "3.0 days",
        "1,000.0 days",
    ]
    assert [rate(value) for value in (0, 19.24, 12_345.6)] == ["0.0", "19.2", "12,346"]
    assert [address(packed) for packed in (b"", bytes(4), bytes(15) + b"\1")] == ["-", "0.0.0.0", "::1"]


@pytest.mark.parametrize("args", [["--budget", "20 a day"], ["--budget", "20/day", "--rules", "/nowhere"]])
def test_wrong_arguments_are_sentences(args, capsys):
    assert main(["calibrate", "-n", *args, DEMO]) == 1
    assert capsys.readouterr().err.startswith("nettrusion: ")
