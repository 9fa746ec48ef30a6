"""Every detector finds what was planted, repeats, and learns from labels only where it says so."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.seeds import connections
from training.datasets.nsl_kdd import read
from training.seeds.nsl_kdd import TEST, TRAIN
from training.seeds.nsl_kdd_models import (
    CHOSEN,
    CHOSEN_LATER,
    Neighbours,
    SeedAutoencoder,
    TamedAutoencoder,
    Together,
    Trees,
    detectors,
    weights,
)


def parts(tmp_path):
    folder = connections.write(tmp_path)
    whole = read([folder / TRAIN, folder / TEST])
    return whole.of(TRAIN), whole.of(TEST)


@pytest.mark.parametrize(
    "detector",
    [
        SeedAutoencoder(epochs=80),
        TamedAutoencoder(epochs=5),
        Neighbours(),
        Neighbours(k=2, contrast=0.5),
        Together((TamedAutoencoder(epochs=3), Neighbours()), name="both"),
        next(one for one in detectors() if isinstance(one, Trees)),
    ],
    ids=lambda detector: detector.name,
)
def test_planted_attacks_score_higher_and_a_seed_repeats(tmp_path, detector):
    train, test = parts(tmp_path)
    scores = detector.fit(train, 1)(test)
    assert scores.shape == (len(test),)
    assert np.isfinite(scores).all()
    assert roc_auc_score(test.attack, scores) > 0.9
    assert np.array_equal(scores, detector.fit(train, 1)(test))


@pytest.mark.parametrize("detector", [SeedAutoencoder(epochs=1), TamedAutoencoder(epochs=1), Neighbours()])
def test_without_labels_no_attack_row_but_for_the_seed_s_scale_changes_anything(tmp_path, detector):
    train, test = parts(tmp_path)
    assert not detector.labels
    scores = detector.fit(train, 0)(test)
    normal = train.rows(train.benign)
    if isinstance(detector, SeedAutoencoder):
        # Its scale is that of all train rows, as it was.
        normal = replace(train, attack=train.attack.copy())
    assert np.allclose(scores, detector.fit(normal, 0)(test), rtol=1e-4, atol=1e-6)


def test_a_known_row_is_near_and_contrast_prefers_what_is_like_an_attack(tmp_path):
    train, _ = parts(tmp_path)
    plain, contrasted = Neighbours().fit(train, 0)(train), Neighbours(contrast=0.5).fit(train, 0)(train)
    assert plain[train.benign].max() < -4
    gained = contrasted - plain
    assert gained[train.attack].min() > gained[train.benign].max()


def test_the_seed_tells_its_last_training_loss(tmp_path):
    train, _ = parts(tmp_path)
    _, loss = SeedAutoencoder(epochs=2).fit_with_loss(train, 0)
    assert 0 < loss < 1


def test_together_weighs_parts_alike(tmp_path):
    train, test = parts(tmp_path)
    alone = Together((Neighbours(),), name="one").fit(train, 0)(test)
    twice = Together((Neighbours(), Neighbours()), name="two").fit(train, 0)(test)
    assert np.allclose(alone, twice)
    assert not Together((Neighbours(),), name="x").labels
    assert Together((Neighbours(), Neighbours(contrast=1.0)), name="x").labels


def test_a_large_type_counts_by_its_root_and_both_sides_count_alike(tmp_path):
    train, _ = parts(tmp_path)
    fewer = train.rows(np.flatnonzero((train.label != "smurf") | (np.cumsum(train.label == "smurf") <= 4)))
    found = weights(fewer)
    assert found[fewer.attack].sum() == pytest.approx(found[fewer.benign].sum())
    mass = {label: found[fewer.label == label].sum() for label in ("smurf", "satan")}
    assert mass["satan"] / mass["smurf"] == pytest.approx((15 / 4) ** 0.5)


def test_names_are_not_used_twice():
    names = [detector.name for detector in detectors()]
    assert len(set(names)) == len(names)
    labels = {detector.name: detector.labels for detector in detectors()}
    for chosen in (CHOSEN, CHOSEN_LATER):
        assert {labels[name]: name for name in chosen.values()} == chosen
