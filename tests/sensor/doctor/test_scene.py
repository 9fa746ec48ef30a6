"""Files of a machine, read with patience."""

import pytest

from sensor.config import Config
from sensor.doctor.scene import Scene
from tests.sensor.doctor.made import scene


def test_files_fields_and_numbers(tmp_path):
    files = {"/proc/meminfo": "MemTotal:  7 kB\nMemFree: 5 kB\n", "/sys/a": "12\n", "/sys/b": "max\n"}
    made = scene(tmp_path, files=files)
    assert made.field("/proc/meminfo", "MemFree") == "5 kB"
    assert made.field("/proc/meminfo", "Mem") is None
    assert (made.number("/sys/a"), made.number("/sys/b"), made.number("/sys/c")) == (12, None, None)
    assert made.read("/sys") is None


@pytest.mark.parametrize(("effective", "may"), [("0000000000002000", True), ("0000000000001fff", False), ("", False)])
def test_the_capability_is_a_bit_of_what_is_effective(tmp_path, effective, may):
    made = scene(tmp_path, files={"/proc/self/status": f"CapPrm:\tffffffffffffffff\nCapEff:\t{effective}\n"})
    assert made.may_capture is may


def test_without_anything_said_it_is_this_machine():
    assert Scene(Config()).read("/proc/self/status") is not None
