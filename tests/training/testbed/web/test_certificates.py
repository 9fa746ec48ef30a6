"""Certificates of our own."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed.web.certificates import authority, issue, other_names

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    authority(made)
    return made


@pytest.mark.parametrize("rsa", [False, True])
def test_a_chain_is_good_for_its_names_and_no_others(folder: Path, rsa: bool):
    chain, key = issue(folder, ["www.site01.test", "also.site01.test"], rsa=rsa)
    words = ["openssl", "verify", "-CAfile", str(folder / "root.pem"), "-untrusted", str(folder / "signer.pem")]
    for name, code in (("also.site01.test", 0), ("www.site02.test", 2)):
        done = subprocess.run([*words, "-verify_hostname", name, str(chain)], capture_output=True)
        assert done.returncode == code, done.stderr
    assert chain.read_text().count("BEGIN CERTIFICATE") == 2 and key.name == ("rsa.key" if rsa else "ec.key")


def test_more_names_make_a_longer_certificate():
    assert other_names(random.Random(1), "a.test", 1) == ["a.test"]
    assert len(set(other_names(random.Random(1), "a.test", 9))) == 9


def test_a_failure_of_openssl_is_told(tmp_path: Path):
    with pytest.raises(NettrusionError, match="openssl req failed"):
        issue(tmp_path, ["www.site01.test"])
