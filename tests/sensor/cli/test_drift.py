"""`nettrusion drift` on the bundled capture and on events, with the model that ships."""

import json
from pathlib import Path
from typing import Any

import pytest

from sensor.cli import main
from sensor.config import Config
from sensor.fit.told import TOLD
from sensor.scoring import MODEL, load_detector
from tests.sensor.cli.test_calibrate import alerts, budget
from tests.sensor.traffic.made import line

DEMO = str(MODEL.parent / "demo.pcap.gz")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the events of the bundled capture and a calibration on it."""
    folder = tmp_path_factory.mktemp("drift")
    assert main(["score", "--flows", "-o", str(folder / "eve.json"), DEMO]) == 0
    made = ["calibrate", "-o", str(folder / "c.json"), DEMO, "--budget"]
    assert main([*made, "900000/day"]) == 0
    hours = json.loads((folder / "c.json").read_text())["hours"]
    assert main([*made, budget(len(alerts(folder / "eve.json")), hours)]) == 0
    return folder


@pytest.fixture
def found(capsys: pytest.CaptureFixture[str]):
    """Return the exit code of a call and what it prints as JSON."""

    def run(*args: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["drift", "--json", *args])
        return code, json.loads(capsys.readouterr().out)

    return run


def shifted(events: Path, hours: int, change=lambda event: None) -> str:
    """Return the lines of events, later by some hours of one day, changed."""
    made = []
    for text in events.read_text().splitlines():
        event = json.loads(text)
        for holder, key in ((event, "timestamp"), (event.get("flow", {}), "start"), (event.get("flow", {}), "end")):
            if key in holder:
                holder[key] = f"{holder[key][:11]}{int(holder[key][11:13]) + hours:02}{holder[key][13:]}"
        change(event)
        made.append(json.dumps(event) + "\n")
    return "".join(made)


def test_events_and_captures_agree_and_captures_know_features(place, found):
    _, of_events = found(str(place / "eve.json"))
    _, of_capture = found(DEMO)
    (event_hour,), (capture_hour,) = of_events["periods"], of_capture["periods"]
    for key in ("flows", "alerts", "alerts_by_class", "flows_by_class", "score_distance", "score_psi", "share_above"):
        assert event_hour[key] == capture_hour[key], key
    assert 0 <= capture_hour["feature_distance"] <= 1 and len(capture_hour["worst_features"]) == 5
    assert len(of_capture["features_compared"]) == of_capture["features_known"] == of_events["features_known"]


def test_of_features_those_are_compared_that_events_tell(place, found, capsys):
    """Of captures and events at once no others either, and where both tell one it lies as far away."""
    _, of_events = found(str(place / "eve.json"))
    _, of_both = found(str(place / "eve.json"), DEMO)
    names = of_events["features_compared"]
    assert names == of_both["features_compared"] and len(names) > 2
    assert {*names} <= {*TOLD[load_detector(Config()).feature_set.name]}
    (alone,), (both,) = of_events["periods"], of_both["periods"]
    assert alone["feature_distance"] == pytest.approx(both["feature_distance"])
    assert {*alone["worst_features"]} <= {*names}
    main(["drift", str(place / "eve.json")])
    said = capsys.readouterr().out
    assert f"{len(names)} of {of_events['features_known']} features, those that events tell" in said
    assert "not compared classes" in said


def test_traffic_fits_the_calibration_made_on_it(place, found):
    use = ["--set", f"detector.calibration={place}/c.json", "--set", "detector.threshold=calibrated"]
    code, made = found(*use, str(place / "eve.json"))
    assert (code, made["verdict"], made["against"]) == (0, "ok", "own")
    assert made["budget"] == json.loads((place / "c.json").read_text())["budget"]
    assert made["periods"][0]["score_distance"] < 0.01


def test_other_scores_do_not_and_the_last_word_is_that_of_the_last_hour(place, found, tmp_path):
    def louder(event):
        ints = event.get("metadata", {}).get("flowints", {})
        if event["event_type"] == "flow":
            ints["ml_score_ppm"] = 989_999  # the highest that is compared below a threshold of 0.99

    (tmp_path / "eve.json").write_text(shifted(place / "eve.json", 3, louder))
    (tmp_path / "eve.json.1").write_text((place / "eve.json").read_text())
    use = ["--set", f"detector.calibration={place}/c.json", "--set", "detector.threshold=0.99"]
    code, made = found(*use, "--budget", "900000/day", str(tmp_path))
    assert [one["verdict"] for one in made["periods"]] == ["ok", "retrain"] and code == 3
    (tmp_path / "eve.json.2").write_text(shifted(place / "eve.json", 5))
    assert found(*use, "--budget", "900000/day", str(tmp_path))[0] == 0


def test_too_many_alerts_ask_for_a_new_calibration(place, found):
    use = ["--set", f"detector.calibration={place}/c.json"]
    code, made = found(*use, "--budget", "1/day", str(place / "eve.json"))
    assert (code, made["verdict"]) == (3, "recalibrate")
    assert "1/day allows 0.0" in made["periods"][0]["reasons"][0]


def test_a_person_reads_a_line_a_stretch_and_what_to_do(place, capsys):
    main(["drift", "--by", "day", "--against", "bundle", str(place / "eve.json")])
    said = capsys.readouterr().out
    assert "benign flows, of another network" in said and "\nday  " in said and "\n2026-03-02  " in said
    assert said.strip().splitlines()[-1].split(":")[0] in ("ok", "watch", "recalibrate", "retrain")


def test_a_few_flows_have_no_verdict(tmp_path, place, capsys):
    few = [text for text in (place / "eve.json").read_text().splitlines(keepends=True) if '"flow"' in text][:50]
    (tmp_path / "eve.json").write_text("".join(few))
    assert main(["drift", str(tmp_path / "eve.json")]) == 0
    assert "no verdict: too few flows" in capsys.readouterr().out


def test_a_calibration_that_is_asked_for_and_not_there_is_an_error(place, tmp_path, capsys):
    args = ["--against", "own", "--set", f"detector.calibration={tmp_path}/no.json", str(place / "eve.json")]
    assert main(["drift", *args]) == 1
    assert "cannot read the calibration" in capsys.readouterr().err


def test_events_of_another_model_are_an_error(tmp_path, capsys):
    (tmp_path / "eve.json").write_bytes(line() + b"\n")
    assert main(["drift", str(tmp_path / "eve.json")]) == 1
    assert "another model" in capsys.readouterr().err
