"""Options that say what an alert says, and the reasons for those that are refused."""

import pytest

from sensor.rulebook.options import Draft, read_option
from sensor.rulebook.rule import Reference
from sensor.rulebook.syntax import split_options
from sensor.rulebook.tables import Classtype, Tables
from sensor.rulebook.throttle import Throttle

TABLES = Tables({"network-scan": Classtype("Scan", 2)}, {"url": "https://", "cve": "https://cve.example/CVE-"})


def read(body: str) -> Draft:
    draft = Draft(TABLES)
    for option in split_options(body):
        read_option(option, draft)
    return draft


def test_everything_that_an_alert_says():
    draft = read(
        r'msg:"a\; b"; sid:1000001; gid:2; rev:7; classtype:network-scan; priority:1; target:dest_ip; '
        "reference:url,example.org/x?a,b; reference: CVE, 2014-0160; "
        "metadata:a b, c d e,f   g; metadata:a z; noalert;"
    )
    assert (draft.msg, draft.sid, draft.gid, draft.rev) == ("a; b", 1000001, 2, 7)
    assert (draft.classtype, draft.category, draft.class_priority, draft.priority) == ("network-scan", "Scan", 2, 1)
    assert draft.target == "dest_ip"
    assert draft.references == [
        Reference("url", "example.org/x?a,b", "https://example.org/x?a,b"),
        Reference("CVE", "2014-0160", "https://cve.example/CVE-2014-0160"),
    ]
    assert draft.metadata == {"a": ("b", "z"), "c": ("d e",), "f": ("g",)}
    assert draft.noalert


def test_thresholds_and_conditions():
    draft = read("threshold:type both, track by_dst, count 5, seconds 60; flowbits:isset,ml.dos; flow.age:>3;")
    assert draft.throttle == Throttle("both", "by_dst", 5, 60)
    assert len(draft.conditions) == 2
    assert read("detection_filter:track by_src, count 2, seconds 3;").throttle == Throttle(
        "detection_filter", "by_src", 2, 3
    )
    assert read("flowbits:noalert;").noalert


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('msg:"a"; msg:"b";', "msg is given twice"),
        ("sid:1; sid:1;", "sid is given twice"),
        ("threshold:type limit, track by_src, count 1, seconds 1; detection_filter:track by_src, count 1, seconds 1;",
         "threshold or detection_filter is given twice"),
        ("sid:0;", "sid: the signature id '0'"),
        ("sid:4294967296;", "from 1 to 4294967295"),
        ("gid:0;", "generator id"),
        ("rev:x;", "revision"),
        ("priority:256;", "from 1 to 255"),
        ("priority;", "priority needs a value"),
        ("metadata:;", "metadata needs a value"),
        ("metadata:a b, lonely;", "'lonely' is not a key and its value"),
        ("classtype:network-scam;", "do you mean network-scan?"),
        ("classtype:x;", "'x' is not in classification.config"),
        ("reference:url;", "write it as system,value"),
        ("reference:bid,1;", "'bid' is not in reference.config"),
        ("target:both;", "is not one of src_ip, dest_ip"),
        ("noalert:yes;", "takes no value"),
        ('content:"GET";', "content looks into packets"),
        ("flow:established;", "flow.pkts_toclient:>0 asks for an answer"),
        ("flow.pkt_toserver:3;", "do you mean flow.pkts_toserver?"),
        ("ja3.hash;", "it cannot be asked of a scored flow"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_has_a_reason(body, reason):
    with pytest.raises(ValueError) as error:
        read(body)
    assert reason in str(error.value)
