"""A calibration file: read back as it was written, and refused for whatever is not one."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sensor.calibration import (
    MAX_BYTES,
    PLACE,
    AlertBudget,
    Calibration,
    calibration_path,
    read_calibration,
    time_text,
    write_calibration,
)
from sensor.config import DetectorConfig
from sensor.errors import NettrusionError

SHA = "ab" * 32
MADE = Calibration(
    model="known 1",
    sha256=SHA,
    threshold=0.93,
    budget=AlertBudget(20),
    certified=True,
    first_ns=1_795_262_400_000_001_000,
    last_ns=1_795_348_800_999_999_000,
    hours=24.0,
    flows=1000,
    alerts=17,
    table=((0.99, 0.001), (0.9, 0.01), (0.0, 1.0)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_calibration(tmp_path / "c.json", MADE)
    return tmp_path / "c.json"


def test_what_was_written_is_read_again(path):
    assert read_calibration(path, SHA) == MADE
    assert path.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in path.parent.iterdir()] == ["c.json"]


def test_it_can_be_written_anew(path):
    write_calibration(path, replace(MADE, threshold=0.5))
    assert read_calibration(path, SHA).threshold == 0.5


def test_that_of_another_model_is_refused_with_both_hashes(path):
    with pytest.raises(NettrusionError, match=r"c\.json: was made for the model known 1 .*ababab.*cdcdcd.*calibrate"):
        read_calibration(path, "cd" * 32)


def test_one_that_is_missing_says_how_to_make_it(tmp_path):
    with pytest.raises(NettrusionError, match=r"no\.json: cannot read .*nettrusion calibrate --budget"):
        read_calibration(tmp_path / "no.json", SHA)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("format", None),
        ("model", "a\x1b[31m b"),
        ("sha256", SHA.upper()),
        ("threshold", 1.01),
        ("threshold", True),
        ("threshold", "0.9"),
        ("budget", "20 a day"),
        ("budget", 20),
        ("certified", 1),
        ("first", "yesterday"),
        ("first", "2036-11-21T12:00:00.000000+0000"),
        ("hours", -1),
        ("hours", 1e300),
        ("flows", 0),
        ("flows", 1.5),
        ("alerts", -1),
        ("table", []),
        ("table", [[0.5, 0.1], [0.6, 0.2]]),
        ("table", [[0.6, 0.2], [0.5, 0.1]]),
        ("table", [[0.5]]),
        ("table", [[2, 0.5]]),
        ("table", [[1 - at / 1000, at / 1000] for at in range(300)]),
        ("surplus", 1),
    ],
)
def test_a_damaged_one_is_refused_with_its_key(path, key, value):
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(NettrusionError, match=r"c\.json: is no calibration, or a damaged one .*again") as refused:
        read_calibration(path, SHA)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": 1, "format": 1}',
        b'{"threshold": NaN}',
        b'{"threshold": ' + b"9" * 5000 + b"}",
        b" " * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_calibration_at_all_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(NettrusionError, match="damaged"):
        read_calibration(path, SHA)


def test_every_prefix_of_one_is_refused(path):
    whole = path.read_bytes()
    for end in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:end])
        with pytest.raises(NettrusionError):
            read_calibration(path, SHA)


def test_a_pipe_in_its_place_hangs_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NettrusionError, match="not a regular file"):
        read_calibration(tmp_path / "pipe", SHA)


def test_where_nothing_can_be_written_the_remedy_is_said_and_nothing_is_left(tmp_path):
    with pytest.raises(NettrusionError, match=r"cannot write the calibration: .*-o"):
        write_calibration(tmp_path / "no" / "c.json", MADE)
    (tmp_path / "taken").mkdir()
    with pytest.raises(NettrusionError, match="cannot write"):
        write_calibration(tmp_path / "taken", MADE)
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(
    ("text", "per_day"), [("20/day", 20), ("1/hour", 24), ("7/week", 1), ("0.5/day", 0.5), (" 3/day ", 3)]
)
def test_budgets(text, per_day):
    assert AlertBudget.parse(text).per_day == pytest.approx(per_day)
    assert AlertBudget.parse(str(AlertBudget.parse(text))) == AlertBudget.parse(text)


@pytest.mark.parametrize(
    "text", ["", "20", "20/month", "0/day", "-1/day", "1e3/day", "nan/day", "2000000/hour", "١/day"]
)
def test_what_is_no_budget_is_refused_with_an_example(text):
    with pytest.raises(NettrusionError, match="20/day"):
        AlertBudget.parse(text)


def test_the_place_is_the_configured_one_or_beside_the_model():
    assert calibration_path(DetectorConfig()) == PLACE
    assert calibration_path(DetectorConfig(model="/m/x.onnx")) == Path("/m/x.onnx.calibration.json")
    assert calibration_path(DetectorConfig(model="/m/x.onnx", calibration="/c.json")) == Path("/c.json")


def test_times_are_those_of_events_and_never_fail():
    assert time_text(1_795_262_400_000_001_000) == "2026-11-21T12:00:00.000001+0000"
    assert time_text(-5) == "1970-01-01T00:00:00.000000+0000"
    assert time_text(1 << 70).startswith("9999-12-31T23:59:59")
