"""Packages that the sensor does without, unless the configuration asks for what they do."""

import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from sensor.doctor.finding import Finding, Outcome
from sensor.doctor.reach import metrics_place
from sensor.doctor.scene import Scene

PACKAGES: Mapping[str, str] = {
    "redis": "redis",
    "kafka": "confluent-kafka",
    "metrics": "prometheus-client",
    "scapy": "scapy",
    "tshark": "pyshark",
}
"""What brings which package: the name of the extra, and of the distribution."""


def wanted(scene: Scene) -> list[str]:
    """Return the extras that the configuration needs, in the order of `PACKAGES`."""
    config = scene.config
    asked = {sink.type for sink in config.sinks.values()} | {config.capture.source}
    if metrics_place(scene) != "off":
        asked.add("metrics")
    return [extra for extra in PACKAGES if extra in asked]


def check_packages(scene: Scene) -> Iterator[Finding]:
    """Each package that is needed, and the program tshark where it is the source."""
    extras = wanted(scene)
    if not extras:
        yield Finding("packages", "ok", "none needed beside the sensor's own")
    for extra in extras:
        name = PACKAGES[extra]
        try:
            found = version(name)
        except PackageNotFoundError:
            # Without its metrics the sensor runs all the same.
            outcome: Outcome = "warning" if extra == "metrics" else "fail"
            yield Finding(f"package {name}", outcome, "is not installed", f"pip install 'nettrusion[{extra}]'")
        else:
            yield Finding(f"package {name}", "ok", found)
    if "tshark" in extras and shutil.which("tshark", path=scene.environ.get("PATH")) is None:
        yield Finding("program tshark", "fail", "is not installed", "apt install tshark")
