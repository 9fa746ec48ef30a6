"""A Keras network over rows that says the same without sequences: matrices, and columns picked.

A bundle's operators work on flat rows, and so does the gradient written for them. So the axes of a
sequence are folded into the row, and a layer along it becomes what it is there: a convolution is a
dense layer whose matrix holds the kernel once for each place (a banded, Toeplitz matrix; Strang,
Computational Science and Engineering, 2007, 4.2), cutting is picking columns, pooling is the largest
of neighbours, each made by its own part of the matrix. Twelve packets are so few that the zeros in the
matrix cost no more than moving the numbers around would.
"""

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from sensor.errors import NettrusionError

UNSEEN: Final = frozenset({"Dropout", "GaussianNoise", "GaussianDropout", "ActivityRegularization"})
"""Layers that only training sees."""
_COPIED: Final = frozenset({"Dense", "Activation", "BatchNormalization", "Add", "Concatenate"})
_FOLDED: Final = frozenset({"Reshape", "Flatten", "Cropping1D", "Conv1D", "MaxPooling1D"})
LAYERS: Final = _COPIED | _FOLDED | UNSEEN | {"InputLayer"}


Pick = Callable[[NDArray[np.int64], str], Any]
"""Makes some columns of a value, by their numbers, in a layer of a name."""


class Columns(keras.layers.Layer):  # type: ignore[misc]
    """Picks columns of rows (n, k) by fixed numbers; never saved, so no file names it."""

    def __init__(self, numbers: NDArray[np.int64], name: str) -> None:
        """Take the numbers of the columns, (m,), each 0 to k - 1."""
        super().__init__(name=name)
        self.numbers = np.asarray(numbers, np.int64)

    def call(self, rows: Any) -> Any:
        """Return the columns, (n, m)."""
        return keras.ops.take(rows, self.numbers, axis=1)


def unrolled(network: Any) -> Any:
    """Return a network of the same outputs whose layers are Dense, Activation, BatchNormalization, Add,
    Concatenate, Maximum and Columns over rows alone; the one given stays as it was.

    Raises NettrusionError for a layer that cannot be exported.
    """
    for layer in network.layers:
        if type(layer).__name__ not in LAYERS:
            raise NettrusionError(
                f"the layer {layer.name} ({type(layer).__name__}) cannot be exported; a bundle"
                f" has {', '.join(sorted(LAYERS))}"
            )
    given = network.inputs[0]
    if len(network.inputs) != 1 or len(given.shape) != 2:
        raise NettrusionError("a network has one input of rows")
    # A copy, whose layers are applied once each: one that was read from a file may have more of them.
    copy = keras.models.clone_model(keras.Model(list(network.inputs), list(network.outputs)))
    copy.set_weights(network.get_weights())
    return _Unrolling(copy).network()


