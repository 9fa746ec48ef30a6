"""The system, the right to capture, and the processors."""

import errno
import os
import socket
import sys

import pytest

from sensor.doctor.kernel import check_capability, check_processors, check_system
from tests.sensor.doctor.made import found, only, scene

RIGHT = {"/proc/self/status": "CapEff:\t0000000000002000\n"}


def test_linux_will_do(tmp_path):
    finding = only(check_system, scene(tmp_path))
    assert finding.outcome == "ok"
    assert finding.found.startswith(f"Linux {os.uname().release}, Python 3.")


@pytest.mark.parametrize(("source", "outcome"), [("ring", "fail"), ("scapy", "ok")])
def test_elsewhere_there_is_scapy(tmp_path, monkeypatch, source, outcome):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert only(check_system, scene(tmp_path, f"capture.source={source}")).outcome == outcome


def test_a_kernel_without_packet_sockets(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EAFNOSUPPORT, "no")

    monkeypatch.setattr(socket, "socket", refuse)
    finding = found(check_system, scene(tmp_path))["packet sockets"]
    assert finding.outcome == "fail"
    assert "AF_PACKET" in finding.remedy


def test_the_right_to_capture(tmp_path):
    assert only(check_capability, scene(tmp_path, files=RIGHT)).outcome == "ok"
    finding = only(check_capability, scene(tmp_path / "b", "capture.interfaces=eth7"))
    assert finding.outcome == "fail"
    assert "systemctl start nettrusion@eth7" in finding.remedy


def test_more_workers_than_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert only(check_processors, scene(tmp_path, "capture.workers=2")).outcome == "ok"
    made = scene(tmp_path, "capture.workers=2", "capture.interfaces=a,b")
    assert only(check_processors, made).found.startswith("2 cores for 4 capture workers")
    assert only(check_processors, made).outcome == "warning"


def test_what_slows_a_capture_down(tmp_path):
    files = {
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "/proc/net/softnet_stat": "00ff 0000000a 0\n00ff 00000001 0\n",
        "/proc/sys/net/core/netdev_max_backlog": "2000\n",
    }
    findings = found(check_processors, scene(tmp_path, files=files))
    assert findings["clock rate"].outcome == "note"
    assert "dropped 11 packets" in findings["backlog"].found
    assert findings["backlog"].remedy.endswith("=8000")
