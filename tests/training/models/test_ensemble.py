"""Two networks become one score, and each can raise it."""

import numpy as np
import pytest

from exporter import graph
from exporter.scoring import Mixture, Scoring
from tests.training.models import wire
from training.datasets.labels import CLASSES
from training.models.autoencoder import Autoencoder
from training.models.dense import Dense
from training.models.ensemble import RATIOS, TIE, Ensemble, mix
from training.models.inputs import benign_medians

ATTACK = np.repeat([False, True], 500)
SMALL = Ensemble(
    classifier=Dense(width=8, epochs=16, batch=64),
    novelty=Autoencoder(width=16, middle=6, epochs=8, batch=64),
)


@pytest.fixture(scope="module")
def fitted():
    return SMALL.fit(wire.lesson(), 1)


def test_attacks_score_above_benign_flows(fitted):
    held = wire.lesson().calibration
    score = fitted.score(held.features)
    assert np.median(score[~held.benign]) > np.quantile(score[held.benign], 0.9)
    assert fitted.classes == ("benign", "scan", "bruteforce", "anomaly")
    probability = fitted.probability(held.features)
    assert probability.shape == (len(held), len(CLASSES))
    assert probability.sum(axis=1) == pytest.approx(1)


def test_the_graph_says_what_the_candidate_said(fitted):
    lesson = wire.lesson()
    scoring = Scoring(
        "ensemble",
        fitted.classes,
        fitted.preprocessing,
        benign_medians(lesson.train),
        loss_scale=fitted.loss_scale,
        mixture=fitted.mixture,
    )
    rows = lesson.calibration.features
    found = graph.run(graph.assemble(fitted.network, scoring), rows)
    assert found.score == pytest.approx(1 / (1 + np.exp(-fitted.score(rows))), abs=1e-5)


def told(rng, n, margin, surprise):
    """Return logits over benign and two attacks, and surprise, around two numbers."""
    first = rng.normal(margin, 1, n)
    return np.stack([np.zeros(n), first, first - 4], axis=1), np.maximum(rng.normal(surprise, 1, n), 0)


def both(benign, attack):
    """Return logits and surprise of 500 benign rows and 500 attacks, each given as margin and surprise."""
    rng = np.random.default_rng(0)
    return (np.concatenate(pair) for pair in zip(told(rng, 500, *benign), told(rng, 500, *attack), strict=True))


def test_an_attack_that_nobody_learnt_gives_novelty_its_weight():
    logits, surprise = both((-4, 0.3), (4, 6))
    mixture = mix(logits, surprise, ATTACK, np.ones(1000), rate=0.01)
    assert mixture.classifier > 0 and mixture.novelty > 0
    level = np.quantile(mixture.classifier * logits[:500, 1] + mixture.novelty * surprise[:500], 0.99)
    # One that the classifier takes for benign is called all the same.
    assert mixture.classifier * -4 + mixture.novelty * 6 > level
    assert mix(logits, np.zeros(1000), ATTACK, np.ones(1000)).novelty == 0


def recall(mixture, logits, surprise):
    """Return the share of the 500 attacks that is called where 1 % of the 500 benign rows is."""
    total = mixture.classifier * np.logaddexp(logits[:, 1], logits[:, 2]) + mixture.novelty * surprise
    return (total[500:] > np.quantile(total[:500], 0.99)).mean()


@pytest.mark.parametrize(("benign", "attack"), [((-2, 5), (2, 0)), ((-2, 1), (2, 1)), ((-2, 1), (0, 3))])
def test_novelty_weighs_as_much_as_costs_nothing_on_what_was_learnt(benign, attack):
    logits, surprise = both(benign, attack)
    mixture = mix(logits, surprise, ATTACK, np.ones(1000), rate=0.01)
    best = max(recall(Mixture(1, ratio, 0), logits, surprise) for ratio in RATIOS)
    assert recall(mixture, logits, surprise) >= best - TIE - 0.005
    higher = [ratio for ratio in RATIOS if ratio > 1.01 * mixture.novelty / mixture.classifier]
    assert all(recall(Mixture(1, ratio, 0), logits, surprise) < best - TIE + 0.005 for ratio in higher)
    assert higher == [*RATIOS[1:]] or mixture.novelty > 0


def test_without_attacks_both_count_alike():
    assert mix(np.zeros((5, 2)), np.ones(5), np.zeros(5, bool), np.ones(5)).novelty == 1
