"""Groups of ports against sets of numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook.ports import LAST_PORT, parse_ports

ALL = np.arange(LAST_PORT + 1, dtype=np.uint16)
port = st.integers(0, LAST_PORT)
member = st.one_of(
    port.map(lambda one: (str(one), {one})),
    st.tuples(port, port).map(lambda two: (f"{min(two)}:{max(two)}", set(range(min(two), max(two) + 1)))),
    port.map(lambda one: (f"{one}:", set(range(one, LAST_PORT + 1)))),
    port.map(lambda one: (f":{one}", set(range(one + 1)))),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), member), min_size=1, max_size=5))
def test_a_group_holds_the_ports_it_says(members):
    text = "[" + ",".join("!" * negated + one for negated, (one, _) in members) + "]"
    wanted = [ports for negated, (_, ports) in members if not negated]
    unwanted = [ports for negated, (_, ports) in members if negated]
    left = (set().union(*wanted) if wanted else set(range(LAST_PORT + 1))) - set().union(*unwanted)
    if not left:
        with pytest.raises(ValueError, match="nothing is left"):
            parse_ports(text, {})
        return
    assert set(np.flatnonzero(parse_ports(text, {}).mask(ALL)).tolist()) == left


def test_variables_and_any():
    assert parse_ports("$WEB", {"WEB": "[80,443]"}) == parse_ports("[443,80]", {})
    assert parse_ports("any", {}).is_everything
    assert parse_ports("0:65535", {}).is_everything
    assert not parse_ports("1:", {}).is_everything


@pytest.mark.parametrize("text", ["65536", "90:80", ":", "", "-1", "http", "80-90", "1:2:3", "000080", "808080", "٨٠"])
def test_what_is_no_port_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a port|above|ends before"):
        parse_ports(text, {})
