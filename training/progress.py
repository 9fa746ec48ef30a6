"""How far a run is: what is fitted now, what was found finished, how long the rest will take."""

import time
from collections.abc import Callable, Sequence

from training.checkpoint import Job

Say = Callable[[str], None]


class Progress:
    """Counts the fits of a run and says a line before each."""

    def __init__(
        self, jobs: Sequence[Job], say: Say, clock: Callable[[], float] = time.monotonic, workers: int = 1
    ) -> None:
        """Start with all fits to be done, by so many processes."""
        self._workers = workers
        self._say, self._clock = say, clock
        self._left = [job.candidate.name for job in jobs]
        self._total, self._kept = len(jobs), 0
        self._seconds: dict[str, list[float]] = {}
        self._begun = 0.0

    def kept(self, job: Job, seconds: float) -> None:
        """Count a fit that an earlier run has finished in so many seconds."""
        self._kept += 1
        self._finish(job, seconds)

    def begin(self, job: Job) -> None:
        """Say which fit begins, and when all will be done if the others take as long as theirs did."""
        place = self._total - len(self._left) + 1
        self._say(f"{place}/{self._total} {job.title}; {self.left()}")
        self._begun = self._clock()

    def done(self, job: Job) -> float:
        """Count a fit that has ended; returns its seconds."""
        seconds = self._clock() - self._begun
        self._finish(job, seconds)
        return seconds

    def left(self) -> str:
        """Return how long the rest will take, in words."""
        if not self._seconds:
            return "no estimate yet"
        means = {name: sum(took) / len(took) for name, took in self._seconds.items()}
        usual = sum(means.values()) / len(means)
        seconds = sum(means.get(name, usual) for name in self._left) / self._workers
        strange = {name for name in self._left if name not in means}
        said = f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"
        if not strange:
            return said
        return f"{said}, {len(strange)} candidate{'s' * (len(strange) > 1)} still unknown"

    def resumed(self) -> None:
        """Say how much was found finished, if anything was."""
        if self._kept:
            self._say(f"{self._kept} of {self._total} fits were finished before")

    def _finish(self, job: Job, seconds: float) -> None:
        self._left.remove(job.candidate.name)
        self._seconds.setdefault(job.candidate.name, []).append(seconds)
