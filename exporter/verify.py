"""The examination of a finished bundle: nothing is shipped that has not passed it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from exporter import occlusion, reference
from exporter.dirty import dirty_rows
from exporter.graph import Outputs, family, run
from exporter.scoring import Scoring
from sensor.detector.admission import Admitted, admit
from sensor.detector.meta import BundleMeta, read_meta
from sensor.errors import NettrusionError

ROWS: Final = 10_000
SCORE_TOLERANCE: Final = 1e-5
"""Largest difference of a score or probability between the bundle and the framework."""
CONTRIBUTION_TOLERANCE: Final = 1e-3
"""Largest difference of a contribution, relative to the largest of its row."""
_KINKS: Final = 0.002
"""Share of rows whose gradient may differ: those that rounding puts on a ReLU's other side."""
RANK_FLOOR: Final = 0.1
TOP_FLOOR: Final = 0.4
"""A bundle is refused whose contributions agree less with occlusion, on its real rows: a forest's paths,
the weakest explanation here, were measured at 0.16 and 0.61; reasons drawn by lot have 0 and 0.02."""
_EXPLAINED: Final = {"forest": 200, "linear": 2_000, "keras": 2_000}


class VerifyError(NettrusionError):
    """A bundle that must not be shipped, and why."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the examination measured; None is what could not be judged (see `exporter.occlusion.Agreement`)."""

    rows: int
    bytes: int
    nodes: int
    elements: int
    work: int
    max_score_difference: float
    max_class_difference: float
    max_contribution_difference: float
    decisions_at_tolerance: int
    occluded_alerts: int
    occlusion_rank_correlation: float | None
    occlusion_top_share: float | None

    def as_dict(self) -> dict[str, float | None]:
        """Return the figures by name, for a card."""
        return asdict(self)


def check(data: bytes, network: Any, scoring: Scoring, rows: NDArray[np.float32], count: int = ROWS) -> Report:
    """Examine a bundle against the network it was built from.

    `rows` are real raw features, float32 (n, k), n at least 1; dirty ones are added up to `count`.
    Checked: ONNX's own checker in full; all that a sensor checks when it loads a file; score and
    classes equal the framework's; the same bits in every batch and at every place in it; no decision
    changes at any threshold; contributions equal the reference, and agree with occlusion on alerts among
    the real rows (on the highest scores where there are none). Raises VerifyError with the first thing
    that is wrong.
    """
    admitted, meta = _structure(data)
    mixed = dirty_rows(rows, count)
    outputs = run(data, mixed)
    _range(outputs)
    _batches(data, mixed, outputs)
    score, classes = reference.scores(network, scoring, mixed)
    score_difference = _largest(score, outputs.score)
    class_difference = _largest(classes, outputs.classes)
    if max(score_difference, class_difference) > SCORE_TOLERANCE:
        raise VerifyError(
            f"the bundle's scores differ from the network's by {score_difference:.2g}, its classes"
            f" by {class_difference:.2g}; {SCORE_TOLERANCE:.0e} is allowed"
        )
    contribution_difference = _explanations(network, scoring, mixed, outputs)
    agreed = _occlusion(data, rows, meta)
    return Report(
        rows=len(mixed),
        bytes=len(data),
        nodes=len(admitted.graph.nodes),
        elements=admitted.elements,
        work=admitted.work,
        max_score_difference=score_difference,
        max_class_difference=class_difference,
        max_contribution_difference=contribution_difference,
        decisions_at_tolerance=_decisions(meta, score, outputs.score),
        occluded_alerts=agreed.alerts,
        occlusion_rank_correlation=agreed.rank_correlation,
        occlusion_top_share=agreed.top_share,
    )


