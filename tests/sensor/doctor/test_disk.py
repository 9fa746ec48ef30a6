"""The files that events go to."""

import os
from types import SimpleNamespace

import pytest

from sensor.doctor import disk
from sensor.doctor.disk import check_disk, output_files
from tests.sensor.doctor.made import found, scene


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_files_of_a_configuration(tmp_path):
    assert [(one.key, str(one.path)) for one in output_files(scene(tmp_path))] == [("output", "eve.json")]
    assert output_files(scene(tmp_path, "output.path=-")) == []
    assert [one.key for one in output_files(scene(tmp_path, "stats.path=s.json"))] == ["output", "stats"]
    made = scene(tmp_path, "sinks.a.type=file", "sinks.a.path=e-%%.json", "sinks.a.rotate_s=60", "sinks.b.type=stdout")
    assert [(one.key, str(one.path), one.rotates) for one in output_files(made)] == [("sinks.a", "e-%.json", True)]


def test_a_file_that_can_be_written(tmp_path):
    findings = found(check_disk, scene(tmp_path))
    assert findings["file output"].outcome == "ok"
    assert findings["rotation output"].outcome == "note"
    assert os.listdir(tmp_path) == []


def test_no_folder_and_a_folder(tmp_path):
    finding = found(check_disk, scene(tmp_path, "output.path=no/eve.json"))["file output"]
    assert (finding.outcome, finding.found) == ("fail", f"there is no folder {tmp_path / 'no'}")
    finding = found(check_disk, scene(tmp_path, f"output.path={tmp_path}"))["file output"]
    assert finding.found.endswith("is a folder")


def test_a_file_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    finding = found(check_disk, scene(tmp_path))["file output"]
    assert finding.outcome == "fail"
    assert f"cannot be written by user {os.geteuid()}" in finding.found


@pytest.mark.parametrize(
    ("free", "inodes", "outcome"),
    [(1 << 20, 9, "fail"), (100 << 20, 9, "warning"), (2 << 30, 0, "fail"), (2 << 30, 9, "ok")],
)
def test_room(tmp_path, monkeypatch, free, inodes, outcome):
    state = SimpleNamespace(f_bavail=free // 4096, f_frsize=4096, f_files=100, f_favail=inodes)
    monkeypatch.setattr(os, "statvfs", lambda path: state)
    assert found(check_disk, scene(tmp_path))["file output"].outcome == outcome


def test_rotation(tmp_path, monkeypatch):
    (tmp_path / "eve.json").write_text("{}\n")
    monkeypatch.setattr(disk, "LARGE_BYTES", 2)
    assert found(check_disk, scene(tmp_path))["rotation output"].outcome == "warning"
    known = {"/etc/logrotate.d/nettrusion": f"{tmp_path}/*.json {{ weekly }}\n"}
    assert "rotation output" not in found(check_disk, scene(tmp_path, files=known))
    own = scene(tmp_path / "b", "sinks.a.type=file", "sinks.a.path=e%H.json", "sinks.a.rotate_s=3600")
    assert list(found(check_disk, own)) == ["file sinks.a"]
