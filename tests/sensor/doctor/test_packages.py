"""Packages that the configuration needs, and no others."""

from importlib.metadata import PackageNotFoundError

from sensor.doctor import packages
from sensor.doctor.packages import check_packages, wanted
from tests.sensor.doctor.made import found, only, scene

SINKS = ("sinks.r.type=redis", "sinks.r.address=h:1", "sinks.k.type=kafka", "sinks.k.address=h:1")
ALL = (*SINKS, "capture.source=tshark")


def test_what_is_needed(tmp_path):
    assert wanted(scene(tmp_path)) == []
    assert only(check_packages, scene(tmp_path)).outcome == "ok"
    assert wanted(scene(tmp_path, *ALL, "metrics.listen=127.0.0.1:1")) == ["redis", "kafka", "metrics", "tshark"]
    assert wanted(scene(tmp_path, "capture.source=scapy")) == ["scapy"]


def test_what_is_missing(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", missing)
    made = scene(tmp_path, *ALL, "metrics.listen=127.0.0.1:1", environ={"PATH": str(tmp_path)})
    findings = found(check_packages, made)
    assert findings["package redis"].outcome == "fail"
    assert findings["package confluent-kafka"].remedy == "pip install 'nettrusion[kafka]'"
    assert findings["package prometheus-client"].outcome == "warning"
    assert findings["program tshark"].outcome == "fail"


def test_what_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "version", lambda name: "9.9")
    assert only(check_packages, scene(tmp_path, "capture.source=scapy")).found == "9.9"
