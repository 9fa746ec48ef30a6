"""A whole small run on flows made in code, once per winner."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from tests.training import made
from training.bundle import Shipped, ship
from training.config import BudgetConfig, ModelConfig, SplitConfig, TrainConfig
from training.datasets.audit import audit
from training.datasets.manifest import Manifest, SourceFile
from training.datasets.table import FlowTable, join
from training.evaluation.trials import Course
from training.experiment import Prepared, Results, compete, divide, kinds
from training.models.autoencoder import Autoencoder
from training.models.baselines import Supervised, baselines
from training.models.candidate import Candidate, Fitted, Lesson
from training.models.dense import Dense
from training.models.inputs import fit_preprocessing
from training.selection import median_seed
from training.splits.grouped import later_the_same_day


def quick(name: str) -> Candidate:
    """Return a candidate that takes a second instead of a minute."""
    if name == "dense":
        return Dense(branches=2, width=16, epochs=8, batch=128)
    if name == "autoencoder":
        return Autoencoder(width=16, middle=6, epochs=6, batch=64)
    found = next(one for one in baselines() if one.name == name)
    if name == "gradient boosting":
        assert isinstance(found, Supervised)
        build = found.build
        return Supervised(
            name,
            lambda seed: build(seed).set_params(max_iter=12, max_bins=16),
            plain=True,
            exportable=True,
        )
    return found


@cache
def prepare() -> tuple[TrainConfig, Prepared]:
    """Return made flows, split and looked over."""
    config = TrainConfig(budget=BudgetConfig(rate=0.02, report=(0.1,)), models=ModelConfig(seeds=1))
    whole = made.table(rows=40, benign=300)
    few = np.isin(whole.family, ["benign", "dos", "scan", "heartbleed"])
    table = whole.rows(few)
    split = later_the_same_day(table)
    manifest = Manifest("label", ["erratum"], [SourceFile("made.csv", 10, "0" * 64, len(table))])
    for name in table.labels:
        manifest.kept[name] = manifest.totals[name] = 20
    course = Course(table, (), np.array([1]), np.array([14]), config.budgets)
    kinds = {"made": table.sources}
    return config, Prepared(made.feature_set(), table, manifest, split, audit(table, split), course, kinds)


@dataclass
class Spy:
    """A candidate that notes which rows it was shown, and scores by one feature."""

    name: str = "spy"
    seeded: bool = True
    benign_only: bool = False
    shown: list[set[bytes]] = field(default_factory=list, compare=False, repr=False)

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Note train and calibration rows."""
        self.shown.append(identities(lesson.train) | identities(lesson.calibration))
        return Fitted("spy", "baseline", seed, fit_preprocessing(lesson), lambda rows: rows[:, 20].astype(np.float64))


def identities(table: FlowTable) -> set[bytes]:
    """Return what tells each row of a table from others."""
    return {row.tobytes() for row in table.features}


@cache
def two_kinds() -> tuple[TrainConfig, Prepared]:
    """Return three recorded days and a release, made, split each in its way."""
    config = TrainConfig(
        budget=BudgetConfig(rate=0.05, report=(0.1,)),
        models=ModelConfig(seeds=1),
        split=SplitConfig(
            by="mixed", timed=("cicids2017",), train_days=("mon",), calibration_days=("tue",), test_days=("thu",)
        ),
    )
    tables = []
    for number, name in enumerate(("mon", "tue", "thu", "cicids2017")):
        whole = made.table(rows=24, benign=160, seed=number)
        few = whole.rows(np.isin(np.array(whole.labels)[whole.label], ["benign", "portscan", "dos hulk"]))
        keys = {key: getattr(few, key) + np.uint64(10_000 * number) for key in ("tuple_key", "pair_key")}
        tables.append(replace(few, sources=(name,), **keys))
    table = join(tables)
    split = divide(table, config.split)
    manifest = Manifest("label", ["erratum"], [SourceFile("made.csv", 10, "0" * 64, len(table))])
    for name in table.labels:
        manifest.kept[name] = manifest.totals[name] = 20
    course = Course(table, (), np.array([1]), np.array([14]), config.budgets)
    together = kinds(table, config.split)
    return config, Prepared(made.feature_set(), table, manifest, split, audit(table, split), course, together)


@cache
def prepared_run(winner: str) -> tuple[TrainConfig, Prepared, Results, Shipped]:
    """Return a run in which `winner` is the only candidate beside the constant."""
    config, prepared = prepare()
    runners = [quick("constant"), quick(winner)]
    results = compete(prepared, runners, config, lambda text: None)
    trial = median_seed(results.same_day[winner], config.alert_rate)
    return config, prepared, results, ship(trial, prepared, config, "a card")
