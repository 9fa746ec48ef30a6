"""The play: order, bounds, time limits, and what becomes of acts that fail."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.stages import WORLD, here, kind, kinds
from training.testbed import world as world_module
from training.testbed.acts import Kind, Stage
from training.testbed.plan import Act
from training.testbed.play import Outcome, Play
from training.testbed.programs import Programs
from training.testbed.settings import Profile


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let acts have their folders below a test's own."""
    monkeypatch.setattr(world_module, "RUN", tmp_path)
    return tmp_path


def acts(*names: str, apart_s: float = 1.0) -> list[Act]:
    return [
        Act(number, name, "desk", round((number - 1) * apart_s * 1e9), {}, f"seed {number}")
        for number, name in enumerate(names, 1)
    ]


def play(plan: list[Act], *them: Kind, tell: Callable[[str], None] = print, **more: object) -> tuple[Outcome, Programs]:
    programs, _ = here()
    settings = {"begins_ns": 0, "hours": 1.0, "minutes": 1.0, "actors": 4, **more}
    profile = Profile(name="test", **settings)  # type: ignore[arg-type]
    return Play(profile, kinds(*them), WORLD, programs, tell).run(plan), programs


class Counter:
    """Counts how many acts are on stage at a time."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.seeds: list[float] = []
        self.seconds = seconds

    def __call__(self, stage: Stage) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.seeds.append(stage.rng.random())
        stage.pause(self.seconds)
        with self.lock:
            self.now -= 1


def test_every_act_is_played_once_a_bounded_number_at_a_time(folders: Path):
    counter = Counter()
    began = time.time_ns()
    outcome, programs = play(acts(*["page"] * 30), kind("page", counter))
    assert [one.act.number for one in outcome.played] == list(range(1, 31))
    assert all(began <= one.start_ns <= one.end_ns <= time.time_ns() for one in outcome.played)
    assert counter.most == 4
    assert len(set(counter.seeds)) == 30
    assert (outcome.left_out.total(), outcome.cut, programs.surprises) == (0, 0, [])
    assert list((folders / "acts").iterdir()) == []


def test_acts_begin_in_virtual_order():
    outcome, _ = play(acts(*["page"] * 20), kind("page", Counter(0.01)), actors=2)
    starts = [one.start_ns for one in outcome.played]
    # Two that begin at the same moment may be seen in either order.
    assert all(later > earlier for earlier, later in zip(starts, starts[3:], strict=False))


def test_long_acts_do_not_hold_up_short_ones():
    long, short = Counter(0.8), Counter(0.01)
    outcome, _ = play(
        acts(*["call"] * 5, *["page"] * 8), kind("call", long, lasts_s=60.0), kind("page", short), actors=1
    )
    assert (long.most, short.most) == (5, 1)
    ends = {one.act.kind: one.end_ns for one in outcome.played}
    assert ends["page"] < ends["call"]


def test_each_act_has_a_folder_of_its_own_while_it_lasts(folders: Path):
    seen: list[Path] = []

    def write(stage: Stage) -> None:
        stage.run("sh", "-c", "echo > file")
        assert (stage.folder / "file").exists()
        seen.append(stage.folder)

    _, programs = play(acts("page", "page"), kind("page", write))
    assert sorted(seen) == [folders / "acts" / "1", folders / "acts" / "2"]
    assert programs.surprises == []
    assert not any(folder.exists() for folder in seen)


def test_programs_that_an_act_leaves_end_with_it():
    def leave(stage: Stage) -> None:
        stage.start("sleep", "60")

    outcome, programs = play(acts("page"), kind("page", leave))
    (run,) = programs.runs()
    assert run.exit_code == -15
    assert run.end_ns <= outcome.played[0].end_ns


def test_an_act_that_fails_is_a_surprise_that_says_where(capsys: pytest.CaptureFixture[str]):
    def sometimes(stage: Stage) -> None:
        if stage.folder.name == "2":
            raise KeyError("no such page")

    outcome, programs = play(acts(*["page"] * 3), kind("page", sometimes))
    assert len(outcome.played) == 3
    (noted,) = programs.surprises
    assert (noted.act, noted.kind, noted.run) == (2, "page", 0)
    assert noted.what.startswith("KeyError: 'no such page' (test_play.py, line ")


def test_a_kind_of_which_every_act_fails_fails_the_recording():
    def never(stage: Stage) -> None:
        raise ValueError("broken")

    with pytest.raises(NettrusionError, match="every act of page failed; the first one: ValueError: broken"):
        play(acts("page", "visit", "page"), kind("page", never), kind("visit", Counter()))


def test_a_plan_that_does_not_fit_is_thinned_evenly_and_keeps_its_attacks():
    plan = acts(*(["page"] * 20 + ["scan"]) * 6)
    outcome, _ = play(
        plan, kind("page", Counter(0.1)), kind("scan", Counter(0.01), label="scan"), minutes=2.0 / 60.0, actors=2
    )
    played = [one.act for one in outcome.played]
    assert [act.number for act in played if act.kind == "scan"] == [act.number for act in plan if act.kind == "scan"]
    pages = [act.number for act in played if act.kind == "page"]
    assert 10 < len(pages) < 80
    assert outcome.left_out == {"page": 120 - len(pages)}
    thirds = [sum(low < number <= low + 42 for number in pages) for low in (0, 42, 84)]
    assert min(thirds) > 0.4 * max(thirds)


def test_when_the_time_is_up_what_runs_is_cut_and_the_rest_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.testbed.play.GOODBYE_S", 0.3)

    def scan(stage: Stage) -> None:
        stage.run("sleep", "60", limit_s=90.0)

    outcome, programs = play(
        acts(*["scan"] * 9), kind("scan", scan, label="scan", limit_s=90.0), minutes=0.5 / 60.0, actors=3
    )
    assert len(outcome.played) == 3
    assert (outcome.cut, outcome.left_out) == (3, {"scan": 6})
    assert {run.exit_code for run in programs.runs()} == {-9}
    assert programs.surprises == []


def test_without_squeeze_acts_begin_when_they_are_planned():
    began = time.time_ns()
    outcome, _ = play(acts(*["page"] * 4, apart_s=0.25), kind("page", Counter(0.5)), squeeze=False)
    starts = [(one.start_ns - began) / 1e9 for one in outcome.played]
    assert all(start >= 0.25 * place for place, start in enumerate(starts))


def test_the_progress_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.testbed.play.TELL_S", 0.05)
    lines: list[str] = []
    play(acts(*["page"] * 12), kind("page", Counter()), tell=lines.append)
    assert lines and lines[0].endswith("s left") and "of 12 acts begun (0 left out)" in lines[0]


def test_an_interruption_takes_everything_down(monkeypatch: pytest.MonkeyPatch):
    programs, _ = here()

    started = threading.Event()

    def sleep(stage: Stage) -> None:
        started.set()
        stage.run("sleep", "60", limit_s=90.0)

    monkeypatch.setattr("training.testbed.play.TELL_S", 0.0)
    profile = Profile(name="test", begins_ns=0, actors=2)
    asked: list[str] = []

    def tell(line: str) -> None:
        asked.append(line)
        if len(asked) == 2:
            started.wait(10.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Play(profile, kinds(kind("page", sleep, limit_s=90.0)), WORLD, programs, tell).run(acts("page", "page", "page"))
    assert all(run.exit_code == -9 for run in programs.runs())
    assert threading.active_count() == 1
