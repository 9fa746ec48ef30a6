"""Progress: where the run is, and how long the rest takes if the others take as long as theirs did."""

from tests.training.runs import Spy, prepare
from training import experiment
from training.progress import Progress


def test_a_line_a_fit_with_candidate_seed_column_and_what_is_left():
    config, prepared = prepare()
    jobs = experiment.plan(prepared, [Spy(), Spy(name="other")], config)
    said: list[str] = []
    now = iter(range(0, 10_000, 60))
    progress = Progress(jobs, said.append, lambda: float(next(now)))
    progress.begin(jobs[0])
    assert progress.done(jobs[0]) == 60.0
    progress.begin(jobs[1])
    progress.done(jobs[1])
    progress.begin(jobs[2])
    assert said[0] == f"1/{len(jobs)} spy, seed 0, all together; no estimate yet"
    assert said[1] == f"2/{len(jobs)} other, seed 0, all together; about 5 min left, 1 candidate still unknown"
    assert said[2] == f"3/{len(jobs)} spy, seed 0, without dos; about 4 min left"


def test_fits_of_an_earlier_run_count_as_done_and_tell_how_long_they_took():
    config, prepared = prepare()
    jobs = experiment.plan(prepared, [Spy()], config)
    said: list[str] = []
    progress = Progress(jobs, said.append)
    progress.resumed()
    assert said == []
    progress.kept(jobs[0], 10.0)
    progress.resumed()
    progress.begin(jobs[1])
    assert said == ["1 of 3 fits were finished before", "2/3 spy, seed 0, without dos; about 20 s left"]
