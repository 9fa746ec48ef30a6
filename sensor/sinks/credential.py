"""Passwords from files, which no log message and no repr shows."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError

# More is a wrong file, not a password.
MAX_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a server.

    Attributes:
        username: the name; empty for the server's default user.
        password_file: the file with the password, or the name of a systemd credential; empty for no password.
    """

    username: str = ""
    password_file: str = ""

    def password(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """Read the password, so that one that has changed is used from the next connection on.

        A file of that name in `$CREDENTIALS_DIRECTORY` comes first. One newline at the end is not part of it.

        Raises:
            NettrusionError: there is no such file, or it holds no password.
        """
        if not self.password_file:
            return None
        path = Path(self.password_file)
        folder = environ.get("CREDENTIALS_DIRECTORY")
        if folder and path.name == self.password_file and (Path(folder) / path).is_file():
            path = Path(folder) / path
        try:
            with path.open("rb") as file:
                secret = file.read(MAX_BYTES + 1).removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise NettrusionError(
                f"password_file: cannot read {path}: {error.strerror}; name a file or a credential of the unit"
            ) from error
        if not 0 < len(secret) <= MAX_BYTES:
            raise NettrusionError(f"password_file: {path} holds no password: it is empty or too long")
        try:
            return secret.decode("utf-8")
        except UnicodeDecodeError:
            raise NettrusionError(f"password_file: {path} holds no password: it is not text") from None
