"""The dense classifier: preprocessed features -> ReLU layers -> one logit per class."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from training.models.branched import Branched, Seen
from training.models.parts import Parts

Views = tuple[tuple[str, ...], ...]

WHOLE: Final = ("stat", "packets", "context")
VIEWS: Final[Views] = (
    WHOLE,
    WHOLE,
    ("stat", "context"),
    ("stat", "context"),
    ("packets", "context"),
    ("packets", "context"),
    ("context",),
    ("stat",),
)
"""What each branch is shown of a flow. A benign flow of a kind that nobody recorded looks like an attack in
one part by chance; in all parts it seldom does."""


@dataclass(frozen=True, slots=True)
class Dense(Branched):
    """Branches of two ReLU layers each, merged into one plain network of three layers.

    Attributes:
        width: units of a branch's first layer, the second has half.
        views: parts that each branch sees, where flows come with first packets and context; where they
            have statistics alone there are `branches` that see them all.
    """

    width: int = 32
    views: Views = VIEWS
    name: str = "dense"

    def _seen(self, parts: Parts, inputs: int) -> Seen:
        if not (parts.sequence.size and parts.context.size):
            return np.ones((self.branches, inputs), bool)
        columns = {"stat": parts.stat, "packets": parts.sequence.ravel(), "context": parts.context}
        seen = np.zeros((len(self.views), inputs), bool)
        for branch, view in zip(seen, self.views, strict=True):
            for part in view:
                branch[columns[part]] = True
        return seen

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        from keras import layers

        x = layers.Dropout(self.forget)(given)
        x = layers.Dense(self.width, activation="relu", name=f"wide_{number}")(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(self.width // 2, activation="relu", name=f"narrow_{number}")(x)

    def _merged(self, trained: Any, seen: Seen) -> Any:
        """Return one plain network of three layers with the mean of the branches' logits.

        First layers side by side, 0 where a branch does not look, second layers as blocks on a
        diagonal, last layers stacked.
        """
        import keras

        count = len(seen)
        wide, narrow, logits = (
            [trained.get_layer(f"{name}_{b}").get_weights() for b in range(count)]
            for name in ("wide", "narrow", "logits")
        )
        blocks = np.zeros((count * self.width, count * (self.width // 2)))
        for branch, (kernel, _) in enumerate(narrow):
            rows, columns = kernel.shape
            blocks[branch * rows : (branch + 1) * rows, branch * columns : (branch + 1) * columns] = kernel
        layers = keras.layers
        given = keras.Input((seen.shape[1],), name="features")
        x = layers.Dense(blocks.shape[0], activation="relu", name="wide")(given)
        x = layers.Dense(blocks.shape[1], activation="relu", name="narrow")(x)
        network = keras.Model(given, layers.Dense(logits[0][0].shape[1], name="logits")(x), name=self.name)
        first = np.hstack([kernel * columns[:, None] for (kernel, _), columns in zip(wide, seen, strict=True)])
        for name, kernel, bias in (
            ("wide", first, np.concatenate([b for _, b in wide])),
            ("narrow", blocks, np.concatenate([b for _, b in narrow])),
            ("logits", np.vstack([k for k, _ in logits]) / count, np.mean([b for _, b in logits], axis=0)),
        ):
            network.get_layer(name).set_weights([kernel, bias])
        return network
