"""A model file is read once, as it is, and its signature is of those bytes."""

import os
import shutil
import subprocess

import pytest

from sensor.detector import reading
from sensor.detector.reading import read_once, verify_signature

needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="signatures are checked by the program ssh-keygen"
)


def test_a_file_gives_its_bytes(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"abc")
    assert read_once(path, 3) == b"abc"


def test_a_larger_file_is_refused(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"abcd")
    with pytest.raises(ValueError, match="larger than 3 bytes"):
        read_once(path, 3)


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "m").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "m")
    with pytest.raises(ValueError, match="symbolic link"):
        read_once(tmp_path / "link", 3)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        read_once(tmp_path / "pipe", 3)


def test_a_folder_and_a_missing_file_are_errors_of_the_system(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        read_once(tmp_path / "gone", 3)
    with pytest.raises((OSError, ValueError)):
        read_once(tmp_path, 3)


@pytest.fixture
def signed(tmp_path):
    """Return (data, signature, allowed signers, key) of a file signed by a fresh key."""
    key, data = tmp_path / "key", tmp_path / "m.onnx"
    data.write_bytes(b"a model")
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(make, check=True)
    sign(key, data)
    allowed = tmp_path / "signers"
    allowed.write_text("# ours\n\nnettrusion " + key.with_suffix(".pub").read_text())
    return b"a model", data.with_name("m.onnx.sig"), allowed, key


def sign(key, path, namespace="nettrusion-model"):
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), str(path)]
    subprocess.run(command, check=True, capture_output=True)


@needs_ssh_keygen
def test_a_good_signature_holds(signed):
    data, signature, allowed, _ = signed
    verify_signature(data, signature, allowed)


@needs_ssh_keygen
def test_another_file_is_refused(signed):
    _, signature, allowed, _ = signed
    with pytest.raises(ValueError, match="does not hold"):
        verify_signature(b"another model", signature, allowed)


@needs_ssh_keygen
def test_a_signature_for_another_purpose_is_refused(signed, tmp_path):
    data, signature, allowed, key = signed
    signature.unlink()
    sign(key, tmp_path / "m.onnx", namespace="git")
    with pytest.raises(ValueError, match="does not hold"):
        verify_signature(data, signature, allowed)


@needs_ssh_keygen
def test_another_key_is_refused(signed, tmp_path):
    data, signature, allowed, _ = signed
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    allowed.write_text("nettrusion " + other.with_suffix(".pub").read_text())
    with pytest.raises(ValueError, match="does not hold"):
        verify_signature(data, signature, allowed)


@pytest.mark.parametrize("text", ["", "# none\n", "me ssh-ed25519 AAAA\n", "nettrusion ssh-rsa AAAA\n"])
def test_signers_must_be_ed25519_keys_under_our_name(tmp_path, text):
    allowed, signature = tmp_path / "signers", tmp_path / "m.sig"
    allowed.write_text(text)
    signature.write_text("x")
    with pytest.raises(ValueError, match="must hold lines `nettrusion ssh-ed25519 KEY`"):
        verify_signature(b"", signature, allowed)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"allowed signers .*gone is not there"):
        verify_signature(b"", tmp_path / "m.sig", tmp_path / "gone")
    (tmp_path / "signers").write_text("nettrusion ssh-ed25519 AAAA\n")
    with pytest.raises(ValueError, match=r"its signature .*m\.sig is not there"):
        verify_signature(b"", tmp_path / "m.sig", tmp_path / "signers")


def test_without_ssh_keygen_nothing_is_trusted(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "signers").write_text("nettrusion ssh-ed25519 AAAA\n")
    (tmp_path / "m.sig").write_text("x")
    with pytest.raises(ValueError, match="ssh-keygen, which checks its signature, is not installed"):
        verify_signature(b"", tmp_path / "m.sig", tmp_path / "signers")


@needs_ssh_keygen
def test_the_names_are_those_that_the_documents_give():
    assert (reading.NAMESPACE, reading.SIGNER) == ("nettrusion-model", "nettrusion")
