"""A whole small run on flows made in code, once per winner."""

from functools import cache

import numpy as np

from tests.training import made
from training.bundle import Shipped, ship
from training.config import BudgetConfig, ModelConfig, TrainConfig
from training.datasets.audit import audit
from training.datasets.manifest import Manifest, SourceFile
from training.evaluation.trials import Course
from training.experiment import Prepared, Results, compete
from training.models.autoencoder import Autoencoder
from training.models.baselines import Supervised, baselines
from training.models.candidate import Candidate
from training.models.dense import Dense
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
    return config, Prepared(made.feature_set(), table, manifest, split, audit(table, split), course)


@cache
def prepared_run(winner: str) -> tuple[TrainConfig, Prepared, Results, Shipped]:
    """Return a run in which `winner` is the only candidate beside the constant."""
    config, prepared = prepare()
    runners = [quick("constant"), quick(winner)]
    results = compete(prepared, runners, 1, lambda text: None)
    trial = median_seed(results.same_day[winner], config.alert_rate)
    return config, prepared, results, ship(trial, prepared, config, "a card")
