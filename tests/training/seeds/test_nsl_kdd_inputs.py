"""What a network is given: learnt from train rows alone, whatever comes later."""

from dataclasses import replace

import numpy as np

from tests.training.seeds import connections
from training.seeds.nsl_kdd_inputs import min_max, tamed


def test_the_seed_s_scale_is_nought_to_one_and_constants_are_nought(tmp_path):
    train = connections.train(tmp_path)
    inputs = min_max(train)
    given = inputs.apply(train)
    assert given.dtype == np.float32
    assert (given.min(), given.max()) == (0.0, 1.0)
    assert given.shape == (len(train), 38 + 1 + 3 + 4)
    assert not given[:, inputs.columns.index("num_outbound_cmds")].any()
    hot = given[:, 38:]
    assert (hot.sum(axis=1) == 3).all()


def test_a_word_that_train_does_not_have_is_nothing(tmp_path):
    train = connections.train(tmp_path)
    other = replace(train, words={**train.words, "service": ("domain", "http", "private", "smtp")})
    other.values[:, other.names.index("service")] = 0
    own = min_max(connections.train(tmp_path)).apply(other)
    assert (own[:, 38:].sum(axis=1) == 2).all()


def test_tamed_inputs_are_centred_and_never_beyond_their_limit(tmp_path):
    train = connections.train(tmp_path)
    inputs = tamed(train, limit=4.0)
    given = inputs.apply(train)
    assert abs(given[:, inputs.columns.index("src_bytes")].mean()) < 1e-5
    wild = train.rows(np.array([0]))
    wild.values[:, wild.names.index("src_bytes")] = 1e12
    wild.values[:, wild.names.index("num_outbound_cmds")] = 1
    row = inputs.apply(wild)[0]
    assert row[inputs.columns.index("src_bytes")] == 4.0
    assert row[inputs.columns.index("num_outbound_cmds")] > 0
    assert np.isfinite(row).all()


def test_heavy_columns_are_logarithms(tmp_path):
    train = connections.train(tmp_path)
    inputs = tamed(train)
    place = inputs.columns.index("src_bytes")
    assert np.allclose(inputs.numbers(train)[:, place], np.log1p(train.column("src_bytes")))
    place = inputs.columns.index("dst_host_same_srv_rate")
    assert np.allclose(inputs.numbers(train)[:, place], train.column("dst_host_same_srv_rate"))
