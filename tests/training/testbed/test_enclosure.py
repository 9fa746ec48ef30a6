"""The private world: what it asks for, and that nothing of it stays."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed import enclosure


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch):
    real = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, path=None: None if name in ("scp", "ssh", "hydra") else real("sh")
    )
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    sentence = " ".join(enclosure.missing())
    assert "must run as root" in sentence
    assert "apt-get install hydra openssh-client" in sentence
    with pytest.raises(NettrusionError, match="cannot record here"):
        enclosure.enclose(["check"], 1.0)


def test_furnishing_refuses_to_touch_the_machine_itself():
    with pytest.raises(NettrusionError, match="own namespaces"):
        enclosure.furnish()


def test_it_ends_at_its_limit_and_leaves_nothing(tmp_path: Path):
    if lacks := enclosure.missing():
        pytest.skip("a real recording is not possible: " + "; ".join(lacks))
    with pytest.raises(NettrusionError, match="stopped"):
        enclosure.enclose(["enclosed", "-o", str(tmp_path / "out"), "--profile", "brief"], 4.0)
    assert not (tmp_path / "out").exists()
    assert not enclosure.RUN.exists()
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert "server" not in names.stdout.split()


def test_a_recording_leaves_the_machines_users_and_interfaces_alone(recorded: Path):
    assert recorded.is_file()
    assert "run/testbed" not in Path("/etc/passwd").read_text()
    assert not [name for name in os.listdir("/sys/class/net") if name.startswith(("to-", "at-"))]
