"""HOST:PORT as an operator writes it."""

import pytest

from sensor.errors import NettrusionError
from sensor.sinks.address import host_and_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:514", ("127.0.0.1", 514)),
        ("logs.example.org:6379", ("logs.example.org", 6379)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
    ],
)
def test_an_address_is_split(text: str, expected: tuple[str, int]):
    assert host_and_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":514", "host:0", "host:65536", "host:x", "::1:514", "[]:1", "host:²"]
)
def test_what_is_no_address_says_what_is(text: str):
    with pytest.raises(NettrusionError, match="is no address; write HOST:PORT"):
        host_and_port(text)
