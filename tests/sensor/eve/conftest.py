"""Suricata's own schemas as one check."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

VERSIONS = ("7", "8", "9dev")

Check = Callable[[Mapping[str, Any] | bytes], dict[str, Any]]


@pytest.fixture(scope="session")
def valid(shared_eve: Path) -> Check:
    """Return a function that takes an event or a line, fails on what a schema refuses, and returns the event."""
    validators = {
        version: Draft202012Validator(json.loads((shared_eve / f"suricata-{version}.schema.json").read_bytes()))
        for version in VERSIONS
    }

    def check(event: Mapping[str, Any] | bytes) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(event) if isinstance(event, bytes) else dict(event)
        for version, validator in validators.items():
            faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(read)]
            assert not faults, f"Suricata {version}: {faults} in {read}"
        return read

    return check
