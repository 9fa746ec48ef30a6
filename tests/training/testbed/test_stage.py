"""The stage: what an act may do, and how it ends."""

import threading
import time
from pathlib import Path

import pytest

from tests.training.testbed.stages import WORLD, here, kind
from training.testbed.acts import Running, Stage
from training.testbed.plan import Act
from training.testbed.programs import Over, Programs
from training.testbed.stage import ActStage


def act(**settings: int) -> Act:
    return Act(3, "work", "desk", 0, settings, "5/person/desk/0")


def stage(programs: Programs, folder: Path, limit_s: float = 30.0, stop: threading.Event | None = None) -> ActStage:
    work = kind("work", lambda stage: None, limit_s=limit_s, settings={"pages": 2, "size": 1})
    return ActStage(act(pages=9), work, WORLD, programs, folder, stop or threading.Event())


def test_it_is_a_stage_and_hands_out_what_the_plan_says(tmp_path: Path):
    programs, _ = here()
    one: Stage = stage(programs, tmp_path)
    assert (one.host.name, one.world, one.folder) == ("desk", WORLD, tmp_path)
    assert one.settings == {"pages": 9, "size": 1}
    assert one.rng.random() == stage(programs, tmp_path).rng.random()


def test_a_program_runs_in_the_acts_folder_and_host_or_where_the_act_is_let_in(tmp_path: Path):
    programs, entered = here()
    one = stage(programs, tmp_path)
    assert one.run("pwd").output.decode().strip() == str(tmp_path)
    assert one.run("cat", stdin=b"text", at="web", env={"A": "b"}).output == b"text"
    assert entered == ["desk", "web"]
    assert [(run.act, run.host) for run in programs.runs()] == [(3, "desk"), (3, "web")]


def test_an_exit_code_is_a_surprise_unless_it_is_expected(tmp_path: Path):
    programs, _ = here()
    one = stage(programs, tmp_path)
    assert [one.run("sh", "-c", "exit 4", ok=ok).exit_code for ok in ((0,), (0, 4), None)] == [4, 4, 4]
    assert [(noted.kind, noted.run) for noted in programs.surprises] == [("work", 1)]


def test_a_program_over_its_own_limit_is_killed_and_the_act_goes_on(tmp_path: Path):
    programs, _ = here()
    one = stage(programs, tmp_path)
    assert one.run("sleep", "30", limit_s=0.1).exit_code == -9
    assert one.run("true").exit_code == 0
    assert len(programs.surprises) == 1


def test_the_acts_limit_ends_whatever_it_does(tmp_path: Path):
    programs, _ = here()
    for does in (
        lambda one: one.run("sleep", "30"),
        lambda one: one.pause(30.0),
        lambda one: one.start("sleep", "30").wait(),
    ):
        with pytest.raises(Over):
            does(stage(programs, tmp_path, limit_s=0.2))
    assert ["limit of 0.2 s" in noted.what for noted in programs.surprises] == [True] * 3
    late = stage(programs, tmp_path, limit_s=0.0)
    with pytest.raises(Over):
        late.run("true")


def test_the_end_of_the_play_ends_the_act_without_a_surprise(tmp_path: Path):
    programs, _ = here()
    stop = threading.Event()
    one = stage(programs, tmp_path, stop=stop)

    def end() -> None:
        stop.set()
        programs.close()

    timer = threading.Timer(0.2, end)
    timer.start()
    with pytest.raises(Over):
        one.run("sleep", "30")
    with pytest.raises(Over):
        one.pause(1.0)
    with pytest.raises(Over):
        one.run("true")
    timer.join()
    assert programs.surprises == []


def test_one_types_into_a_program_and_waits_for_its_end(tmp_path: Path):
    programs, _ = here()
    one = stage(programs, tmp_path)
    beside: Running = one.start("sh")
    beside.say("echo typed\n")
    beside.say("exit 5\n")
    assert beside.wait().output == b"typed\n"
    assert beside.wait().exit_code == 5
    beside.say("more\n")
    assert programs.surprises == []


def test_stop_asks_first_and_kills_later(tmp_path: Path):
    programs, _ = here()
    one = stage(programs, tmp_path)
    polite = one.start("sh", "-c", "trap 'echo bye; exit 0' TERM; echo; while :; do sleep 0.05; done")
    deaf = one.start("sh", "-c", "trap '' TERM; echo; while :; do sleep 0.05; done")
    one.pause(0.3)
    assert polite.stop().output.endswith(b"bye\n")
    assert deaf.stop().exit_code == -9


def test_a_program_beside_has_a_limit_and_ends_with_the_act(tmp_path: Path):
    programs, _ = here()
    one = stage(programs, tmp_path)
    bounded = one.start("sleep", "30", limit_s=0.1)
    one.start("sleep", "30")
    began = time.monotonic()
    assert bounded.wait(20.0).exit_code == -9
    one.close()
    assert time.monotonic() - began < 10
    assert [run.exit_code for run in programs.runs()] == [-9, -15]
