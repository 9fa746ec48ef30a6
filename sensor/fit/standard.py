"""What traffic is held against: the calibration that is in force, and what the model was trained on."""

from dataclasses import dataclass
from typing import Literal, Self

from sensor.calibration import AlertBudget, Calibration
from sensor.detector import BundleMeta
from sensor.drift import Reference
from sensor.fit.spread import Spread
from sensor.fit.told import Told

Basis = Literal["own", "bundle"]


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """A standard.

    Attributes:
        threshold: the score, 0 to 1, from which on a flow may alert.
        basis: whose scores `spread` has: the operator's own calibrated traffic, or the bundle's benign flows.
        spread: how scores should be spread.
        features: where features should lie: those that events tell where there are any among the traffic, or all.
        told: how features are read off events, None where there are only captures.
        known: how many features the bundle knows the places of.
        budget: how many alerts there should be at most, None where nobody has said.
        share: the share of flows that should reach the threshold by the bundle, None where a budget says it.
        classes: names of the model's classes.
    """

    threshold: float
    basis: Basis
    spread: Spread
    features: Reference
    told: Told | None
    known: int
    budget: AlertBudget | None
    share: float | None
    classes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        meta: BundleMeta,
        threshold: float,
        calibration: Calibration | None,
        budget: AlertBudget | None,
        told: Told | None = None,
    ) -> Self:
        """Return the standard of a model; a budget that is given goes before that of the calibration.

        With events among the traffic `told` is what they say of features; only these are compared then.
        """
        features = Reference.of(meta)
        table = meta.calibration if calibration is None else calibration.table
        if budget is None and calibration is not None:
            budget = calibration.budget
        within = [share for score, share in meta.calibration if score >= threshold]
        return cls(
            threshold=threshold,
            basis="bundle" if calibration is None else "own",
            spread=Spread.of(table, threshold),
            features=features if told is None else features.only(told.names),
            told=told,
            known=len(features.names),
            budget=budget,
            share=None if budget is not None else max([meta.budget.false_positive_rate, *within[-1:]]),
            classes=meta.classes,
        )

    @property
    def threshold_ppm(self) -> int:
        """The lowest score in millionths that reaches the threshold."""
        return -int(-self.threshold * 1e6 // 1)
