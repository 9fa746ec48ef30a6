"""Certificates of our own for web servers: an authority, keys, and one chain a name."""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-newkey", "rsa:2048")


def authority(folder: Path) -> Path:
    """Make an authority and its keys in a folder; return the certificate that clients trust.

    A second authority, signed by the first, is what signs the servers' certificates: a server
    sends both, as on the web. One EC and one RSA key serve all names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    can_sign = ("-addext", "basicConstraints=critical,CA:TRUE")
    _openssl(*_request("Testbed Root", folder / "root"), *CURVE, *can_sign)
    _openssl(*_request("Testbed Authority", folder / "signer"), *CURVE, *can_sign, *_signed_by(folder / "root"))
    for name, algorithm in (("ec", CURVE), ("rsa", RSA)):
        _openssl(*_request(name, folder / name), *algorithm)
    return folder / "root.pem"


def issue(folder: Path, names: Sequence[str], *, rsa: bool = False) -> tuple[Path, Path]:
    """Make a chain for a server with these names, by the authority in `folder`.

    Returns the paths of chain and key. Raises NettrusionError when openssl fails.
    """
    key = folder / ("rsa.key" if rsa else "ec.key")
    made, chain = folder / f"{names[0]}.crt", folder / f"{names[0]}.pem"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    words = ["req", "-x509", "-days", "3", "-key", str(key), "-subj", f"/CN={names[0]}", "-out", str(made)]
    words += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName={alternatives}"]
    _openssl(*words, *_signed_by(folder / "signer"))
    chain.write_bytes(made.read_bytes() + (folder / "signer.pem").read_bytes())
    return chain, key


def other_names(rng: random.Random, name: str, count: int) -> list[str]:
    """Return a name and others beside it, for a certificate that several share."""
    return [name, *(f"{rng.getrandbits(40):010x}.{name}" for _ in range(count - 1))]


def _request(subject: str, stem: Path) -> list[str]:
    words = ["req", "-x509", "-days", "3", "-nodes", "-subj", f"/O=Testbed/CN={subject}"]
    return [*words, "-keyout", f"{stem}.key", "-out", f"{stem}.pem"]


def _signed_by(stem: Path) -> list[str]:
    return ["-CA", f"{stem}.pem", "-CAkey", f"{stem}.key"]


def _openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    if done.returncode:
        raise NettrusionError(f"openssl {words[0]} failed: {done.stderr.strip()}")
