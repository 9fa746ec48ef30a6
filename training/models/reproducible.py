"""One seed for everything that draws a number."""


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and make TensorFlow's operators deterministic.

    Repeats bit for bit on the same processor model, pins and number of threads only.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
