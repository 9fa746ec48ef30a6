"""Passwords from files: found where systemd puts them, never shown."""

from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from sensor.sinks.credential import Login


def test_no_file_is_no_password():
    assert Login().password() is None


@pytest.mark.parametrize("content", ["secret", "secret\n", "secret\r\n"])
def test_one_newline_at_the_end_is_not_part_of_it(tmp_path: Path, content: str):
    path = tmp_path / "password"
    path.write_text(content, newline="")
    assert Login("me", str(path)).password({}) == "secret"


def test_a_credential_of_the_unit_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "unit").mkdir()
    (tmp_path / "unit" / "redis").write_text("of the unit")
    (tmp_path / "redis").write_text("of the folder")
    monkeypatch.chdir(tmp_path)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "unit")}
    assert Login("", "redis").password(environ) == "of the unit"
    assert Login("", "redis").password({}) == "of the folder"
    assert Login("", str(tmp_path / "redis")).password(environ) == "of the folder"


def test_a_new_password_is_read_each_time(tmp_path: Path):
    path = tmp_path / "password"
    login = Login("me", str(path))
    for password in ("first", "second"):
        path.write_text(password)
        assert login.password({}) == password
        assert password not in repr(login)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "it is empty"), (b"x" * 5000, "too long"), (b"\xff\xfe", "it is not text")]
)
def test_what_is_no_password_is_not_repeated(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(NettrusionError, match=reason):
        Login("me", str(path)).password({})


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(NettrusionError, match=r"password_file: cannot read .*gone"):
        Login("me", str(tmp_path / "gone")).password({})