def _structure(data: bytes) -> tuple[Admitted, BundleMeta]:
    """Let the sensor's gate and ONNX's checker look at the bytes."""
    try:
        admitted = admit(data)
        meta = read_meta(Path("bundle"), "0" * 64, admitted.graph.metadata)
        onnx.checker.check_model(onnx.load_model_from_string(data), full_check=True)
        return admitted, meta
    except (ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise VerifyError(f"the bundle is not one that a sensor takes: {error}") from error


def _range(outputs: Outputs) -> None:
    for name in ("score", "classes", "contributions"):
        if not np.isfinite(getattr(outputs, name)).all():
            raise VerifyError(f"the output {name} is not finite on every row")
    for name in ("score", "classes"):
        values = getattr(outputs, name)
        if values.min() < 0 or values.max() > 1 + 1e-6:
            raise VerifyError(f"the output {name} leaves 0 to 1")


def _batches(data: bytes, rows: NDArray[np.float32], outputs: Outputs) -> None:
    """A flow's numbers must not depend on the flows beside it, not by one bit."""
    order = np.random.default_rng(1).permutation(len(rows))
    few = slice(0, 1_000)
    for name, seen, batch in (
        ("alone", rows[few], 1),
        ("by 7", rows[few], 7),
        ("by 256", rows, 256),
        ("in another order", rows[order], 1024),
    ):
        other = run(data, seen, batch)
        place = order if seen.shape == rows.shape and batch == 1024 else slice(0, len(seen))
        for output in ("score", "classes", "contributions"):
            if not np.array_equal(getattr(other, output), getattr(outputs, output)[place]):
                raise VerifyError(f"rows scored {name} have another {output} than by 1024")


def _decisions(meta: BundleMeta, expected: NDArray[np.float64], score: NDArray[np.float32]) -> int:
    """Return how many decisions hang on rounding; raise if one changes that does not.

    Thresholds are the bundle's own, at which no decision may change at all; every score of the
    calibration table; and every thousandth. A row within rounding of a threshold is counted.
    """
    changed = (score >= meta.threshold) != (expected >= meta.threshold)
    if changed.any():
        raise VerifyError(
            f"{int(changed.sum())} of {len(score)} decisions change at the bundle's threshold"
            f" {meta.threshold}; set it between two scores that lie further apart"
        )
    levels = np.unique([*(level for level, _ in meta.calibration), *np.arange(1, 1000) / 1000])
    counted = 0
    for level in levels:
        changed = (score >= level) != (expected >= level)
        if (np.abs(expected[changed] - level) > SCORE_TOLERANCE).any():
            raise VerifyError(f"decisions change at the threshold {level:g}")
        counted += int(changed.sum())
    return counted


def _explanations(network: Any, scoring: Scoring, rows: NDArray[np.float32], outputs: Outputs) -> float:
    """Return the largest difference of contributions, relative to their row's largest."""
    step = max(len(rows) // _EXPLAINED[family(network)], 1)
    expected = reference.contributions(network, scoring, rows[::step])
    found = outputs.contributions[::step].astype(np.float64)
    size = np.maximum(np.abs(expected).max(axis=1), 1e-6)
    difference = np.abs(found - expected).max(axis=1) / size
    if not np.abs(found).any():
        raise VerifyError("every contribution is zero: the bundle would explain nothing")
    if (difference > CONTRIBUTION_TOLERANCE).mean() > _KINKS:
        raise VerifyError(
            f"contributions differ from the reference by up to {difference.max():.2g} of a row's"
            f" largest in {(difference > CONTRIBUTION_TOLERANCE).mean():.2%} of the rows"
        )
    return float(np.quantile(difference, 1 - _KINKS))


def _occlusion(data: bytes, rows: NDArray[np.float32], meta: BundleMeta) -> occlusion.Agreement:
    """Return how contributions agree with occlusion; raise where that is too little to explain an alert.

    A figure that no alert can be judged by refuses nothing.
    """
    found = occlusion.agreement(data, rows, np.array(meta.medians, np.float32), meta.threshold)
    low = [
        words.format(value, least)
        for value, least, words in (
            (found.rank_correlation, RANK_FLOOR, "a rank correlation of {:.2f} ({:g} is the least)"),
            (found.top_share, TOP_FLOOR, "the costliest feature is a reason in {:.0%} ({:.0%} is the least)"),
        )
        if value is not None and value < least
    ]
    if low:
        raise VerifyError(f"contributions do not agree with occlusion in {found.alerts} alerts: {'; '.join(low)}")
    return found


def _largest(expected: NDArray[np.float64], found: NDArray[np.float32]) -> float:
    return float(np.abs(expected - found).max())
