"""One run from tables to trials: every candidate, every seed, every column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from training.config import SplitConfig, TrainConfig
from training.datasets import folders
from training.datasets.audit import Audit, audit
from training.datasets.manifest import Manifest
from training.datasets.table import FlowTable
from training.evaluation import trials
from training.evaluation.trials import Course, Trial
from training.models.autoencoder import Autoencoder
from training.models.baselines import baselines
from training.models.candidate import Candidate
from training.models.dense import Dense
from training.selection import Choice, choose, standing
from training.splits import Split, violations
from training.splits.days import another_day
from training.splits.family import held_back, leave_one_family_out
from training.splits.grouped import later_the_same_day

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of a run, split and looked over."""

    feature_set: FeatureSet
    table: FlowTable
    manifest: Manifest
    split: Split
    audit: Audit
    course: Course


@dataclass(frozen=True, slots=True)
class Results:
    """All trials: by candidate, and for left-out families by candidate and family."""

    same_day: dict[str, list[Trial]]
    unseen: dict[str, dict[str, list[Trial]]]
    choice: Choice


def prepare(config: TrainConfig, say: Say) -> Prepared:
    """Load, split and audit; refuse a split whose parts touch."""
    feature_set = FeatureSet.load(config.data.feature_set)
    say("reading labelled flows")
    loaded = folders.load(
        [Path(folder) for folder in config.data.folders],
        feature_set,
        config.data.variant,
        config.data.row_limit,
    )
    table = loaded.table
    unknown = set(config.data.exclude) - set(table.feature_names)
    if unknown:
        raise NettrusionError(f"data.exclude: {', '.join(sorted(unknown))}: not in feature set {feature_set.name}")
    split = divide(table, config.split)
    if touching := violations(split, table):
        raise NettrusionError(f"the split is not sound: {'; '.join(touching)}")
    units = {feature.index: feature.unit for feature in feature_set.features}
    course = Course(
        table,
        config.data.exclude,
        times=np.array([i for i, unit in units.items() if unit == "us"], dtype=np.int64),
        rates=np.array([i for i, unit in units.items() if unit.endswith("/s")], dtype=np.int64),
        budgets=config.budgets,
    )
    say(f"{len(table)} flows; looking for smells")
    return Prepared(feature_set, table, loaded.manifest, split, audit(table, split), course)


def divide(table: FlowTable, settings: SplitConfig) -> Split:
    """Split a table as the settings say: by the day, or by time and host pairs."""
    if settings.by == "day":
        days = (settings.train_days, settings.calibration_days, settings.test_days)
        return another_day(table, *days, settings.train_rows_per_label)
    if settings.by != "time":
        raise NettrusionError(f"split.by: expected time or day, found {settings.by!r}")
    return later_the_same_day(
        table,
        settings.calibration,
        settings.test,
        settings.seed,
        settings.train_rows_per_label,
        (settings.benign_calibration, settings.benign_test),
    )


def candidates(config: TrainConfig) -> list[Candidate]:
    """Return the candidates that the settings name, all when they name none."""
    models = config.models
    known: list[Candidate] = [
        *baselines(),
        Dense(epochs=models.epochs, batch=models.batch, width=models.width),
        Autoencoder(),
    ]
    unknown = set(models.candidates) - {one.name for one in known}
    if unknown:
        raise NettrusionError(
            f"models.candidates: no candidate {', '.join(sorted(unknown))};"
            f" known: {', '.join(one.name for one in known)}"
        )
    return [one for one in known if not models.candidates or one.name in models.candidates]


def compete(prepared: Prepared, runners: Sequence[Candidate], seeds: int, say: Say) -> Results:
    """Fit every candidate with every seed, on the whole split and with each family left out."""
    rate = prepared.course.budgets[-1]
    same_day: dict[str, list[Trial]] = {}
    unseen: dict[str, dict[str, list[Trial]]] = {}
    left_out = list(leave_one_family_out(prepared.split, prepared.table))
    for runner in runners:
        say(f"{runner.name}: {len(list(trials.seeds_of(runner, seeds)))} seed(s)")
        same_day[runner.name] = [
            trials.run(runner, prepared.course, prepared.split, seed, None) for seed in trials.seeds_of(runner, seeds)
        ]
        unseen[runner.name] = {}
        for split in left_out:
            if not runner.benign_only:
                say(f"{runner.name}: without {split.unseen[0]}")
            choosing = held_back(prepared.split, split, prepared.table)
            unseen[runner.name][split.unseen[0]] = [
                trials.judged(trial.fitted, prepared.course, split, choosing)
                if runner.benign_only
                else trials.run(runner, prepared.course, split, trial.fitted.seed, choosing)
                for trial in same_day[runner.name]
            ]
    standings = [standing(n, rate, same_day[n], unseen[n]) for n in same_day]
    return Results(same_day, unseen, choose(standings, rate))
