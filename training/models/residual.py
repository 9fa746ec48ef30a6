"""The residual classifier: a dense layer, then blocks that each add a correction to what came before."""

from dataclasses import dataclass
from typing import Any

from training.models.branched import Branched
from training.models.parts import Parts


@dataclass(frozen=True, slots=True)
class Residual(Branched):
    """Branches of `blocks` residual blocks over all features (He et al., 2016, with dense layers).

    Attributes:
        width: units of every layer.
        blocks: each is dense, ReLU, dense, added to its input, ReLU.
    """

    width: int = 48
    blocks: int = 2
    name: str = "residual"

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        from keras import layers

        x = layers.Dropout(self.forget)(given)
        x = layers.Dense(self.width, activation="relu")(x)
        for _ in range(self.blocks):
            y = layers.Dense(self.width, activation="relu")(x)
            y = layers.Dropout(self.dropout)(y)
            y = layers.Dense(self.width)(y)
            x = layers.Activation("relu")(layers.Add()([x, y]))
        return x
