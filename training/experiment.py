"""One run from tables to trials: every candidate, every seed, every column."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from training.cache import Cache
from training.checkpoint import Job, Place, Store
from training.config import SplitConfig, TrainConfig
from training.datasets.audit import Audit, audit
from training.datasets.manifest import Manifest
from training.datasets.table import FlowTable
from training.evaluation import matrix, trials
from training.evaluation.matrix import ALL, Matrix
from training.evaluation.transfer import Elsewhere
from training.evaluation.trials import Answers, Course, Trial
from training.models import registry
from training.models.candidate import Candidate, Fitted
from training.progress import Progress
from training.selection import Choice, Rule, choose, standing
from training.splits import Split, sources, violations
from training.splits.days import another_day
from training.splits.family import held_back, leave_one_family_out
from training.splits.grouped import later_the_same_day
from training.splits.mixed import mixed

Say = Callable[[str], None]
Price = Callable[[Fitted], float | None]
"""What a detector costs, in microseconds a flow; None for one that cannot be exported."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a run, split and looked over. `kinds` are the sources that are learnt from together."""

    feature_set: FeatureSet
    table: FlowTable
    manifest: Manifest
    split: Split
    audit: Audit
    course: Course
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """All trials: by candidate, for left-out families by candidate and family, and the transfer matrix."""

    same_day: dict[str, list[Trial]]
    unseen: dict[str, dict[str, list[Trial]]]
    matrix: Matrix
    choice: Choice


def prepare(config: TrainConfig, say: Say, cache: Cache) -> Prepared:
    """Load, split and audit; refuse a split whose parts touch."""
    feature_set = FeatureSet.load(config.data.feature_set)
    say("reading labelled flows")
    loaded = cache.table(config.data, feature_set)
    table = loaded.table
    unknown = set(config.data.exclude) - set(table.feature_names)
    if unknown:
        raise NettrusionError(f"data.exclude: {', '.join(sorted(unknown))}: not in feature set {feature_set.name}")
    split = divide(table, config.split)
    if touching := violations(split, table):
        raise NettrusionError(f"the split is not sound: {'; '.join(touching)}")
    elsewhere = captures(config, feature_set, say, cache)
    units = {feature.index: feature.unit for feature in feature_set.features}
    course = Course(
        table,
        config.data.exclude,
        times=np.array([i for i, unit in units.items() if unit == "us"], dtype=np.int64),
        rates=np.array([i for i, unit in units.items() if unit.endswith("/s")], dtype=np.int64),
        budgets=config.budgets,
        elsewhere=None if elsewhere is None else elsewhere.features,
    )
    say(f"{len(table)} flows; looking for smells")
    looked = audit(table, split)
    return Prepared(feature_set, table, loaded.manifest, split, looked, course, kinds(table, config.split), elsewhere)


def divide(table: FlowTable, settings: SplitConfig) -> Split:
    """Split a table as the settings say: by the day, by time and host pairs, or each source in its way."""

    def by_time(rows: FlowTable) -> Split:
        return later_the_same_day(
            rows,
            settings.calibration,
            settings.test,
            settings.seed,
            settings.train_rows_per_label,
            (settings.benign_calibration, settings.benign_test),
        )

    if settings.by == "time":
        return by_time(table)
    lists = (settings.train_days, settings.calibration_days, settings.test_days)
    days = another_day(table, *lists, settings.train_rows_per_label)
    return mixed(table, days, settings.timed, by_time) if settings.by == "mixed" else days


def kinds(table: FlowTable, settings: SplitConfig) -> dict[str, tuple[str, ...]]:
    """Return which sources are learnt from together and set against the others."""
    days = [*settings.train_days, *settings.calibration_days, *settings.test_days] if settings.by != "time" else []
    return sources.groups(table, days, settings.days_name)


def candidates(config: TrainConfig) -> list[Candidate]:
    """Return the candidates that the settings name, all when they name none."""
    names = [feature.name for feature in FeatureSet.load(config.data.feature_set).features]
    known, wanted = registry(names), config.models.candidates
    if unknown := set(wanted) - set(known):
        raise NettrusionError(
            f"models.candidates: no candidate {', '.join(sorted(unknown))} for"
            f" {config.data.feature_set}; known: {', '.join(known)}"
        )
    return [make(config.models) for name, make in known.items() if not wanted or name in wanted]


