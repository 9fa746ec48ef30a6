"""The clock: the year, what keeps it right, and jumps."""

import time

import pytest

from sensor.doctor.clock import TIME_ERROR, adjtimex, check_clock, check_step, reading
from tests.sensor.doctor.made import only, scene

NOW_S = 1_800_000_000.0


def test_a_clock_that_is_kept_right(tmp_path):
    finding = only(check_clock, scene(tmp_path), NOW_S, lambda: 0)
    assert (finding.outcome, finding.found) == ("ok", "2027-01-15 08:00:00 UTC, kept right")


@pytest.mark.parametrize("now_s", [0.0, 5e9])
def test_a_year_that_cannot_be(tmp_path, now_s):
    finding = only(check_clock, scene(tmp_path), now_s, lambda: 0)
    assert finding.outcome == "fail"
    assert "timedatectl set-ntp true" in finding.remedy


def test_a_clock_on_its_own(tmp_path):
    assert only(check_clock, scene(tmp_path), NOW_S, lambda: TIME_ERROR).outcome == "warning"
    assert only(check_clock, scene(tmp_path), NOW_S, lambda: -1).outcome == "note"
    made = scene(tmp_path, files={"/run/systemd/timesync/synchronized": ""})
    assert only(check_clock, made, NOW_S, lambda: TIME_ERROR).outcome == "ok"


def test_this_machine_answers(tmp_path):
    assert -1 <= adjtimex() <= TIME_ERROR
    assert only(check_clock, scene(tmp_path)).found.startswith(time.strftime("%Y-", time.gmtime()))


def test_a_jump_is_told():
    assert list(check_step(reading())) == []
    assert only(check_step, reading() - 3600).found.startswith("it jumped by +3600.0")
