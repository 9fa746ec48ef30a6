"""A bundle without the output that explains gives the same scores, and nothing else."""

import onnx
import onnxruntime
import pytest

from sensor.detector.scoring import without_output
from sensor.detector.session import Session
from tests.sensor.detector.made import good
from tests.sensor.detector.test_session import ROWS


def outputs(model: bytes) -> list[str]:
    """Return the outputs that ONNX Runtime finds."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [output.name for output in session.get_outputs()]


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_only_the_one_output_is_gone(kind):
    model = good(kind)
    assert outputs(model) == ["score", "classes", "contributions"]
    assert outputs(without_output(model, "contributions")) == ["score", "classes"]
    assert without_output(model, "nothing") == model


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_the_scores_are_those_of_the_whole_model(kind):
    model = good(kind)
    alone = Session(without_output(model, "contributions"), ("score", "classes")).run(ROWS)
    whole = Session(model).run(ROWS)
    for one, other in zip(alone, whole[:2], strict=True):
        assert one == pytest.approx(other, abs=1e-6)


@pytest.mark.parametrize("kind", ["linear", "forest"])
def test_what_leads_to_that_output_alone_is_gone_too(kind):
    whole, alone = (onnx.load_model_from_string(data).graph for data in (good(kind), scoring_part(kind)))
    assert len(alone.node) < len(whole.node)
    used = {name for node in alone.node for name in node.input} | {output.name for output in alone.output}
    assert {name for node in alone.node for name in node.output} <= used
    assert {tensor.name for tensor in alone.initializer} == used & {tensor.name for tensor in whole.initializer}


def scoring_part(kind: str) -> bytes:
    """Return the bytes of a good bundle's part that scores."""
    return without_output(good(kind), "contributions")


def test_bytes_cut_short_are_an_error():
    with pytest.raises(ValueError, match="cut short"):
        without_output(good("linear")[:-5], "contributions")
