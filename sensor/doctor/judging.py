"""What judges flows: the model and the rules, and the run-time that the model needs."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from sensor.doctor.finding import Finding
from sensor.doctor.scene import Scene
from sensor.errors import NettrusionError
from sensor.rulebook import read_directory, rule_variables
from sensor.scoring import load_detector, threshold
from sensor.sources.interface import home_networks

SWITCH = "ORT_DISABLE_TELEMETRY"
QUIET_BEFORE = (1, 29)
"""Versions of ONNX Runtime from this one on open sockets when they are imported."""


def check_runtime(scene: Scene) -> Iterator[Finding]:
    """ONNX Runtime: one that keeps to itself."""
    try:
        found = version("onnxruntime")
    except PackageNotFoundError:
        yield Finding("onnxruntime", "fail", "is not installed", "pip install 'onnxruntime<1.29'")
        return
    numbers = tuple(int(word) for word in re.findall(r"\d+", found)[:2])
    switch = scene.environ.get(SWITCH, "1")
    if numbers >= QUIET_BEFORE:
        remedy = "pip install 'onnxruntime<1.29'"
        yield Finding("onnxruntime", "warning", f"{found} opens sockets when it is loaded", remedy)
    elif switch != "1":
        yield Finding("onnxruntime", "warning", f"{found}, and {SWITCH} is {switch!r}", f"set {SWITCH}=1")
    else:
        yield Finding("onnxruntime", "ok", f"{found}, which keeps to itself; {SWITCH}=1")


def check_model(scene: Scene) -> Iterator[Finding]:
    """The model: it loads, is signed where that is demanded, and fits the sensor's features."""
    config = scene.config.detector
    try:
        detector = load_detector(scene.config)
    except NettrusionError as error:
        yield Finding("model", "fail", str(error))
        return
    meta = detector.meta
    signed = "signature good" if config.signers else "no signature asked for"
    yield Finding(
        "model",
        "ok",
        f"{meta.name} {meta.version}, sha256 {meta.sha256[:16]}, features {meta.feature_set} "
        f"{meta.feature_set_version}, {signed}, threshold {threshold(scene.config, detector):.4f}",
    )
    if not meta.budget.certified and config.threshold == "model":
        yield Finding(
            "alert budget",
            "note",
            f"its threshold was set on {meta.budget.flows:,} benign flows, too few to certify "
            f"{meta.budget.false_positive_rate * 1e6:g} false alerts in a million",
        )


def check_rules(scene: Scene) -> Iterator[Finding]:
    """The rules: every line can be honoured, and says what it probably means."""
    config = scene.config
    given = config.rules.directory
    folder = Path(given) if given else Path(str(files("rules")))
    auto = home_networks(config.capture.interfaces) if config.sensor.home_net == "auto" else None
    reading = read_directory(folder, rule_variables(config, auto))
    remedy = f"all of them: nettrusion rules check {given}".rstrip()
    found = f"{len(reading.rules)} rules in {reading.files} files of {folder}"
    if reading.faults:
        yield Finding("rules", "fail", f"{len(reading.faults)} errors in {folder}: {reading.faults[0]}", remedy)
    elif not reading.rules:
        yield Finding("rules", "fail", f"{folder} has no rule, so nothing can alert", remedy)
    elif reading.warnings:
        yield Finding("rules", "warning", f"{found}, {len(reading.warnings)} warnings: {reading.warnings[0]}", remedy)
    else:
        yield Finding("rules", "ok", found)