def plan(prepared: Prepared, runners: Sequence[Candidate], config: TrainConfig) -> list[Job]:
    """Return every fit of a run: on all data, then on each kind of data alone, then without each family."""
    models, base = config.models, prepared.split
    asked = trials.asked(base, prepared.table)
    jobs = [
        Job(runner, seed, ALL, base, asked, elsewhere=True)
        for runner in runners
        for seed in trials.seeds_of(runner, models.seeds)
    ]
    if models.sources and len(prepared.kinds) > 1:
        jobs += [
            Job(runner, seed, f"{name} alone", split, asked, elsewhere=True)
            for name, split in sources.learnt_from_one(base, prepared.table, prepared.kinds)
            for runner in runners
            for seed in trials.seeds_of(runner, models.source_seeds or models.seeds)
        ]
    jobs += [
        Job(runner, seed, f"without {split.unseen[0]}", split, trials.asked(split, prepared.table, choosing))
        for split, choosing in _families(prepared, config)
        for runner in runners
        if not runner.benign_only
        for seed in trials.seeds_of(runner, models.left_out_seeds or models.seeds)
    ]
    return jobs


def compete(
    prepared: Prepared,
    runners: Sequence[Candidate],
    config: TrainConfig,
    say: Say,
    store: Store | None = None,
    price: Price | None = None,
    workers: int = 1,
) -> Results:
    """Fit every candidate with every seed, on the whole split, on each kind of data and without each family.

    With a `store`, what it has is not fitted again and what is fitted is kept there at once. `price`
    tells the cost of a detector, asked for the first seed of each candidate; `workers` are the processes
    that are known to work on the same store.
    """
    jobs = plan(prepared, runners, config)
    done, detectors = fit_all(jobs, prepared, say, store, price, workers)
    say("judging")
    base, course = prepared.split, prepared.course
    whole: dict[str, list[Trial]] = {runner.name: [] for runner in runners}
    for job in jobs:
        if job.column == ALL:
            place = (job.candidate.name, job.seed)
            trial = trials.judged(done[job.place], course, base, None, detectors.get(place))
            whole[job.candidate.name].append(trial)
    unseen: dict[str, dict[str, list[Trial]]] = {runner.name: {} for runner in runners}
    for split, choosing in _families(prepared, config):
        for runner in runners:
            seeds = trials.seeds_of(runner, config.models.left_out_seeds or config.models.seeds)
            column = ALL if runner.benign_only else f"without {split.unseen[0]}"
            told = [done[column, runner.name, seed] for seed in seeds]
            unseen[runner.name][split.unseen[0]] = [trials.judged(one, course, split, choosing) for one in told]
    lessons = _lessons(prepared, runners, done)
    table = matrix.build(prepared.table, base, prepared.kinds, lessons, prepared.elsewhere)
    rule = Rule(config.choose_rate, config.choose.by, config.choose.column, config.choose.tie, config.budget.cost_us)
    left_out = _left_out(prepared, lessons, config) if config.choose.by == "left_out_source" else {}
    standings = [standing(name, rule, whole[name], unseen[name], left_out.get(name)) for name in whole]
    return Results(whole, unseen, table, choose(standings, rule))


def revive(trial: Trial, prepared: Prepared, runners: Sequence[Candidate], say: Say) -> Trial:
    """Return a trial with its detector, fitted again if only its answers were kept.

    Raises NettrusionError if the detector then says anything else, which no figure could be told of.
    """
    if trial.detector is not None:
        return trial
    told = trial.answers
    say(f"fitting {told.candidate}, seed {told.seed}, once more: the detector itself is not kept")
    runner = next(one for one in runners if one.name == told.candidate)
    fitted = runner.fit(prepared.course.lesson(trial.split), told.seed)
    again = trials.ask(fitted, prepared.course, told.rows, elsewhere=len(told.elsewhere) > 0)
    if not told.same_words(again):
        raise NettrusionError(
            f"{told.candidate}, seed {told.seed}: fitted again it gives other scores than those kept; the finished fits"
            " come from another machine or another number of threads: start anew with --fresh"
        )
    return replace(trial, detector=fitted)


