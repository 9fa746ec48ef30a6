"""`nettrusion model show`: what a bundle says of itself, for people."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensor.detector import Detector

SUMMARY = "verify a model and print what it is"
_RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_WIDTH = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion model`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show")
    show = actions.add_parser("show", help=SUMMARY, description=SUMMARY)
    show.add_argument("model", type=Path, help="the bundle, an .onnx file")
    show.add_argument("--signers", type=Path, help="require MODEL.sig, made by one of these keys")
    show.add_argument("--medians", action="store_true", help="print every feature's benign median")


def run(args: argparse.Namespace) -> int:
    """Check the bundle as the sensor would, then print its card."""
    from sensor.detector import Detector
    from sensor.features import FeatureSet

    feature_sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    detector = Detector.load(args.model, feature_sets, allowed_signers=args.signers)
    for line in card(detector, medians=args.medians):
        print(line)
    return 0


def card(detector: "Detector", *, medians: bool = False) -> Iterator[str]:
    """Yield the lines of a bundle's card. Text from the file loses its control characters."""
    meta, admitted = detector.meta, detector.admitted
    yield f"{meta.name} {meta.version}"
    yield from _rows(
        {
            "file": f"{meta.path}",
            "sha256": meta.sha256,
            "kind": meta.kind,
            "network": _plain(meta.network),
            "contributions": meta.contributions,
            "features": f"{meta.feature_set} {meta.feature_set_version}, {admitted.features},"
            f" variant {meta.variant}, hash {meta.feature_set_sha256[:12]}",
            "classes": ", ".join(meta.classes),
            "cost": f"{admitted.work:,} multiply-adds and {admitted.elements:,} numbers a flow,"
            f" {len(admitted.graph.nodes)} nodes",
        }
    )
    yield ""
    yield from _rows(
        {
            "threshold": f"{meta.threshold:.6f}",
            "alert budget": f"{meta.budget.false_positive_rate:g} of benign flows,"
            f" {meta.budget.false_positive_rate * 1e6:,.0f} in a million",
            "measured on": f"{meta.budget.flows:,} benign flows, "
            + ("enough to certify it" if meta.budget.certified else "too few to certify it"),
        }
    )
    yield from _calibration(meta.calibration)
    yield ""
    yield "training"
    yield from _nested(meta.training, "  ")
    if medians:
        yield ""
        yield "benign medians"
        features = detector.feature_set.features
        yield from _rows(
            {feature.name: f"{value:g} {feature.unit}" for feature, value in zip(features, meta.medians, strict=True)}
        )
    if meta.card.strip():
        yield ""
        yield from (_plain(line) for line in meta.card.strip().splitlines())


def _calibration(table: tuple[tuple[float, float], ...]) -> Iterator[str]:
    """Yield which score is reached by one benign flow in ten, in a hundred, and so on."""
    yield "  benign flows in a million at or above a score"
    for rate in _RATES:
        reached = [entry for entry in table if entry[1] <= rate]
        if reached and reached[-1][1] > rate / 10:
            score, share = reached[-1]
            yield f"    {share * 1e6:>11,.1f}  {score:.6f}"


def _rows(values: dict[str, str]) -> Iterator[str]:
    width = max(map(len, values))
    yield from (f"  {name:<{width}}  {value}" for name, value in values.items())


def _nested(value: Any, indent: str) -> Iterator[str]:
    """Yield JSON values as indented lines, as deep as they are read (a few levels)."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list) and item and len(indent) < 12:
            yield f"{indent}{_plain(str(key))}"
            yield from _nested(item, indent + "  ")
        else:
            yield f"{indent}{_plain(str(key))}: {_plain(str(item))}"[:_WIDTH]


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