class _Unrolling:
    """One network's way from layers along sequences to layers over rows."""

    def __init__(self, network: Any) -> None:
        """Take a network whose layers are applied once each."""
        self._old = network
        self._rows = keras.Input((network.inputs[0].shape[1],), name="features")
        self._flat = {id(network.inputs[0]): self._rows}
        self._convolved: dict[int, Pick] = {}
        self._cuts: dict[tuple[int, bytes], Any] = {}

    def network(self) -> Any:
        """Return the network over rows."""
        for layer in self._old.layers:
            if type(layer).__name__ != "InputLayer":
                sources = layer.input if isinstance(layer.input, list) else [layer.input]
                self._flat[id(layer.output)] = self._made(layer, [self._flat[id(source)] for source in sources])
        return keras.Model(self._rows, [self._flat[id(output)] for output in self._old.outputs], name=self._old.name)

    def _made(self, layer: Any, inputs: list[Any]) -> Any:
        """Return what a layer makes of inputs that are folded into rows."""
        kind = type(layer).__name__
        if kind in UNSEEN or kind in {"Reshape", "Flatten"}:
            return inputs[0]
        if kind in _COPIED:
            return _copied(layer, inputs)
        places, channels = layer.input.shape[1:]
        if kind == "Cropping1D":
            start, end = layer.cropping
            return self._cut(_table(places, channels)[start : places - end].ravel(), layer.name, inputs[0])
        if kind == "MaxPooling1D":
            return self._pooled(layer, _table(places, channels), inputs[0])
        pick = _convolution(layer, places, inputs[0])
        self._convolved[id(layer.output)] = pick
        return pick(np.arange(np.prod(layer.output.shape[1:])), layer.name)

    def _cut(self, numbers: NDArray[np.int64], name: str, rows: Any) -> Any:
        """Return columns of rows; what several branches cut alike is cut once."""
        key = (id(rows), numbers.tobytes())
        if key not in self._cuts:
            self._cuts[key] = Columns(numbers, name)(rows)
        return self._cuts[key]

    def _pooled(self, layer: Any, table: NDArray[np.int64], rows: Any) -> Any:
        """Return the largest of neighbours; those of a convolution are made apart, which saves picking them."""
        size, stride = layer.pool_size[0], layer.strides[0]
        if size != stride or len(table) % size:
            raise NettrusionError(f"{layer.name}: only a pool whose windows lie side by side can be exported")
        if size == 1:
            return rows
        pick = self._convolved.get(id(layer.input)) or _picking(rows)
        neighbours = [pick(table[at::size].ravel(), f"{layer.name}__{at}") for at in range(size)]
        return keras.layers.Maximum(name=layer.name)(neighbours)


def _table(places: int, channels: int) -> NDArray[np.int64]:
    """Return the column of each place and channel, (places, channels)."""
    return np.arange(places * channels).reshape(places, channels)


def _copied(layer: Any, inputs: list[Any]) -> Any:
    """Return what a copy of a layer makes, one that works on rows anyway."""
    kind = type(layer).__name__
    if kind not in {"Add", "Activation"} and len(layer.output.shape) != 2:
        raise NettrusionError(f"the layer {layer.name} ({kind}) works on a sequence; only on rows can it be exported")
    copy = type(layer).from_config(layer.get_config())
    output = copy(inputs if isinstance(layer.input, list) else inputs[0])
    copy.set_weights(layer.get_weights())
    return output


def _picking(rows: Any) -> Pick:
    return lambda numbers, name: Columns(numbers, name)(rows)


def _convolution(layer: Any, places: int, rows: Any) -> Pick:
    """Return what makes some columns of a convolution's output under a name, as a dense layer."""
    simple = layer.groups == 1 and layer.dilation_rate == (1,) and layer.padding in {"same", "valid"}
    if not simple or layer.data_format != "channels_last":
        raise NettrusionError(f"{layer.name}: only a plain convolution, same or valid, can be exported")
    kernel = np.asarray(layer.kernel.value.numpy(), np.float32)
    matrix = banded(kernel, places, layer.strides[0], padded=layer.padding == "same")
    bias = np.tile(np.asarray(layer.bias.value.numpy()), layer.output.shape[1]) if layer.use_bias else None

    def pick(numbers: NDArray[np.int64], name: str) -> Any:
        dense = keras.layers.Dense(len(numbers), activation=layer.activation, use_bias=bias is not None, name=name)
        output = dense(rows)
        dense.set_weights([matrix[:, numbers]] if bias is None else [matrix[:, numbers], bias[numbers]])
        return output

    return pick


def banded(kernel: NDArray[np.float32], places: int, stride: int, *, padded: bool) -> NDArray[np.float32]:
    """Return a convolution as a matrix, (places x channels, outputs x filters), of its kernel.

    `kernel` is (width, channels, filters). With `padded` zeros stand around the sequence as TensorFlow's
    "same" puts them, the smaller half in front; without, a window lies within it.
    """
    width, channels, filters = kernel.shape
    outputs = -(-places // stride) if padded else (places - width) // stride + 1
    missing = max((outputs - 1) * stride + width - places, 0) if padded else 0
    matrix = np.zeros((places, channels, outputs, filters), np.float32)
    for output in range(outputs):
        first = output * stride - missing // 2
        for at in range(max(first, 0), min(first + width, places)):
            matrix[at, :, output] = kernel[at - first]
    return matrix.reshape(places * channels, outputs * filters)
