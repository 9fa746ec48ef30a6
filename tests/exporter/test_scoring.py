"""What belongs together in a scoring, and the map from loss to score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.scoring import LossScale, Mixture, Scoring
from sensor.errors import NettrusionError
from tests.sensor.detector.made import CLASSES, linear

PREPROCESSING, MEDIANS = linear()[1].preprocessing, linear()[1].medians
MIXED = {
    "kind": "ensemble",
    "classes": (*CLASSES, "anomaly"),
    "loss_scale": LossScale(0.3, 2.5),
    "mixture": Mixture(0.5, 2.0, -1.0),
}


def score(scale, loss):
    return loss**scale.exponent / (loss**scale.exponent + scale.middle**scale.exponent)


@given(st.floats(0.2, 3), st.floats(-3, 3))
def test_the_median_lies_at_a_tenth_and_the_high_quantile_at_a_half(width, centre):
    losses = np.exp(np.random.default_rng(1).normal(centre, width, 2_000))
    scale = LossScale.fit(losses)
    assert score(scale, np.median(losses)) == pytest.approx(0.1)
    assert score(scale, np.quantile(losses, 0.999)) == pytest.approx(0.5)


@pytest.mark.parametrize("losses", [[1.0] * 9, [0.0] * 9, [1.0, 2.0, np.inf]])
def test_losses_that_give_no_scale_are_refused(losses):
    with pytest.raises(NettrusionError, match="give no scale; calibrate on more flows"):
        LossScale.fit(np.array(losses))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"classes": ("dos", "benign")}, "not benign and others"),
        ({"classes": ("benign",)}, "not benign and others"),
        ({"classes": ("benign", "dos", "dos")}, "each once"),
        ({"medians": MEDIANS[:2]}, "one finite number a feature"),
        ({"medians": MEDIANS * np.float32(np.nan)}, "one finite number a feature"),
        ({"temperature": 0}, "not above 0"),
        ({"kind": "autoencoder", "loss_scale": LossScale(1, 1)}, "classes benign and anomaly"),
        ({"kind": "autoencoder", "classes": ("benign", "anomaly")}, "has a loss_scale"),
        ({"loss_scale": LossScale(1, 1)}, "a classifier has none"),
        ({"mixture": Mixture(1, 1, 0)}, "nothing else has one"),
        (MIXED | {"mixture": None}, "an ensemble has a mixture"),
        (MIXED | {"loss_scale": None}, "ensemble has a loss_scale"),
        (MIXED | {"classes": CLASSES}, "anomaly last"),
        (MIXED | {"classes": ("benign", "anomaly")}, "anomaly last"),
    ],
)
def test_what_does_not_belong_together_is_refused(changes, reason):
    good = {"kind": "classifier", "classes": CLASSES, "preprocessing": PREPROCESSING, "medians": MEDIANS}
    with pytest.raises(NettrusionError, match=reason):
        Scoring(**(good | changes))


def test_json_gives_back_the_same():
    for scoring in (
        Scoring("classifier", CLASSES, PREPROCESSING, MEDIANS, temperature=1.7),
        Scoring("autoencoder", ("benign", "anomaly"), PREPROCESSING, MEDIANS, loss_scale=LossScale(0.3, 2.5)),
        Scoring(
            "ensemble",
            (*CLASSES, "anomaly"),
            PREPROCESSING,
            MEDIANS,
            loss_scale=LossScale(0.3, 2.5),
            mixture=Mixture(0.5, 2.0, -1.0),
        ),
    ):
        again = Scoring.from_json(scoring.to_json())
        assert again.to_json() == scoring.to_json()
        assert (again.loss_scale, again.mixture, again.classes) == (
            scoring.loss_scale,
            scoring.mixture,
            scoring.classes,
        )


@pytest.mark.parametrize("weights", [(-0.1, 1, 0), (1, -0.1, 0), (0, 0, 1), (1, np.nan, 0), (1, 1, np.inf)])
def test_a_mixture_in_which_a_reason_would_speak_against_itself_is_refused(weights):
    with pytest.raises(NettrusionError, match="a weight below 0, none above 0"):
        Mixture(*weights)
