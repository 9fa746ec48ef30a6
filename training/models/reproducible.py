"""One seed for everything that draws a number, one thread where order of sums matters."""

from collections.abc import Iterator
from contextlib import contextmanager


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and make TensorFlow's operators deterministic.

    Repeats bit for bit on the same processor model, pins and number of threads only.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep scikit-learn's compiled loops on one thread: they repeat, and do not spin for each other."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        yield
