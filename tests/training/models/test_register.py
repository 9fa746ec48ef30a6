"""Every candidate is known by the name that it bears, and settings reach it."""

from tests.training import made
from tests.training.models import wire
from training.config import ModelConfig
from training.models import registry
from training.models.dense import Dense


def test_each_candidate_bears_the_name_under_which_it_is_known():
    made = {name: factory(ModelConfig()) for name, factory in registry().items()}
    assert {name: one.name for name, one in made.items()} == {name: name for name in made}
    assert next(iter(made)) == "constant"
    assert {"gradient boosting", "dense", "autoencoder"} <= set(made)


def test_settings_reach_a_network():
    one = registry()["dense"](ModelConfig(epochs=3, batch=7, width=11))
    assert isinstance(one, Dense)
    assert (one.epochs, one.batch, one.width) == (3, 7, 11)


def test_without_packets_nothing_is_offered_that_learns_from_them():
    assert "sequence" in registry(wire.NAMES)
    assert "sequence" not in registry(made.table(2, 4).feature_names)
    assert set(registry()) - set(registry(made.table(2, 4).feature_names)) == {"sequence"}
