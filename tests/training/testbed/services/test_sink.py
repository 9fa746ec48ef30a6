"""Where stolen files go."""

import random
from pathlib import Path

import pytest

from training.testbed.enclosure import missing
from training.testbed.network import build
from training.testbed.services import sink
from training.testbed.world import World


def test_the_sink_takes_only_the_thief_and_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if lacks := missing(sink.SERVICES[0].needs):
        pytest.skip("; ".join(lacks))
    monkeypatch.setattr(World, "folder", lambda self, name: tmp_path / name)
    world = build()
    (service,) = sink.SERVICES
    service.furnish(world, random.Random(1))
    folder = tmp_path / "sink"
    shell, uploads = (folder / "sshd.conf").read_text(), (folder / "vsftpd.conf").read_text()
    assert "PermitRootLogin prohibit-password" in shell and f"AuthorizedKeysFile {folder}/thief.pub" in shell
    assert sink.key(world).stat().st_mode & 0o77 == 0 and "anon_upload_enable=YES" in uploads
    assert (folder / "ftp" / "drop").stat().st_mode & 0o777 == 0o777
    assert [words[0] for words in service.commands(world)] == ["/usr/sbin/sshd", "vsftpd", "sh"]
