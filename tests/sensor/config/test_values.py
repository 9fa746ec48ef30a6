"""One value against its key's type and limits."""

import pytest

from sensor.config.faults import ConfigError
from sensor.config.values import check


@pytest.mark.parametrize(
    ("key", "value", "is_"),
    [
        ("detector.budget_per_million", 5, 5.0),
        ("detector.threshold", 1, 1.0),
        ("detector.threshold", "budget", "budget"),
        ("capture.interfaces", ["b", "a"], ("b", "a")),
        ("capture.interfaces", [], ()),
        ("capture.block_kb", 16384, 16384),
        ("metrics.listen", "unix:/run/m.sock", "unix:/run/m.sock"),
        ("metrics.listen", "[::1]:9765", "[::1]:9765"),
        ("metrics.listen", "localhost:9765", "localhost:9765"),
        ("sinks.a", {}, {}),
        ("sinks.a.address", "h:1,[fe80::1%eth0]:2", "h:1,[fe80::1%eth0]:2"),
    ],
)
def test_what_is_right_comes_back_as_its_key_has_it(key, value, is_):
    checked = check(key, value, "a.toml")
    assert checked == is_
    assert type(checked) is type(is_)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("flows.max_flows", True, "must be a whole number"),
        ("capture.block_kb", 96, "must be one of 64, 128"),
        ("capture.block_kb", True, "must be a whole number"),
        ("capture.interfaces", "eth0", "must be an array of strings"),
        ("capture.interfaces", [["eth0"]], "must be a string"),
        ("sinks.a.events", ["flow", "flow"], "must name each only once"),
        ("sinks.a.key", "a b", "must be of the form a name without spaces"),
        ("sinks.a.address", "::1:80", "must be of the form HOST:PORT"),
        ("sinks.a", {"type": "file"}, "must be a table"),
        ("metrics.listen", "tcp://h:1", "must be of the form"),
        ("detector.threshold", float("nan"), "must be at least 0"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(key, value, says):
    with pytest.raises(ConfigError) as caught:
        check(key, value, "a.toml")
    assert str(caught.value).startswith(f"a.toml: {key} = ")
    assert says in str(caught.value)
