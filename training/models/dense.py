"""The dense classifier: preprocessed features -> ReLU layers -> one logit per class."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.models.branched import Branched
from training.models.parts import Parts


@dataclass(frozen=True, slots=True)
class Dense(Branched):
    """Branches of two ReLU layers each, merged into one plain network of three layers.

    Attributes:
        width: units of a branch's first layer, the second has half.
    """

    width: int = 64
    name: str = "dense"

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        from keras import layers

        x = layers.Dropout(self.forget)(given)
        x = layers.Dense(self.width, activation="relu", name=f"wide_{number}")(x)
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(self.width // 2, activation="relu", name=f"narrow_{number}")(x)

    def _merged(self, trained: Any) -> Any:
        """Return one plain network of three layers with the mean of the branches' logits.

        First layers side by side, second layers as blocks on a diagonal, last layers stacked.
        """
        import keras

        wide, narrow, logits = (
            [trained.get_layer(f"{name}_{b}").get_weights() for b in range(self.branches)]
            for name in ("wide", "narrow", "logits")
        )
        blocks = np.zeros((self.branches * self.width, self.branches * (self.width // 2)))
        for branch, (kernel, _) in enumerate(narrow):
            rows, columns = kernel.shape
            blocks[branch * rows : (branch + 1) * rows, branch * columns : (branch + 1) * columns] = kernel
        layers = keras.layers
        given = keras.Input((len(wide[0][0]),), name="features")
        x = layers.Dense(blocks.shape[0], activation="relu", name="wide")(given)
        x = layers.Dense(blocks.shape[1], activation="relu", name="narrow")(x)
        network = keras.Model(given, layers.Dense(logits[0][0].shape[1], name="logits")(x), name=self.name)
        for name, kernel, bias in (
            ("wide", np.hstack([k for k, _ in wide]), np.concatenate([b for _, b in wide])),
            ("narrow", blocks, np.concatenate([b for _, b in narrow])),
            (
                "logits",
                np.vstack([k for k, _ in logits]) / self.branches,
                np.mean([b for _, b in logits], axis=0),
            ),
        ):
            network.get_layer(name).set_weights([kernel, bias])
        return network
