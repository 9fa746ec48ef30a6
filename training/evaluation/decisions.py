"""Decisions at one threshold as single figures: Matthews' correlation, and the macro-F1 of the classes.

Both depend on the share of attacks in the data, and are told beside it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a detector decided about n flows; all arrays of shape (n,).

    Attributes:
        family: the family that each flow is of, benign among them.
        above: whether it reaches the threshold.
        called: the class that the detector gives it if it does.
        weight: how many flows it stands for.
    """

    family: npt.NDArray[np.str_]
    above: Mask
    called: npt.NDArray[np.str_]
    weight: Floats

    def mcc(self) -> float:
        """Return the correlation of alerts and attacks (Matthews 1975), -1 to 1; 0 when all or none alert."""
        from sklearn.metrics import matthews_corrcoef

        return float(matthews_corrcoef(self.family != CLASSES[0], self.above, sample_weight=self.weight))

    def macro_f1(self, classes: tuple[str, ...]) -> float | None:
        """Return the mean of the F1 of benign and of each family here that is one of `classes`.

        A flow below the threshold is called benign. Flows of families that are no class are left out, for no
        detector can name them right; None when no attack is left.
        """
        from sklearn.metrics import f1_score

        benign = CLASSES[0]
        names = sorted(set(self.family.tolist()) & {*classes, benign})
        if names == [benign] or not names:
            return None
        rows = np.isin(self.family, names)
        said = np.where(self.above, self.called, benign)[rows]
        return float(
            f1_score(
                self.family[rows], said, labels=names, average="macro", sample_weight=self.weight[rows], zero_division=0
            )
        )
