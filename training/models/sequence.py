"""The sequence classifier: a convolution over the first packets, joined with statistics and context."""

from dataclasses import dataclass
from typing import Any

from exporter.preprocessing import Preprocessing
from sensor.errors import NettrusionError
from training.models.branched import Branched
from training.models.candidate import Lesson
from training.models.inputs import fit_preprocessing
from training.models.parts import FIRST_PACKET, Parts


@dataclass(frozen=True, slots=True)
class Sequence(Branched):
    """Branches with a small network for each part of the features, joined by a dense layer.

    The first packets go through two convolutions with ReLU, the stronger of two neighbours kept after
    the first. Preprocessing gives a channel one scale in all packets, so that a kernel means the same
    wherever it stands.

    Attributes:
        filters: of each convolution.
        kernel: packets that a convolution sees at once.
        width: units that each part is brought to; all parts together have as many again in common.
    """

    filters: int = 10
    kernel: int = 3
    width: int = 32
    name: str = "sequence"

    def _refuse(self, parts: Parts) -> None:
        if not parts.sequence.size:
            raise NettrusionError(
                f"the candidate {self.name} learns from the first packets, and these features have none"
                f" ({FIRST_PACKET}); use the feature set flow1, or leave it out of models.candidates"
            )

    def _preprocessing(self, lesson: Lesson) -> Preprocessing:
        return fit_preprocessing(lesson, packets_alike=True)

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        from keras import layers

        seen = layers.Dropout(self.forget)(given)
        joined = [layers.Dense(self.width, activation="relu")(self._packets(seen, parts))]
        for columns in (parts.stat, parts.context):
            if len(columns):
                piece = cut(seen, int(columns[0]), int(columns[-1]) + 1)
                joined.append(layers.Dense(self.width, activation="relu")(piece))
        x = layers.Concatenate()(joined) if len(joined) > 1 else joined[0]
        x = layers.Dropout(self.dropout)(x)
        return layers.Dense(self.width, activation="relu")(x)

    def _packets(self, seen: Any, parts: Parts) -> Any:
        """Return what the convolutions make of the first packets, as a row."""
        from keras import layers

        packets, channels = parts.sequence.shape
        first = int(parts.sequence[0, 0])
        x = layers.Reshape((packets, channels))(cut(seen, first, first + packets * channels))
        x = layers.Conv1D(self.filters, self.kernel, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D(2)(x)
        x = layers.Conv1D(self.filters, self.kernel, padding="same", activation="relu")(x)
        return layers.Flatten()(x)


def cut(rows: Any, start: int, end: int) -> Any:
    """Return the columns from `start` to before `end` of Keras rows (n, k), by layers of Keras' own."""
    from keras import layers

    k = int(rows.shape[1])
    piece = layers.Cropping1D((start, k - end))(layers.Reshape((k, 1))(rows))
    return layers.Reshape((end - start,))(piece)
