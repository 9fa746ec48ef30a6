"""Reading a model file once, and proving who made it."""

import os
import subprocess
from pathlib import Path
from stat import S_ISREG
from typing import Final

NAMESPACE: Final = "nettrusion-model"
"""What a signature is for, so that one made for mail or a commit is none for a model."""
SIGNER: Final = "nettrusion"
"""The name under which the key stands in the file of allowed signers."""
_VERIFY_S: Final = 10


def read_once(path: Path, most: int) -> bytes:
    """Return a regular file's bytes, read once through one descriptor.

    A symbolic link at the path is refused, and so is anything that is not a regular file or is
    larger than `most` bytes (ValueError). OSError passes.
    """
    try:
        # Non-blocking, so that a FIFO in the file's place cannot hang the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        if path.is_symlink():
            raise ValueError("it is a symbolic link; name the file itself") from None
        raise
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not S_ISREG(state.st_mode):
            raise ValueError("it is not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return data


def verify_signature(data: bytes, signature: Path, allowed_signers: Path) -> None:
    """Check an Ed25519 signature over bytes with `ssh-keygen -Y verify`.

    `allowed_signers` holds lines `nettrusion ssh-ed25519 AAAA...`, as ssh-keygen(1) describes. Made
    by: `ssh-keygen -Y sign -n nettrusion-model -f KEY model.onnx`. Raises ValueError with the reason.
    """
    if not allowed_signers.is_file():
        raise ValueError(f"the file of allowed signers {allowed_signers} is not there")
    if not signature.is_file():
        raise ValueError(f"its signature {signature} is not there")
    lines = allowed_signers.read_text(encoding="utf-8", errors="replace").splitlines()
    keys = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not keys or any(key[:2] != [SIGNER, "ssh-ed25519"] for key in keys):
        raise ValueError(f"{allowed_signers} must hold lines `{SIGNER} ssh-ed25519 KEY`")
    command = ["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", SIGNER]
    command += ["-f", str(allowed_signers), "-s", str(signature)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_VERIFY_S, check=False)
    except FileNotFoundError:
        raise ValueError("ssh-keygen, which checks its signature, is not installed") from None
    except subprocess.TimeoutExpired:
        raise ValueError(f"ssh-keygen did not answer in {_VERIFY_S} s") from None
    if done.returncode:
        said = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())
        raise ValueError(f"its signature {signature} does not hold: {said}")
