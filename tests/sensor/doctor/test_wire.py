"""Interfaces and rings, on a cable of the test's own."""

import shutil

import pytest

from sensor.doctor.wire import check_interfaces, check_rings
from tests.live.cable import Cable
from tests.packets import udp
from tests.sensor.doctor.made import found, only, scene

RIGHT = {"/proc/self/status": "CapEff:\t0000000000002000\n"}
SMALL = ("capture.ring_mb=1", "capture.block_kb=64")


def test_no_interface_named(tmp_path):
    assert found(check_interfaces, scene(tmp_path))["interface"].outcome == "note"
    assert list(check_rings(scene(tmp_path, files=RIGHT))) == []


def test_an_interface_that_is_not_there(tmp_path):
    made = scene(tmp_path, "capture.interfaces=none0", files=RIGHT)
    finding = found(check_interfaces, made)["interface none0"]
    assert finding.outcome == "fail"
    assert "no such interface" in finding.found
    assert list(check_rings(made)) == []


def test_another_source_is_left_to_it(tmp_path):
    made = scene(tmp_path, "capture.interfaces=none0", "capture.source=tshark")
    assert found(check_interfaces, made)["interface none0"].found == "left to tshark"
    assert list(check_rings(made)) == []


def test_without_the_right_the_rest_is_checked_and_that_is_told(tmp_path):
    made = scene(tmp_path, "capture.interfaces=lo")
    assert "loopback" in found(check_interfaces, made)["interface lo"].found
    finding = only(check_rings, made)
    assert (finding.outcome, finding.found) == ("note", "1 x 64 MiB not checked: that needs CAP_NET_RAW")


def test_losses_of_the_card_and_a_missing_carrier(tmp_path, cable: Cable):
    there = f"/sys/class/net/{cable.interface}"
    files = {f"{there}/carrier": "0\n", f"{there}/statistics/rx_fifo_errors": "4\n"}
    with cable.inside("sensor"):
        findings = found(check_interfaces, scene(tmp_path, f"capture.interfaces={cable.interface}", files=files))
    assert "without a carrier" in findings[f"interface {cable.interface}"].found
    assert "lost 4 packets" in findings[f"card {cable.interface}"].found


def test_an_interface_up_and_down(tmp_path, cable: Cable):
    made = scene(tmp_path, f"capture.interfaces={cable.interface}", "capture.filter=udp port 53")
    with cable.inside("sensor"):
        findings = found(check_interfaces, made)
        assert findings[f"interface {cable.interface}"].found == "is up, Ethernet, MTU 1500"
        assert findings[f"filter {cable.interface}"].outcome == "ok"
        assert findings["home_net"].found.startswith("private and link-local networks")
        cable.run("sensor", "ip", "address", "add", "192.0.2.9/24", "dev", cable.interface)
        cable.run("sensor", "ip", "link", "set", cable.interface, "down")
        findings = found(check_interfaces, made)
    down = findings[f"interface {cable.interface}"]
    assert (down.outcome, f"ip link set {cable.interface} up" in down.remedy) == ("warning", True)
    assert "192.0.2." in findings["home_net"].found


@pytest.mark.parametrize(("state", "outcome"), [("on", "warning"), ("off", "ok")])
def test_offloads(tmp_path, cable: Cable, state, outcome):
    if not shutil.which("ethtool"):
        pytest.skip("offloads are switched by the command ethtool")
    with cable.inside("sensor"):
        cable.run("sensor", "ethtool", "-K", cable.interface, "gro", state)
        finding = found(check_interfaces, scene(tmp_path, f"capture.interfaces={cable.interface}"))
    told = finding[f"offloads {cable.interface}"]
    assert told.outcome == outcome
    assert (f"ethtool -K {cable.interface} gro off" in told.found) is (state == "on")


def test_a_filter_that_is_none(tmp_path, cable: Cable):
    made = scene(tmp_path, f"capture.interfaces={cable.interface}", "capture.filter=port or", files=RIGHT)
    with cable.inside("sensor"):
        assert found(check_interfaces, made)[f"filter {cable.interface}"].outcome == "fail"
        assert only(check_rings, made).outcome == "fail"


def test_rings_are_allocated_and_let_go(tmp_path, cable: Cable):
    made = scene(tmp_path, f"capture.interfaces={cable.interface}", "capture.workers=2", *SMALL, files=RIGHT)
    with cable.inside("sensor"):
        findings = found(check_rings, made)
        listening = len((cable.run("sensor", "cat", "/proc/net/packet")).splitlines()) - 1
    assert findings[f"ring {cable.interface}"].found == "2 x 1 MiB allocated"
    assert findings[f"traffic {cable.interface}"].outcome == "note"
    assert listening == 0


def test_traffic_is_counted(tmp_path, cable: Cable):
    made = scene(tmp_path, f"capture.interfaces={cable.interface}", *SMALL, files=RIGHT, look_s=5.0)
    with cable.inside("sensor"):
        findings = {}
        for finding in check_rings(made):
            findings[finding.check] = finding
            cable.send([udp("10.0.0.1", "10.0.0.2", (1, 2))] * 3)
    traffic = findings[f"traffic {cable.interface}"]
    assert (traffic.outcome, traffic.found) == ("ok", "3 packets while looking")
