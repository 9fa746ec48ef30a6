"""Two Keras networks over the same rows as one network of two outputs, which one file holds."""

from typing import Any

from sensor.errors import NettrusionError


def beside(classifier: Any, autoencoder: Any) -> Any:
    """Return a network whose outputs are a classifier's and an autoencoder's over one input.

    The weights are copies; neither network changes. Raises NettrusionError when their rows differ in
    width.
    """
    import keras

    if classifier.inputs[0].shape != autoencoder.inputs[0].shape:
        raise NettrusionError(
            f"a classifier of {classifier.inputs[0].shape[-1]} features and an autoencoder of"
            f" {autoencoder.inputs[0].shape[-1]} cannot stand side by side"
        )
    start = keras.Input(classifier.inputs[0].shape[1:], name="features")
    outputs = []
    for network in (classifier, autoencoder):
        # A plain functional model, also of a Sequential one, and one that takes a list of inputs.
        whole = keras.Model(list(network.inputs), list(network.outputs))
        copy = keras.models.clone_model(whole, input_tensors=[start])
        copy.set_weights(whole.get_weights())
        outputs.append(copy.outputs[0])
    return keras.Model(start, outputs, name="ensemble")
