"""The service: what its sandbox does not let the sensor do, though this command may."""

import re
from collections.abc import Iterator

from sensor.doctor.disk import output_files
from sensor.doctor.finding import Finding
from sensor.doctor.reach import metrics_place
from sensor.doctor.scene import Scene

FOLDERS = ("etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
UNIT = "nettrusion@.service"


def check_unit(scene: Scene) -> Iterator[Finding]:
    """Where the unit is installed: outputs over the network, and paths that begin elsewhere there."""
    folders = [folder for folder in FOLDERS if (scene.root / folder / UNIT).is_file()]
    if not folders:
        return
    over = [f"sinks.{name}" for name, sink in scene.config.sinks.items() if sink.address]
    if not metrics_place(scene).startswith("unix:") and metrics_place(scene) != "off":
        over.append("metrics.listen")
    if over and not _has_network(scene):
        remedy = "give it one: systemctl edit nettrusion@IFACE, as drop-ins/network-sinks.conf"
        yield Finding("unit", "warning", f"{', '.join(over)} need a network, which the service has not", remedy)
    relative = [f"{one.key}.path" for one in output_files(scene) if not one.path.is_absolute()]
    if relative:
        words = f"{', '.join(relative)}: checked here, but in the service a path that is not absolute begins in its log"
        yield Finding("unit", "note", f"{words} directory, /var/log/nettrusion")


def _has_network(scene: Scene) -> bool:
    """Whether a drop-in allows the Internet's address families."""
    for folder in FOLDERS:
        for path in (scene.root / folder).glob("nettrusion@*.service.d/*.conf"):
            text = scene.read(str(path.relative_to(scene.root))) or ""
            if re.search(r"^RestrictAddressFamilies=(?!~).*\bAF_INET\b", text, re.MULTILINE):
                return True
    return False
