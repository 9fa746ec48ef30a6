"""`nettrusion export`: from a folder that training left to one examined bundle."""

import argparse
import os
import sys
from pathlib import Path

SUMMARY = "turn a trained network into one examined ONNX bundle"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("directory", type=Path, help="the folder that `nettrusion train` wrote")
    parser.add_argument("-o", "--output", type=Path, default=Path("model.onnx"), help="the bundle (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Build, examine, then write the bundle; nothing is written when the examination fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import hashlib

    from exporter import bundle, folder, verify
    from sensor.features import FeatureSet

    feature_sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    network, scoring, identity, rows = folder.read(args.directory, feature_sets)
    data = bundle.build(network, scoring, identity)
    report = verify.check(data, network, scoring, rows)
    partial = args.output.with_name(args.output.name + ".partial")
    partial.write_bytes(data)
    partial.replace(args.output)
    for name, value in report.as_dict().items():
        print(f"{name:>28}  {shown(value)}")
    print(f"{'sha256':>28}  {hashlib.sha256(data).hexdigest()}")
    print(f"{args.output}: {identity.name} {identity.version} passed", file=sys.stderr)
    return 0


def shown(value: float | None) -> str:
    """Return a figure of the examination for people."""
    if value is None:
        return "cannot be judged: no alert has features enough at work"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
