"""Whether a machine and a configuration are fit to run the sensor, check by check, with the remedies.

    for finding in examine(Scene(config)):
        print(finding.line(20))

Every check tells what it found, also one that could not be made (without the rights for it, for instance).
Nothing is changed and no event is sent.
"""

from collections.abc import Callable, Iterator

from sensor.doctor.clock import check_clock, check_step, reading
from sensor.doctor.disk import check_disk
from sensor.doctor.finding import Finding, Outcome
from sensor.doctor.judging import check_model, check_rules, check_runtime
from sensor.doctor.kernel import check_capability, check_processors, check_system
from sensor.doctor.memory import check_memory
from sensor.doctor.packages import check_packages
from sensor.doctor.reach import check_metrics, check_outputs
from sensor.doctor.scene import Scene
from sensor.doctor.unit import check_unit
from sensor.doctor.wire import check_interfaces, check_rings
from sensor.errors import NettrusionError

__all__ = ["CHECKS", "Finding", "Outcome", "Scene", "examine"]

Check = Callable[[Scene], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    check_system,
    check_capability,
    check_interfaces,
    check_rings,
    check_processors,
    check_memory,
    check_clock,
    check_runtime,
    check_model,
    check_rules,
    check_disk,
    check_outputs,
    check_metrics,
    check_packages,
    check_unit,
)


def examine(scene: Scene) -> Iterator[Finding]:
    """Make every check and yield what it found, as it is found."""
    before_s = reading()
    for check in CHECKS:
        try:
            yield from check(scene)
        except (NettrusionError, OSError) as error:
            name = check.__name__.removeprefix("check_")
            yield Finding(name, "note", f"could not be checked: {error}")
    yield from check_step(before_s)
