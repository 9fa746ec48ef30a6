"""The seed's language model: two Bi-LSTMs over the words before, a softmax over the word that follows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.models.reproducible import seed_everything
from training.seeds.sequences.counting import Floats
from training.seeds.sequences.windows import LENGTH, Text

SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Recipe:
    """Embedding -> Bi-LSTM -> dropout -> Bi-LSTM -> dense -> softmax, by Nadam: the seed's own sizes.

    `epochs`, `batch` and `rows` are ours: at most `rows` training rows are used, evenly spread over
    the time of training. Both directions run over what came before alone, never over the word itself.
    """

    embedding: int = 100
    cells: int = 50
    dropout: float = 0.35
    dense: int = 50
    epochs: int = 4
    batch: int = 256
    rows: int = 12_000

    def network(self, words: int) -> Any:
        """Return the untrained model: (n, LENGTH) int32 -> (n, words) probabilities."""
        import keras

        layers = keras.layers
        given = keras.Input((LENGTH,), dtype="int32", name="before")
        x = layers.Embedding(words, self.embedding)(given)
        # Unrolled: a loop over so few steps costs more than the steps.
        x = layers.Bidirectional(layers.LSTM(self.cells, return_sequences=True, unroll=True))(x)
        x = layers.Dropout(self.dropout)(x)
        x = layers.Bidirectional(layers.LSTM(self.cells, unroll=True))(x)
        x = layers.Dense(self.dense, activation="relu")(x)
        return keras.Model(given, layers.Dense(words, activation="softmax", name="word")(x), name="services")


class Language:
    """A trained language model; `losses` has the training loss of each epoch, in nats a word."""

    def __init__(self, network: Any, losses: list[float]) -> None:
        self.losses = losses
        self._network = network
        self._weights = network.get_weights()

    def probability(self, text: Text) -> Floats:
        """Return (n,) p(word | those before), at least SMALLEST. Rows with the same words are asked for once."""
        asked, number = text.distinct()
        self._network.set_weights(self._weights)
        given: npt.NDArray[np.float32] = self._network.predict(asked.before, batch_size=1024, verbose=0)
        own = given[np.arange(len(asked)), asked.word].astype(np.float64)
        return np.asarray(np.maximum(own, SMALLEST)[number])


class School:
    """Trains the recipe's network on one text, once a seed; the graph is traced once, which costs most of it.

    The same seed gives the same model on one machine, whatever was trained before.
    """

    def __init__(self, recipe: Recipe, text: Text, words: int) -> None:
        import keras

        if len(text) > recipe.rows:
            text = text.rows(np.linspace(0, len(text) - 1, recipe.rows).astype(np.int64))
        self._recipe, self._text, self._words = recipe, text, words
        self._network = recipe.network(words)
        optimizer = keras.optimizers.Nadam()
        optimizer.build(self._network.trainable_variables)
        self._network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
        self._start = [variable.numpy() for variable in optimizer.variables]

    def teach(self, seed: int) -> Language:
        """Train from new weights on the text and return the model."""
        seed_everything(seed)
        for own, new in zip(self._network.variables, self._recipe.network(self._words).variables, strict=True):
            own.assign(new)
        for variable, start in zip(self._network.optimizer.variables, self._start, strict=True):
            variable.assign(start)
        fitted = self._network.fit(
            self._text.before,
            self._text.word,
            epochs=self._recipe.epochs,
            batch_size=self._recipe.batch,
            verbose=0,
        )
        return Language(self._network, [float(loss) for loss in fitted.history["loss"]])
