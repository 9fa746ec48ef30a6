"""Rules taken apart, beside what the PyPI parser for Suricata's rules makes of the same text."""

import pytest
import suricataparser
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook.syntax import split_header, split_options, split_rule, unquote

RULES = [
    'alert tcp $HOME_NET any -> any any (msg:"one"; sid:1;)',
    'pass ip [10.0.0.1, 10.0.0.2] any <> !$HOME_NET [80,443:445,!444] (msg:"two"; sid:2; rev:3;)',
    'alert udp any :1023 -> any 53 (msg:"a\\;b"; flowbits:isset,ml.dos|ml.scan; noalert; sid:3;)',
    'alert ip any any -> any any ( msg : "blanks" ; sid : 4 ; )',
    'alert ip any any -> any any (msg:"(brackets) -> <> any"; metadata:a b, c d e; sid:5;)',
    "ALERT TCP any any -> any any (MSG:\"upper\"; SID:6;)",
    'alert  ip  any any   ->  any any  (msg:"many blanks";sid:7;)',
]  # fmt: skip


@pytest.mark.parametrize("text", RULES)
def test_the_parts_are_those_that_suricataparser_finds(text):
    ours = split_rule(text)
    theirs = suricataparser.parse_rule(text.replace("ALERT", "alert"))
    assert theirs is not None
    fields = [ours.source, ours.source_ports, ours.arrow, ours.target, ours.target_ports]
    assert theirs.action == ours.action
    assert theirs.header.lower().split() == " ".join([ours.protocol, *fields]).lower().split()
    assert [(one.name, one.value) for one in ours.options] == [
        (one.name.lower(), str(one.value) if one.value is not None else None) for one in theirs.options
    ]


words = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters=" .,-|<>()[]"), max_size=12)
option = st.tuples(st.sampled_from(["msg", "flowbits", "metadata", "x.y"]), words.map(str.strip).filter(bool))


@settings(deadline=None)
@given(st.lists(option, min_size=1, max_size=5))
def test_any_options_come_out_as_they_went_in(options):
    body = " ".join(f"{name}:{value};" for name, value in options)
    assert [(one.name, one.value) for one in split_options(body)] == options


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30).filter(lambda text: "\n" not in text))
def test_any_message_survives_its_escapes(text):
    written = "".join(f"\\{letter}" if letter in ';"\\' else letter for letter in text)
    option = split_options(f'msg:"{written}"; sid:1;')[0]
    assert option.value is not None
    assert unquote(option.value) == text


def test_an_escaped_colon_is_a_colon():
    assert unquote(r'"a\;b\"c\\d\:e"') == 'a;b"c\\d:e'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("bare", "double quotes"),
        ('"', "double quotes"),
        ('"a', r"written \;"),
        ('""', "empty"),
        (r'"a\b"', "can be escaped"),
        ('"a"b"', r"is written \""),
        ('"a\\"', "closing quote"),
    ],
)
def test_what_is_no_quoted_text_has_a_reason(value, reason):
    with pytest.raises(ValueError) as error:
        unquote(value)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("alert ip any any -> any any", "options in ( ) are missing"),
        ("alert ip any any -> any any(sid:1;)", "a blank is missing"),
        ("alert ip any any -> any any (sid:1;", "closing ) is missing"),
        ("alert ip any any -> any any (sid:1;) # why", "'# why' stands after"),
        ("alert ip any any -> any any (sid:1)", "'sid:1' does not end in a semicolon"),
        ("alert ip any any -> any any (sid:1;;)", "an option is empty"),
        ("alert ip any any -> any any (:1;)", "an option is empty"),
        ("alert ip any any <- any any (sid:1;)", "'<-' is not one of"),
        ("alert ip any any => any any (sid:1;)", "'=>' is not one of"),
        ("alert ip any any ->any any (sid:1;)", "has 6 fields"),
        ("alert ip ! 10.0.0.1 any -> any any (sid:1;)", "has 8 fields"),
        ("alert ip\tany any -> any any (sid:1;)", "a tab"),
        (" alert ip any any -> any any (sid:1;)", "begins with a blank"),
        ("", "options in ( ) are missing"),
    ],
)
def test_what_is_no_rule_has_a_reason(text, reason):
    with pytest.raises(ValueError) as error:
        split_rule(text)
    assert reason in str(error.value)


def test_blanks_in_a_group_do_not_end_a_field():
    assert split_header("alert ip [10.0.0.1, [10.0.0.2, 10.0.0.3]] any") == [
        "alert",
        "ip",
        "[10.0.0.1, [10.0.0.2, 10.0.0.3]]",
        "any",
    ]


@settings(deadline=None)
@given(st.text('alert ip(any)->;:"\\[],! \tsid1', max_size=60))
def test_garbage_is_a_reason_and_no_crash(text):
    try:
        assert split_rule(text).options is not None
    except ValueError as error:
        assert str(error)
