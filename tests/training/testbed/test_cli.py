"""The testbed's command line."""

import json
import os
import shutil
from pathlib import Path

import pytest

from training.testbed.cli import main


def test_check_proves_the_bundled_recording(bundled: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", str(bundled)]) == 0
    assert json.loads(bundled.read_text())["capture"]["sha256"] in capsys.readouterr().out


def test_check_says_what_is_wrong_and_exits_with_1(bundled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copy(bundled, tmp_path)
    for name in ("demo.pcap.gz", "demo.labels.csv"):
        (tmp_path / name).write_bytes(b"something else")
    assert main(["check", str(tmp_path / bundled.name)]) == 1
    assert "demo.pcap.gz is not the file" in capsys.readouterr().err


def test_record_without_root_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["record", "-o", str(tmp_path)]) == 1
    assert "must run as root" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_unknown_profile_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["record", "-o", "x", "--profile", "nightly"])
    assert "evening" in capsys.readouterr().err
