"""The smell audit: what in a data set would make any figure too good to be true."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from training.splits.parts import Split


class Audited(Protocol):
    """A table as far as the audit looks at it: flows, or the rows of a benchmark."""

    def __len__(self) -> int:
        """How many rows there are."""

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """(n, k) what a model would be given."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the k columns."""

    @property
    def benign(self) -> npt.NDArray[np.bool_]:
        """(n,) true where a row is no attack."""


@dataclass(frozen=True, slots=True)
class Stump:
    """One feature alone, cut once: what it reaches on the test part."""

    feature: str
    balanced_accuracy: float


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts of suspicious rows and columns, and the features that alone nearly decide.

    `duplicate_rows` have the features of an earlier row; `train_in_test` counts test rows whose
    features occur in train; `contradicting_rows` share their features with a row of the other side
    (benign or attack): no model can get both right.
    """

    rows: int
    duplicate_rows: int
    train_in_test: int
    train_in_test_benign: int
    contradicting_rows: int
    constant_columns: list[str]
    stumps: list[Stump]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)

    def lines(self, top: int = 10) -> list[str]:
        """Return the audit as sentences, the strongest `top` stumps last."""
        said = [
            f"{self.rows} rows, {self.duplicate_rows} with the features of an earlier row",
            f"{self.train_in_test} test rows ({self.train_in_test_benign} of them benign)"
            " have features that also occur in train",
            f"{self.contradicting_rows} rows share all features with a row of the other side",
            f"constant in train: {', '.join(self.constant_columns) or 'none'}",
        ]
        said += [
            f"stump on {stump.feature}: balanced accuracy {stump.balanced_accuracy:.3f}" for stump in self.stumps[:top]
        ]
        return said


def audit(table: Audited, split: Split) -> Audit:
    """Look a split table over; stumps are fitted on train and scored on test."""
    vector = _vector_ids(table.features)
    attack = ~table.benign
    sides = np.zeros((int(vector.max(initial=0)) + 1, 2), dtype=np.bool_)
    sides[vector, attack.astype(np.int64)] = True
    in_train = np.isin(vector[split.test], vector[split.train])
    train = table.features[split.train]
    constant = np.asarray(train.min(axis=0) == train.max(axis=0))
    return Audit(
        rows=len(table),
        duplicate_rows=len(table) - len(np.unique(vector)),
        train_in_test=int(in_train.sum()),
        train_in_test_benign=int((in_train & table.benign[split.test]).sum()),
        contradicting_rows=int(np.asarray(sides.all(axis=1))[vector].sum()),
        constant_columns=[table.feature_names[i] for i in np.flatnonzero(constant)],
        stumps=_stumps(table, split),
    )


def _vector_ids(features: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Return the same number for rows with bit-identical features."""
    packed = np.ascontiguousarray(features).view(np.dtype((np.void, features.shape[1] * features.itemsize)))
    _, ids = np.unique(packed.ravel(), return_inverse=True)
    return np.asarray(ids, dtype=np.int64).reshape(-1)


def _stumps(table: Audited, split: Split) -> list[Stump]:
    """Return one stump per feature, the best first."""
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.tree import DecisionTreeClassifier

    attack = ~table.benign
    found = []
    for column, name in enumerate(table.feature_names):
        values = table.features[:, [column]]
        tree = DecisionTreeClassifier(max_depth=1, class_weight="balanced", random_state=0)
        tree.fit(values[split.train], attack[split.train])
        reached = balanced_accuracy_score(attack[split.test], tree.predict(values[split.test]))
        found.append(Stump(name, float(reached)))
    return sorted(found, key=lambda stump: (-stump.balanced_accuracy, stump.feature))
