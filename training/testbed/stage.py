"""The stage of one act: runs and starts programs for it, lets time pass, ends it at its limit."""

import random
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from training.testbed.acts import Done, Kind
from training.testbed.plan import Act
from training.testbed.programs import GRACE_S, Order, Over, Programs, Started, Surprise, surprise
from training.testbed.world import Host, World


class ActStage:
    """The `acts.Stage` of one act; when its time or the play's is up, whatever it does raises Over."""

    def __init__(self, act: Act, kind: Kind, world: World, programs: Programs, folder: Path, stop: threading.Event):
        """Prepare the act's random numbers and its deadline; `stop` is set when the whole play is over."""
        self._act = act
        self._kind = kind
        self._world = world
        self._programs = programs
        self._folder = folder
        self._stop = stop
        self._rng = random.Random(act.seed)
        self._deadline = time.monotonic() + kind.limit_s
        self._beside: list[Beside] = []

    @property
    def host(self) -> Host:
        """The host whose act this is."""
        return self._world.host(self._act.host)

    @property
    def world(self) -> World:
        """The network."""
        return self._world

    @property
    def rng(self) -> random.Random:
        """Random numbers of this act alone, from the plan's seed."""
        return self._rng

    @property
    def folder(self) -> Path:
        """The act's own folder."""
        return self._folder

    @property
    def settings(self) -> Mapping[str, Any]:
        """The kind's defaults with what the profile sets above them."""
        return {**self._kind.settings, **self._act.settings}

    @property
    def kind(self) -> str:
        """The name of the act's kind."""
        return self._kind.name

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limit_s: float = 30.0,
        ok: Collection[int] | None = (0,),
        at: str = "",
    ) -> Done:
        """Run a program to its end, or kill it with its children at `limit_s`."""
        started = self._programs.start(self._order(words, env, at, stdin=stdin))
        return self.finish(started, limit_s, ok)

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> "Beside":
        """Start a program beside the play, with a pipe to type into."""
        started = self._programs.start(self._order(words, env, at, typed=True))
        beside = Beside(self, started, ok, limit_s)
        self._beside.append(beside)
        return beside

    def pause(self, seconds: float) -> None:
        """Let time pass within the act."""
        if self._stop.wait(max(0.0, min(seconds, self._left_s()))) or self._left_s() <= 0.0:
            raise self.over()

    def finish(self, started: Started, limit_s: float, ok: Collection[int] | None) -> Done:
        """Wait for a program's end, kill it at the limit, note an unexpected exit code."""
        left = self._left_s()
        in_time = started.ended(min(limit_s, left))
        done = self._programs.collect(started)
        if self._stop.is_set() or (not in_time and left < limit_s):
            raise self.over()
        if noted := surprise(started, self._kind.name, done, ok):
            self._programs.note(noted)
        return done

    def stop(self, started: Started, ok: Collection[int] | None) -> Done:
        """Ask a program to end, and kill it if it does not."""
        if not started.ended(0.0):
            started.terminate()
            started.ended(GRACE_S)
            ok = None
        done = self._programs.collect(started)
        if noted := surprise(started, self._kind.name, done, ok):
            self._programs.note(noted)
        return done

    def close(self) -> None:
        """End all programs that still run beside the play."""
        for beside in self._beside:
            beside.stop()

    def over(self) -> Over:
        """Return what ends the act; its own limit is a surprise, the end of the play is none."""
        if not self._stop.is_set():
            what = f"the act was ended at its limit of {self._kind.limit_s:g} s"
            self._programs.note(Surprise(self._act.number, self._kind.name, 0, what))
        return Over()

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _order(
        self, words: tuple[str, ...], env: Mapping[str, str] | None, at: str, stdin: bytes = b"", typed: bool = False
    ) -> Order:
        if self._stop.is_set() or self._left_s() <= 0.0:
            raise self.over()
        host = self._world.host(at) if at else self.host
        return Order(host, words, self._act.number, env, self._folder, stdin, typed)


class Beside:
    """A program that runs beside the play, an `acts.Running`; a timer holds it to its limit."""

    def __init__(self, stage: ActStage, started: Started, ok: Collection[int] | None, limit_s: float) -> None:
        """Take over a started program."""
        self._stage = stage
        self._started = started
        self._ok = ok
        self._done: Done | None = None
        self._watch = threading.Timer(limit_s, started.kill)
        self._watch.daemon = True
        self._watch.start()

    def say(self, text: str) -> None:
        """Type into it; one that has gone meanwhile does not mind."""
        self._started.say(text)

    def wait(self, limit_s: float = 30.0) -> Done:
        """Close its input and wait for its end; at the limit it is killed with its children."""
        if self._done is None:
            self._started.hang_up()
            try:
                self._done = self._stage.finish(self._started, limit_s, self._ok)
            finally:
                self._watch.cancel()
        return self._done

    def stop(self) -> Done:
        """End it: SIGTERM, and SIGKILL two seconds later."""
        if self._done is None:
            self._watch.cancel()
            self._done = self._stage.stop(self._started, self._ok)
        return self._done
