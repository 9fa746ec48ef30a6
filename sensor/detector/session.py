"""ONNX Runtime, opened and run in the one way that gives the same numbers every time."""

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sensor.detector.alike import representatives

BATCH: Final = 1024
"""Flows per run of the network: larger ones cost memory and gain nothing."""
_ROWS: Final = 16
OUTPUTS: Final = ("score", "classes", "contributions")

Matrix = NDArray[np.float32]


class Session:
    """A graph that was admitted, on one CPU thread, without spinning and without telemetry."""

    def __init__(self, data: bytes, outputs: Sequence[str] = OUTPUTS) -> None:
        """Load a model that has these outputs; raises ValueError with ONNX Runtime's reason when it cannot."""
        self._outputs = list(outputs)
        # Later versions open sockets at import unless told not to, before the import.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            raise ValueError(f"ONNX Runtime does not load it: {_first_line(error)}") from error

    def run(self, features: Matrix, batch: int = BATCH) -> tuple[Matrix, ...]:
        """Return the outputs of rows float32 (n, k): score (n,), classes (n, C), contributions (n, k).

        A row's numbers are the same bits whatever rows are run beside it, and however many: every
        batch is filled up to a multiple of 16 rows, because vector instructions round the last,
        incomplete vector of an array another way. So equal rows are run once. Raises ValueError when
        the graph fails.
        """
        alike = representatives(features)
        if alike is None:
            return self._run(features, batch)
        first, place = alike
        return tuple(output[place] for output in self._run(features[first], batch))

    def _run(self, features: Matrix, batch: int) -> tuple[Matrix, ...]:
        parts = [self._batch(features[start : start + batch]) for start in range(0, max(len(features), 1), batch)]
        return tuple(np.concatenate(pieces) for pieces in zip(*parts, strict=True))

    def _batch(self, rows: Matrix) -> list[Matrix]:
        n = len(rows)
        filled = np.zeros((max(-(-n // _ROWS), 1) * _ROWS, rows.shape[1]), np.float32)
        filled[:n] = rows
        try:
            results = self._session.run(self._outputs, {"features": filled})
        except Exception as error:  # onnxruntime's own exceptions share no narrower base
            raise ValueError(f"it does not run: {_first_line(error)}") from error
        return [result[:n] for result in results]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
