"""A row's numbers are the same bits in every batch and at every place in it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.detector.session import BATCH, Session
from tests.sensor.detector.made import good, sample

ROWS, _ = sample(1_500, seed=5)
SESSIONS = {kind: Session(good(kind)) for kind in ("linear", "forest")}
ALL = {kind: session.run(ROWS) for kind, session in SESSIONS.items()}


@pytest.mark.parametrize("kind", ["linear", "forest"])
@given(st.integers(0, 1_400), st.integers(1, 60), st.integers(1, 70))
def test_a_row_does_not_depend_on_its_neighbours(kind, start, count, batch):
    rows = slice(start, start + count)
    for whole, part in zip(ALL[kind], SESSIONS[kind].run(ROWS[rows], batch), strict=True):
        assert np.array_equal(whole[rows], part)


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_nor_on_its_place(kind):
    order = np.random.default_rng(1).permutation(len(ROWS))
    for whole, part in zip(ALL[kind], SESSIONS[kind].run(ROWS[order]), strict=True):
        assert np.array_equal(whole[order], part)


@pytest.mark.parametrize("kind", ["linear", "forest"])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=100))
def test_equal_rows_have_the_results_of_one(kind, chosen):
    for whole, part in zip(ALL[kind], SESSIONS[kind].run(ROWS[chosen]), strict=True):
        assert np.array_equal(whole[chosen], part)


def test_equal_rows_are_run_once(monkeypatch):
    session, sizes = Session(good("linear")), []
    whole = session._batch

    def counted(rows):
        sizes.append(len(rows))
        return whole(rows)

    monkeypatch.setattr(session, "_batch", counted)
    session.run(np.repeat(ROWS[:3], 2000, axis=0))
    assert sizes == [3]


def test_no_rows_give_empty_results_of_the_right_width():
    score, classes, contributions = SESSIONS["linear"].run(np.zeros((0, 6), np.float32))
    assert (score.shape, classes.shape, contributions.shape) == ((0,), (0, 3), (0, 6))


def test_large_inputs_are_cut_into_batches():
    assert len(ROWS) > BATCH
    assert ALL["linear"][0].shape == (len(ROWS),)


def test_what_onnx_runtime_refuses_is_a_value_error():
    with pytest.raises(ValueError, match="ONNX Runtime does not load it"):
        Session(b"\x08\x08")


def test_rows_of_another_width_fail_in_a_sentence():
    with pytest.raises(ValueError, match="it does not run"):
        SESSIONS["linear"].run(np.zeros((1, 7), np.float32))


def test_telemetry_is_off_before_onnx_runtime_is_imported():
    code = (
        "import os, sys; from sensor.detector.session import Session\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "try: Session(b'')\n"
        "except ValueError: print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "ORT_DISABLE_TELEMETRY")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
