"""The play: acts begin in virtual order, as densely as the machine allows, within the profile's minutes.

Short acts share a few places, long ones, which mostly wait, have many of their own. A plan that the
machine cannot keep up with is thinned evenly: benign acts that it is late for are left out, and
counted; attacks are left out only when the time is up.
"""

import os
import shutil
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.acts import Kind
from training.testbed.plan import Act
from training.testbed.programs import Over, Programs, Surprise
from training.testbed.settings import Profile
from training.testbed.stage import ActStage
from training.testbed.world import World

SHORT_A_CORE = 12
LONG = 96
LONG_S = 15.0
"""An act that lasts longer than this, in seconds, is a long one."""
LATE, AIM = 0.02, 0.95
"""Shares of the time: how far behind the play may be before it leaves benign acts out; by when all have begun."""
GOODBYE_S = 20.0
"""What acts that run when the time is up have to end by themselves, in seconds."""
TELL_S = 10.0


@dataclass(frozen=True, slots=True)
class Played:
    """One act as it was played: real begin and end, CLOCK_REALTIME in nanoseconds."""

    act: Act
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class Outcome:
    """What became of a plan: the acts played, by number, how many were left out by kind, cut how many."""

    played: list[Played] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    cut: int = 0


class Play:
    """Plays a plan once; every act in a thread of its own."""

    def __init__(
        self,
        profile: Profile,
        kinds: Mapping[str, Kind],
        world: World,
        programs: Programs,
        tell: Callable[[str], None],
    ) -> None:
        """Prepare; `tell` gets a line about the progress now and then."""
        self._profile = profile
        self._kinds = kinds
        self._world = world
        self._programs = programs
        self._tell = tell
        self._stop = threading.Event()
        self._change = threading.Condition()
        short = profile.actors or SHORT_A_CORE * (os.cpu_count() or 1)
        self._places = {False: short, True: LONG} if profile.squeeze else {False: 10**6, True: 10**6}
        self._busy: Counter[bool] = Counter()
        self._failed: Counter[str] = Counter()
        self._outcome = Outcome()
        self._began = 0.0
        self._told = 0.0

    def run(self, acts: Sequence[Act]) -> Outcome:
        """Play the acts; return when all have ended or the time is up, and nothing of them runs.

        Raises NettrusionError when all acts of a kind failed.
        """
        self._began = self._told = time.monotonic()
        try:
            self._dispatch(acts)
            self._say_goodbye()
        finally:
            self._stop.set()
            self._programs.end_acts()
            with self._change:
                self._change.wait_for(lambda: not self._running(), timeout=GOODBYE_S)
        self._outcome.played.sort(key=lambda one: one.act.number)
        counts = Counter(one.act.kind for one in self._outcome.played)
        broken = sorted(kind for kind, failed in self._failed.items() if failed == counts[kind])
        if broken:
            first = next(one for one in self._programs.surprises if one.kind == broken[0] and one.run == 0)
            raise NettrusionError(f"every act of {', '.join(broken)} failed; the first one: {first.what}")
        return self._outcome

    def _dispatch(self, acts: Sequence[Act]) -> None:
        """Begin acts in order; a long one that finds no place waits beside, so that short ones go on."""
        waiting: deque[Act] = deque()
        for place, act in enumerate(acts):
            self._progress(place, len(acts), act)
            while waiting and self._free(True):
                self._begin(waiting.popleft())
            if self._elapsed_s() >= self._profile.minutes * 60.0:
                self._leave_out([*waiting, *acts[place:]])
                return
            if not self._profile.squeeze:
                self._sleep_until((act.virtual_start_ns - self._profile.begins_ns) / 1e9)
            elif self._late(place / len(acts)) and self._kinds[act.kind].label == "benign":
                self._leave_out([act])
                continue
            if self._long(act):
                waiting.append(act)
                continue
            if not self._wait_for_place(False):
                self._leave_out([*waiting, *acts[place:]])
                return
            self._begin(act)
        while waiting:
            if not self._wait_for_place(True):
                self._leave_out(list(waiting))
                return
            self._begin(waiting.popleft())

    def _begin(self, act: Act) -> None:
        with self._change:
            self._busy[self._long(act)] += 1
        threading.Thread(target=self._act, args=(act,), name=f"act {act.number}", daemon=True).start()

    def _act(self, act: Act) -> None:
        kind = self._kinds[act.kind]
        folder = self._world.folder("acts") / str(act.number)
        start_ns = time.time_ns()
        try:
            self._perform(act, kind, folder)
        finally:
            with self._change:
                self._busy[self._long(act)] -= 1
                self._outcome.played.append(Played(act, start_ns, time.time_ns()))
                self._change.notify_all()

    def _perform(self, act: Act, kind: Kind, folder: Path) -> None:
        folder.mkdir(parents=True)
        stage = ActStage(act, kind, self._world, self._programs, folder, self._stop)
        try:
            kind.play(stage)
        except Over:
            if self._stop.is_set():
                with self._change:
                    self._outcome.cut += 1
        except Exception as problem:
            # One act that fails says nothing about the rest of the day; when all of a kind do, run() raises.
            self._programs.note(Surprise(act.number, act.kind, 0, _told(problem)))
            with self._change:
                self._failed[act.kind] += 1
        finally:
            stage.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _say_goodbye(self) -> None:
        """Wait for the acts that run: until the time is up, and a little longer if it is."""
        left_s = self._profile.minutes * 60.0 - self._elapsed_s()
        until = time.monotonic() + max(left_s, 0.0) + GOODBYE_S
        with self._change:
            self._change.wait_for(lambda: not self._running(), timeout=max(0.0, until - time.monotonic()))

    def _wait_for_place(self, long: bool) -> bool:
        """Wait until an act of that length may begin; False when the time is up before."""
        left_s = self._profile.minutes * 60.0 - self._elapsed_s()
        with self._change:
            return self._change.wait_for(lambda: self._free(long), timeout=max(0.0, left_s))

    def _sleep_until(self, at_s: float) -> None:
        while (left_s := at_s - self._elapsed_s()) > 0.0:
            time.sleep(left_s)

    def _free(self, long: bool) -> bool:
        return self._busy[long] < self._places[long]

    def _running(self) -> int:
        return self._busy.total()

    def _long(self, act: Act) -> bool:
        return self._kinds[act.kind].lasts_s > LONG_S

    def _late(self, share: float) -> bool:
        """Whether the play is behind at this share of the plan."""
        return self._elapsed_s() > (LATE + AIM * share) * self._profile.minutes * 60.0

    def _leave_out(self, acts: Sequence[Act]) -> None:
        self._outcome.left_out.update(act.kind for act in acts)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def _progress(self, place: int, count: int, act: Act) -> None:
        if time.monotonic() - self._told < TELL_S:
            return
        self._told = time.monotonic()
        clock = time.strftime("%H:%M", time.gmtime(act.virtual_start_ns // 10**9))
        left_s = self._elapsed_s() / max(place, 1) * (count - place)
        self._tell(
            f"{place} of {count} acts begun ({self._outcome.left_out.total()} left out), {clock} on the day's clock, "
            f"{self._running()} run, {len(self._programs.surprises)} surprises, about {left_s:.0f} s left"
        )


def _told(problem: Exception) -> str:
    """Return what an error says and where in the code it was raised."""
    at = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__}: {problem} ({Path(at.filename).name}, line {at.lineno})"
