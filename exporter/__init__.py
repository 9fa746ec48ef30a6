"""From a Keras model to one verified ONNX bundle."""
