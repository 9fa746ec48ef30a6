"""The same hosts, doing more or less of what they do."""

import numpy as np

from tests.training.models import wire
from training.models.crowd import MOST_DISTINCT, busier


def test_counts_grow_together_gaps_shrink_and_shares_stay():
    lesson = wire.lesson()
    rows = lesson.train.features
    changed = busier(rows, lesson, 30.0, seed=1)
    conns, fails, gap = (wire.at(name) for name in ("pair_conns_60s", "src_conns_600s", "pair_gap_mean"))
    some = (rows[:, conns] > 0) & (rows[:, fails] > 0) & (rows[:, gap] > 0)
    factor = changed[some, conns] / rows[some, conns]
    assert np.allclose(changed[some, fails] / rows[some, fails], factor, rtol=1e-4)
    assert np.allclose(rows[some, gap] / changed[some, gap], factor, rtol=1e-4)
    attack = ~lesson.train.benign[some]
    assert factor[attack].min() >= 1.0
    assert factor[attack].max() > 10.0
    assert 0.2 <= factor[~attack].min() < 0.5
    assert 2.0 < factor[~attack].max() <= 5.0


def test_only_the_context_changes_and_distinct_counts_have_an_end():
    lesson = wire.lesson()
    rows = lesson.train.features
    changed = busier(rows, lesson, 1e6, seed=1)
    context = [at for at, name in enumerate(wire.NAMES) if name.startswith(("src_", "dst_", "pair_"))]
    rest = np.setdiff1d(np.arange(rows.shape[1]), context)
    assert np.array_equal(changed[:, rest], rows[:, rest])
    shares = [at for at in context if "share" in wire.NAMES[at] or wire.NAMES[at].endswith(("_cv", "_alike"))]
    assert np.array_equal(changed[:, shares], rows[:, shares])
    ports = wire.at("src_ports_60s")
    assert changed[:, ports].max() <= max(MOST_DISTINCT, rows[:, ports].max())
