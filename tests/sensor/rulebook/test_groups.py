"""The grammar of groups over a small world of digits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook.groups import Grammar, split_members

EVERYTHING = ((0, 9),)
NAMES = {"LOW": "[1,2,3]", "NOT_LOW": "!$LOW", "ODD": "[1,3,!3]", "LOOP": "[1,$ROUND]", "ROUND": "$LOOP"}


def digit(text: str):
    if text == "any":
        return EVERYTHING
    if len(text) != 1 or not text.isdigit():
        raise ValueError(f"{text!r} is no digit")
    return ((int(text), int(text)),)


def resolve(text: str) -> set[int]:
    spans = Grammar(digit, EVERYTHING, NAMES).resolve(text)
    return {number for first, last in spans for number in range(first, last + 1)}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("5", {5}),
        ("any", set(range(10))),
        ("!5", set(range(10)) - {5}),
        ("[5]", {5}),
        ("[1, 2,3]", {1, 2, 3}),
        ("[1,2,!2]", {1}),
        ("[any,!2]", set(range(10)) - {2}),
        ("![1,2]", set(range(10)) - {1, 2}),
        ("[!1,!2]", set(range(10)) - {1, 2}),
        # What a bracket within negates is taken from the whole, what a negated bracket does is not.
        ("[2,[1,2,3,!2]]", {1, 3}),
        ("[1,2,3,![2,3,!3]]", {1, 3}),
        ("![1,2,3,!3]", set(range(10)) - {1, 2}),
        ("$LOW", {1, 2, 3}),
        ("!$LOW", set(range(10)) - {1, 2, 3}),
        ("$NOT_LOW", set(range(10)) - {1, 2, 3}),
        ("!$NOT_LOW", {1, 2, 3}),
        ("[$LOW,5,!1]", {2, 3, 5}),
        ("[$NOT_LOW,2,7]", {7}),
        ("[$ODD,3]", {1}),
    ],
)
def test_a_group_is_the_set_it_says(text, numbers):
    assert resolve(text) == numbers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("!any", "nothing is left"),
        ("[1,!1]", "nothing is left"),
        ("[$LOW,!$LOW]", "nothing is left"),
        ("[1,![2,!2]]", "nothing is left of '[2,!2]'"),
        ("!!1", "negated twice"),
        ("[]", "empty"),
        ("[1,]", "empty"),
        ("[1,,2]", "empty"),
        ("[1", "do not match"),
        ("[1]]", "do not match"),
        ("[1][2]", "do not match"),
        ("$", "not the name"),
        ("$A-B", "not the name"),
        ("$NOPE", "there is no variable $NOPE; the configuration has $LOOP, $LOW"),
        ("$LOOP", "$LOOP is defined by itself"),
        ("x", "no digit"),
        ("", "no digit"),
        ("[" * 3000 + "1" + "]" * 3000, "nested too deep"),
    ],
)
def test_what_is_no_group_has_a_reason(text, reason):
    with pytest.raises(ValueError) as error:
        resolve(text)
    assert reason in str(error.value)


groups = st.recursive(
    st.integers(0, 9).map(str),
    lambda inner: st.lists(st.tuples(st.booleans(), inner), min_size=1, max_size=4).map(
        lambda members: "[" + ",".join("!" * negated + text for negated, text in members) + "]"
    ),
    max_leaves=8,
)


def by_definition(text: str) -> set[int]:
    """The same, written down as plainly as the words in the module: wanted minus unwanted."""

    def collect(part: str, wanted: set[int], unwanted: set[int]) -> bool:
        if part.startswith("!"):
            unwanted |= by_definition(part[1:])
            return False
        if part.startswith("["):
            found = [collect(member, wanted, unwanted) for member in split_members(part)]
            return any(found)
        wanted |= {int(part)}
        return True

    wanted: set[int] = set()
    unwanted: set[int] = set()
    some = collect(text, wanted, unwanted)
    return (wanted if some else set(range(10))) - unwanted


@settings(deadline=None)
@given(groups)
def test_any_group_is_the_set_it_says_or_nothing(text):
    try:
        found = resolve(text)
    except ValueError as error:
        assert "nothing is left" in str(error)
        return
    assert found == by_definition(text) != set()


@settings(deadline=None)
@given(st.text("[],!1$ab", max_size=20))
def test_garbage_is_a_reason_and_no_crash(text):
    try:
        assert resolve(text)
    except ValueError as error:
        assert str(error)
