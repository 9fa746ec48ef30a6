"""A Keras network on a sheet: its layers through tf2onnx, its gradient written out by hand.

ONNX has no gradients, so a classifier's contributions need the backward pass as ordinary nodes: for
each layer the product of the gradient behind it with its own derivative, taken from the values of the
forward pass. A layer without such a rule is refused.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from exporter.sheet import Sheet
from sensor.detector.graph import OPSETS
from sensor.errors import NettrusionError

_NOTHING: Final = ("Dropout", "GaussianNoise", "GaussianDropout", "ActivityRegularization")
"""Layers that only training sees."""
_SMOOTH: Final = ("relu", "tanh", "sigmoid", "elu")
LAYERS: Final = frozenset({"InputLayer", "Dense", "Activation", "BatchNormalization", "Add", "Concatenate", *_NOTHING})


class KerasNetwork:
    """A functional or sequential Keras model whose layers are all known here.

    `forward` writes the network; `backward` writes the gradient of its outputs, and may be called
    once after it. A classifier is given without its softmax, as logits.
    """

    def __init__(self, network: Any, *, logits: bool) -> None:
        """Take a private copy of a network; `logits` takes the softmax off its end.

        Raises NettrusionError for a layer that cannot be exported.
        """
        for layer in network.layers:
            if type(layer).__name__ not in LAYERS:
                raise NettrusionError(
                    f"the layer {layer.name} ({type(layer).__name__}) cannot be exported; a bundle"
                    f" has {', '.join(sorted(LAYERS))}"
                )
            if _activation(layer) not in (*_SMOOTH, "linear", "softmax"):
                raise NettrusionError(
                    f"{layer.name}: the activation {_activation(layer)} cannot be exported; a bundle"
                    f" has {', '.join(_SMOOTH)}"
                )
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        self.description = describe(network)
        self._layers = [layer for layer in copy.layers if type(layer).__name__ != "InputLayer"]
        self._input = copy.inputs[0]
        if len(copy.inputs) != 1 or len(copy.outputs) != 1 or len(self._input.shape) != 2:
            raise NettrusionError("a network has one input of rows and one output")
        self._output = self._without_softmax(copy.outputs[0]) if logits else copy.outputs[0]
        self._values: dict[int, str] = {}

    @property
    def width(self) -> int:
        """Return how many numbers the network makes of a row."""
        return int(self._output.shape[-1])

    @property
    def features(self) -> int:
        """Return how many numbers a row has."""
        return int(self._input.shape[-1])

    def forward(self, sheet: Sheet, rows: str) -> str:
        """Write the network, applied to the value `rows` (N, k), and return its output (N, width)."""
        import tf2onnx

        taps = [layer.output for layer in self._layers if _activation(layer) in _SMOOTH]
        taps = [tap for tap in taps if tap is not self._output]
        # tf2onnx reads the names off a model's own outputs: a list keeps their order.
        model = keras.Model(self._input, [self._output, *taps])
        proto, _ = tf2onnx.convert.from_keras(model, opset=OPSETS[""])
        written = sheet.inline(proto, [rows])
        self._values = {id(tensor): name for tensor, name in zip([self._output, *taps], written, strict=True)}
        return written[0]

    def backward(self, sheet: Sheet, gradient: str) -> str:
        """Write the gradient by the rows (N, k), given the one by the output (N, width)."""
        gradients = {id(self._output): gradient}
        for layer in reversed(self._layers):
            behind = gradients.pop(id(layer.output), None)
            if behind is None:
                continue
            sources = layer.input if isinstance(layer.input, list) else [layer.input]
            for source, piece in zip(sources, self._pull(sheet, layer, behind), strict=True):
                known = gradients.get(id(source))
                gradients[id(source)] = sheet.add("Add", known, piece) if known else piece
        return gradients[id(self._input)]

    def _pull(self, sheet: Sheet, layer: Any, gradient: str) -> list[str]:
        """Return the gradient by each input of a layer, given the one by its output."""
        kind = type(layer).__name__
        if (activation := _activation(layer)) in _SMOOTH:
            gradient = _DERIVATIVES[activation](sheet, gradient, self._values[id(layer.output)])
        elif activation != "linear":
            raise NettrusionError(f"{layer.name}: {activation} may only stand at a classifier's end")
        if kind == "Dense":
            kernel = sheet.constant(_array(layer.kernel))
            return [sheet.add("Gemm", gradient, kernel, transB=1)]
        if kind == "BatchNormalization":
            return [sheet.add("Mul", gradient, sheet.constant(_normalisation(layer)))]
        if kind == "Add":
            return [gradient] * len(layer.input)
        if kind == "Concatenate":
            ends = np.cumsum([0, *(source.shape[-1] for source in layer.input)])
            columns = [np.arange(*pair) for pair in pairwise(ends)]
            return [sheet.add("Gather", gradient, sheet.constant(at), axis=1) for at in columns]
        return [gradient]

    def _without_softmax(self, output: Any) -> Any:
        """Return the logits whose softmax a classifier's output is."""
        last = next(layer for layer in self._layers if layer.output is output)
        if _activation(last) == "linear":
            return output
        if _activation(last) != "softmax":
            raise NettrusionError(f"a classifier ends in softmax over all classes, not in {_activation(last)}")
        self._layers.remove(last)
        if type(last).__name__ == "Activation":
            return last.input
        logits = keras.layers.Dense(last.units, use_bias=last.use_bias, name="logits")
        tensor = logits(last.input)
        logits.set_weights(last.get_weights())
        self._layers.append(logits)
        return tensor


def describe(network: Any) -> str:
    """Return the layers that compute in a few words, such as `keras: dense 128 relu, dense 8`."""
    words = []
    for layer in network.layers:
        kind = type(layer).__name__
        if kind not in (*_NOTHING, "InputLayer"):
            size = [str(layer.units)] if kind == "Dense" else []
            act = [_activation(layer)] if _activation(layer) != "linear" else []
            words.append(" ".join([kind.lower(), *size, *act]))
    return ("keras: " + ", ".join(words))[:200]


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", function))


def _array(variable: Any) -> NDArray[np.float32]:
    return np.asarray(variable.value.numpy(), np.float32)


def _normalisation(layer: Any) -> NDArray[np.float32]:
    """Return the factor of a batch normalisation at inference, one number a column."""
    variance = _array(layer.moving_variance).astype(np.float64)
    gamma = _array(layer.gamma) if layer.scale else np.ones_like(variance)
    return np.asarray(gamma / np.sqrt(variance + layer.epsilon), np.float32)


def _relu(sheet: Sheet, gradient: str, value: str) -> str:
    return sheet.add("Mul", gradient, sheet.sign(value))


def _tanh(sheet: Sheet, gradient: str, value: str) -> str:
    square = sheet.add("Mul", value, value)
    return sheet.add("Mul", gradient, sheet.add("Sub", sheet.number(1), square))


def _sigmoid(sheet: Sheet, gradient: str, value: str) -> str:
    rest = sheet.add("Sub", sheet.number(1), value)
    return sheet.add("Mul", gradient, sheet.add("Mul", value, rest))


def _elu(sheet: Sheet, gradient: str, value: str) -> str:
    below = sheet.add("Min", value, sheet.number(0))
    slope = sheet.add("Add", below, sheet.number(1))
    return sheet.add("Mul", gradient, slope)


_DERIVATIVES: Final[dict[str, Callable[[Sheet, str, str], str]]] = {
    "relu": _relu,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "elu": _elu,
}
