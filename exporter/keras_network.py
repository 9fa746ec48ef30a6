"""A Keras network on a sheet: its layers through tf2onnx, its gradient written out by hand.

ONNX has no gradients, so a classifier's contributions need the backward pass as ordinary nodes: for
each layer the product of the gradient behind it with its own derivative, taken from the values of the
forward pass. A layer without such a rule is refused. Sequences are folded into rows first (unroll).
"""

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from exporter.sheet import Sheet
from exporter.unroll import UNSEEN, unrolled
from sensor.detector.graph import OPSETS
from sensor.errors import NettrusionError

_SMOOTH: Final = ("relu", "tanh", "sigmoid", "elu")


class KerasNetwork:
    """A functional or sequential Keras model whose layers are all known here.

    `forward` writes the network, as often as it is called; `backward` writes the gradient of its
    outputs where the last `forward` has put it. A classifier is given without its softmax, as logits.
    """

    def __init__(self, network: Any, *, logits: bool, output: int = 0) -> None:
        """Take a private copy of a network, up to one of its outputs; `logits` takes the softmax off its end.

        Raises NettrusionError for a layer that cannot be exported.
        """
        for layer in network.layers:
            if _activation(layer) not in (*_SMOOTH, "linear", "softmax"):
                raise NettrusionError(
                    f"{layer.name}: the activation {_activation(layer)} cannot be exported; a bundle"
                    f" has {', '.join(_SMOOTH)}"
                )
        self.description = describe(network)
        copy = unrolled(network)
        self._input = copy.inputs[0]
        # Keras orders the layers that an output needs, those of another output left out.
        part = keras.Model(copy.inputs, copy.outputs[output])
        self._layers = [layer for layer in part.layers if type(layer).__name__ != "InputLayer"]
        self._output = self._without_softmax(part.outputs[0]) if logits else part.outputs[0]
        self._values: dict[int, str] = {}

    @property
    def width(self) -> int:
        """Return how many numbers the network makes of a row."""
        return int(self._output.shape[-1])

    @property
    def features(self) -> int:
        """Return how many numbers a row has."""
        return int(self._input.shape[-1])

    @cached_property
    def _taps(self) -> list[Any]:
        """The output, and the values inside that the gradient needs."""
        inside = [layer.output for layer in self._layers if _activation(layer) in _SMOOTH]
        for layer in self._layers:
            inside += layer.input if type(layer).__name__ == "Maximum" else []
        once = {id(tap): tap for tap in inside if tap is not self._output}
        return [self._output, *once.values()]

    @cached_property
    def _proto(self) -> Any:
        """The network as tf2onnx converts it, with all taps as outputs."""
        import tf2onnx

        # tf2onnx reads the names off a model's own outputs: a list keeps their order.
        model = keras.Model(self._input, self._taps)
        return tf2onnx.convert.from_keras(model, opset=OPSETS[""])[0]

    def forward(self, sheet: Sheet, rows: str) -> str:
        """Write the network, applied to the value `rows` (N, k), and return its output (N, width)."""
        written = sheet.inline(self._proto, [rows])
        self._values = {id(tensor): name for tensor, name in zip(self._taps, written, strict=True)}
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
        if kind == "Maximum":
            return self._larger(sheet, layer.input, gradient)
        if kind == "Columns":
            back = np.zeros((len(layer.numbers), layer.input.shape[1]), np.float32)
            back[np.arange(len(layer.numbers)), layer.numbers] = 1
            return [sheet.add("MatMul", gradient, sheet.constant(back))]
        return [gradient]

    def _larger(self, sheet: Sheet, sources: list[Any], gradient: str) -> list[str]:
        """Return the gradient by each input of a maximum: all of it to the largest, the first of equals."""
        pieces: list[str] = []
        largest = self._values[id(sources[0])]
        for source in sources[1:]:
            value = self._values[id(source)]
            here = sheet.clip(sheet.add("Mul", sheet.add("Sub", value, largest), sheet.number(1e30)), 0, 1)
            before = sheet.add("Sub", sheet.number(1), here)
            pieces = [sheet.add("Mul", piece, before) for piece in pieces or [gradient]]
            pieces.append(sheet.add("Mul", gradient, here))
            largest = sheet.add("Max", largest, value)
        return pieces

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
        logits = keras.layers.Dense(last.units, use_bias=last.use_bias, name=f"{last.name}_logits")
        tensor = logits(last.input)
        logits.set_weights(last.get_weights())
        self._layers.append(logits)
        return tensor


def describe(network: Any) -> str:
    """Return the layers that compute in a few words, such as `keras: dense 128 relu, dense 8`."""
    words = []
    for layer in network.layers:
        kind = type(layer).__name__
        if kind not in {*UNSEEN, "InputLayer", "Reshape", "Flatten", "Cropping1D"}:
            size = [str(getattr(layer, "units", getattr(layer, "filters", "")))]
            act = [_activation(layer)] if _activation(layer) != "linear" else []
            words.append(" ".join([kind.lower(), *filter(None, size), *act]))
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