def fit_all(
    jobs: Sequence[Job], prepared: Prepared, say: Say, store: Store | None, price: Price | None, workers: int = 1
) -> tuple[dict[Place, Answers], dict[tuple[str, int], Fitted]]:
    """Return every fit's answers by column, candidate and seed, and the detectors that learnt from all.

    Other processes may work on the same store: what one of them has begun is left to it, and looked for
    when nothing else is to be done.
    """
    progress = Progress(jobs, say, workers=workers)
    done: dict[Place, Answers] = {}
    detectors: dict[tuple[str, int], Fitted] = {}
    for job in jobs if store else ():
        if answers := store.get(job) if store else None:
            done[job.place] = answers
            progress.kept(job, answers.seconds)
    progress.resumed()
    for name in store.damaged if store else ():
        say(f"{name}: is damaged, its fit is done again")
    left = [job for job in jobs if job.place not in done]
    for wait in (False, True):
        busy = []
        for job in left:
            with store.claim(job, wait=wait) if store else nullcontext(True) as ours:
                if not ours:
                    busy.append(job)
                elif found := store.get(job) if store else None:
                    done[job.place] = found
                    progress.kept(job, found.seconds)
                else:
                    progress.begin(job)
                    done[job.place], fitted = _fit(job, prepared, price, progress)
                    if store:
                        store.put(job, done[job.place])
                    if job.column == ALL:
                        detectors[job.candidate.name, job.seed] = fitted
        left = busy
    return done, detectors


def _fit(job: Job, prepared: Prepared, price: Price | None, progress: Progress) -> tuple[Answers, Fitted]:
    """Return what a fit's detector says, and the detector."""
    fitted = job.candidate.fit(prepared.course.lesson(job.split), job.seed)
    answers = trials.ask(fitted, prepared.course, job.asked, elsewhere=job.elsewhere)
    cost = price(fitted) if price and job.column == ALL and job.seed == 0 else None
    return replace(answers, seconds=progress.done(job), cost_us=cost), fitted


def _families(
    prepared: Prepared, config: TrainConfig
) -> Iterator[tuple[Split, "np.ndarray[tuple[int], np.dtype[np.int64]]"]]:
    """Yield the split without each family, and the family's rows that candidates are compared on."""
    if config.models.families:
        for split in leave_one_family_out(prepared.split, prepared.table):
            yield split, held_back(prepared.split, split, prepared.table)


def _lessons(
    prepared: Prepared, runners: Sequence[Candidate], done: dict[Place, Answers]
) -> dict[str, dict[str, list[Answers]]]:
    """Return the answers of each candidate by what it learnt from, a seed each."""
    columns = {f"{name} alone": name for name in prepared.kinds} | {ALL: ALL}
    found: dict[str, dict[str, list[Answers]]] = {runner.name: {} for runner in runners}
    for (column, name, _), answers in done.items():
        if column in columns:
            found[name].setdefault(columns[column], []).append(answers)
    order = (*prepared.kinds, ALL)
    return {
        name: {lesson: sorted(rows[lesson], key=lambda one: one.seed) for lesson in order if lesson in rows}
        for name, rows in found.items()
    }


def _left_out(
    prepared: Prepared, lessons: dict[str, dict[str, list[Answers]]], config: TrainConfig
) -> dict[str, list[tuple[float, float]]]:
    """Return each candidate's recalls on kinds of data that it did not learn from, a seed each."""
    found: dict[str, list[tuple[float, float]]] = {}
    for name, learnt in lessons.items():
        alone = {kind: rows for kind, rows in learnt.items() if kind != ALL}
        if len(alone) < 2:
            raise NettrusionError(
                'choose.by = "left_out_source": needs two kinds of data with attacks to learn; the data has'
                f" {', '.join(prepared.kinds)}"
            )
        found[name] = [
            matrix.left_out_recall(
                prepared.table, prepared.split, prepared.kinds, dict(zip(alone, seed, strict=True)), config.choose_rate
            )
            for seed in zip(*alone.values(), strict=True)
        ]
    return found


def captures(config: TrainConfig, feature_set: FeatureSet, say: Say, cache: Cache) -> Elsewhere | None:
    """Return the flows of the captures of other origin, when the settings name them."""
    named = config.transfer
    if not named.captures:
        return None
    if not (named.labels and named.flows):
        raise NettrusionError("captures need their labels: name --labels and --flow-labels as well")
    for path in (named.captures, named.labels, named.flows):
        if not Path(path).exists():
            raise NettrusionError(f"{path}: no such file or folder; name the captures and their labels")
    say("captures of other origin")
    return cache.elsewhere(named, feature_set, config.data.variant)
