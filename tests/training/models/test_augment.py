"""A slower network changes times and rates, and nothing else."""

import numpy as np
import pytest

from tests.training import made
from tests.training.models import wire
from training.models.augment import Variation, lacking, stretch, varied
from training.models.candidate import Lesson
from training.models.inputs import fit_preprocessing
from training.models.parts import Parts


def test_times_grow_as_rates_shrink_and_the_rest_stays():
    table = made.table(rows=2, benign=4)
    lesson = Lesson(table, table, times=np.array([1, 3]), rates=np.array([4]))
    slower = stretch(table.features, lesson, 0.7, seed=1)
    factor = slower[:, 1] / table.features[:, 1]
    assert len(set(factor.tolist())) > 3
    assert slower[:, 3] / table.features[:, 3] == pytest.approx(factor, rel=1e-4)
    assert table.features[:, 4] / slower[:, 4] == pytest.approx(factor, rel=1e-4)
    rest = np.setdiff1d(np.arange(table.features.shape[1]), [1, 3, 4])
    assert np.array_equal(slower[:, rest], table.features[:, rest])


def test_the_same_seed_slows_alike():
    table = made.table(rows=2, benign=4)
    lesson = Lesson(table, table, times=np.array([1]))
    one, other = (stretch(table.features, lesson, 0.5, seed=2) for _ in range(2))
    assert np.array_equal(one, other)


def test_a_packet_s_gap_is_stretched_like_the_duration():
    lesson = wire.lesson()
    rows = lesson.train.features
    slower = stretch(rows, lesson, 0.7, seed=1)
    gap, duration = wire.at("pkt02_gap_us"), wire.at("duration")
    some = rows[:, gap] > 0
    factor = slower[some, duration] / rows[some, duration]
    assert slower[some, gap] / rows[some, gap] == pytest.approx(factor, rel=1e-4)
    assert np.array_equal(slower[:, wire.at("pkt02_size")], rows[:, wire.at("pkt02_size")])


def test_a_share_of_the_rows_loses_a_whole_part():
    rows = wire.table(2000, 3, lacking=0.0).features
    parts = Parts.of(wire.NAMES)
    poorer = lacking(rows, parts, 0.3, seed=1)
    packets, context = ~parts.has_sequence(poorer), ~parts.has_context(poorer)
    assert packets.mean() == pytest.approx(0.3, abs=0.05)
    assert context.mean() == pytest.approx(0.3, abs=0.05)
    assert (packets & context).mean() == pytest.approx(0.09, abs=0.03)
    assert (poorer[packets][:, parts.sequence.ravel()] == 0).all()
    assert np.array_equal(poorer[~packets & ~context], rows[~packets & ~context])
    assert np.array_equal(poorer[:, parts.stat], rows[:, parts.stat])


def test_noise_touches_nothing_that_is_not_there():
    lesson = wire.lesson()
    preprocessing = fit_preprocessing(lesson, packets_alike=True)
    inputs = varied(lesson, preprocessing, Variation(0.5, 0.2, 0.3), seed=1)
    parts = Parts.of(wire.NAMES)
    seen = inputs[:, parts.sequence]
    absent = seen[:, :, 0] == 0
    assert absent.all(axis=1).mean() > 0.3
    assert (seen[absent] == 0).all()
    assert not np.array_equal(inputs[:, parts.stat], preprocessing.apply(lesson.train.features)[:, parts.stat])
