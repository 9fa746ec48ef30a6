"""sid-msg.map."""

from sensor.rulebook import read_directory, sid_msg_map
from tests.sensor.rulebook.table import NETS, rule, write


def test_alerting_rules_by_sid_with_their_references(tmp_path):
    write(
        tmp_path,
        [
            rule("priority:1; reference:url,example.org/a; reference:cve,2014-0160;", sid=1000009),
            rule(sid=1000003),
            rule(head="pass ip any any -> any any", sid=1000001),
        ],
        reference="config reference: url https://\nconfig reference: cve https://\n",
    )
    assert sid_msg_map(read_directory(tmp_path, NETS).rules) == (
        "1000003 || one\n1000009 || one || url,example.org/a || cve,2014-0160\n"
    )
