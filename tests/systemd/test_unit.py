"""The shipped files as they are written: how exposed the unit is, and where an installation puts them."""

import configparser
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

LIMIT = 1.3


@pytest.fixture
def installed(repo: Path, tmp_path: Path) -> Path:
    """Return the folder into which the units are installed."""
    if shutil.which("make") is None:
        pytest.skip("the units are installed by the program make")
    subprocess.run(["make", "-s", "-C", str(repo / "systemd"), "install", f"DESTDIR={tmp_path}"], check=True)
    return tmp_path


def exposure(root: Path, unit: str = "nettrusion@eth0.service") -> float:
    """Return systemd's own figure for the unit installed under a folder: 0 nothing open, 10 everything."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("the exposure is computed by the program systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--root={root}", unit],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


def test_the_unit_is_hardly_exposed(installed: Path):
    assert exposure(installed) <= LIMIT


def test_what_carries_the_metrics_is_less_exposed_still(installed: Path):
    assert exposure(installed, "nettrusion-metrics@eth0.service") <= 0.9


def test_taking_a_restriction_out_shows_in_the_figure(installed: Path):
    unit = installed / "usr/lib/systemd/system/nettrusion@.service"
    before = exposure(installed)
    unit.write_text(unit.read_text().replace("\nCapabilityBoundingSet=CAP_NET_RAW", ""))
    assert exposure(installed) > before


@pytest.mark.parametrize(
    ("name", "limit"), [("network-sinks.conf", 2.0), ("static-user.conf", LIMIT), ("credentials.conf", LIMIT)]
)
def test_a_drop_in_costs_no_more_than_it_must(repo: Path, installed: Path, name: str, limit: float):
    folder = installed / "etc/systemd/system/nettrusion@.service.d"
    folder.mkdir(parents=True)
    shutil.copy(repo / "systemd/drop-ins" / name, folder)
    assert exposure(installed) <= limit


def test_every_setting_of_the_service_has_its_reason(repo: Path):
    """Each line stands under a comment, its own or that of the settings right above it."""
    unexplained, explained = [], False
    service = (repo / "systemd/nettrusion@.service").read_text().partition("[Service]\n")[2].partition("[Install]")[0]
    for line in service.splitlines():
        if not line or line.startswith("# ----"):
            explained = line.startswith("# ---- ") and ":" in line
        elif line.startswith("#"):
            explained = True
        elif not explained:
            unexplained.append(line)
    assert not unexplained


def test_the_operators_page_names_every_drop_in(repo: Path):
    page = (repo / "docs/operations.md").read_text()
    missing = [path.name for path in (repo / "systemd/drop-ins").glob("*.conf") if path.name not in page]
    assert not missing


def test_an_installation_puts_everything_in_its_place(installed: Path):
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    places = {name for name in found if "/drop-ins/" not in name}
    assert places == {
        "etc/logrotate.d/nettrusion",
        "etc/nettrusion/sensor.toml",
        "usr/lib/systemd/system/nettrusion-metrics@.service",
        "usr/lib/systemd/system/nettrusion-metrics@.socket",
        "usr/lib/systemd/system/nettrusion@.service",
        "usr/lib/tmpfiles.d/nettrusion.conf",
        "usr/share/doc/nettrusion/operations.md",
    }
    assert stat.S_IMODE((installed / "etc/nettrusion/credentials").stat().st_mode) == 0o700


def test_an_installation_keeps_the_operators_configuration(repo: Path, installed: Path):
    config = installed / "etc/nettrusion/sensor.toml"
    config.write_text("[sensor]\nname = 'edge'\n")
    subprocess.run(
        ["make", "-s", "-C", str(repo / "systemd"), "install", f"DESTDIR={installed}", "STATIC_USER=yes"], check=True
    )
    assert "edge" in config.read_text()
    assert (installed / "usr/lib/sysusers.d/nettrusion.conf").is_file()
    assert (installed / "usr/lib/systemd/system/nettrusion@.service.d/static-user.conf").is_file()


def test_the_time_to_stop_is_longer_than_the_time_to_drain(repo: Path):
    from sensor.config import Config

    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string((repo / "systemd/nettrusion@.service").read_text())
    stop_s = int(unit["Service"]["TimeoutStopSec"].removesuffix("s"))
    assert stop_s >= Config().daemon.drain_s + 10
