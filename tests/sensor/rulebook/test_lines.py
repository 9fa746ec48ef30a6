"""Statements of a file of rules, beside suricataparser on the same file."""

import suricataparser

from sensor.rulebook.lines import read_text, statements

FILE = """# A comment, and a rule that is switched off:
#alert ip any any -> any any (msg:"off"; sid:1;)
# # drop tcp any any -> any any (msg:"off too"; sid:2;)
# alert me when it rains (or snows)

; another comment
alert ip any any -> any any (msg:"one"; \\
    # no comment, for the line goes on \\
    sid:3;)
alert ip any any -> any any (msg:"two"; \\   \r
    sid:4;)\r
   \t
alert ip any any -> any any (msg:"last"; sid:5;)"""


def test_statements_have_the_number_of_their_first_line():
    found = [(one.line, one.disabled, one.text.split("sid:")[-1]) for one in statements(FILE)]
    assert found == [(2, True, "1;)"), (3, True, "2;)"), (7, False, "3;)"), (10, False, "4;)"), (13, False, "5;)")]


def test_lines_join_without_what_joined_them():
    assert [one.text for one in statements("a (x; \\\n  y; \\\n  z;)\nb")] == ["a (x;   y;   z;)", "b"]


def test_a_file_that_ends_within_a_statement_still_has_it():
    assert [(one.line, one.text) for one in statements("\na \\\nb \\")] == [(2, "a b ")]


def test_suricataparser_finds_the_same_rules(tmp_path):
    unread = ("    # no comment, for the line goes on \\\n", "# alert me when it rains (or snows)\n")
    text = FILE.replace(unread[0], "").replace(unread[1], "").replace("   \r", "")
    path = tmp_path / "a.rules"
    path.write_text(text)
    theirs = [(rule.sid, rule.enabled) for rule in suricataparser.parse_file(path)]
    ours = [(int(one.text.split("sid:")[1].split(";")[0]), not one.disabled) for one in statements(text)]
    assert ours == theirs


def test_text_is_utf8_with_or_without_a_mark(tmp_path):
    path = tmp_path / "a.rules"
    path.write_bytes(b"\xef\xbb\xbf\xc3\xa9")
    assert read_text(path) == "é"
    path.write_bytes(b"ab\xe9")
    for bad, reason in ((path, "is not UTF-8 at byte 2"), (tmp_path / "none", "cannot be read: No such file")):
        try:
            read_text(bad)
        except ValueError as error:
            assert reason in str(error)
        else:
            raise AssertionError(bad)
