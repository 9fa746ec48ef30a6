"""The options that ask something of a flow: what they match, and what is refused."""

import pytest

from sensor.rulebook.matching import parse_age, parse_app_protocol, parse_counts, parse_flowbits, parse_flowint
from tests.sensor.rulebook.table import F, alerted, rule

BITS = [F(name="dos"), F(name="scan"), F(name="bot"), F(name="dos", score=100)]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ("flowbits:isset,ml.dos;", [0]),
        ("flowbits:isset,ml.alert;", [0, 1, 2]),
        ("flowbits:isset,ml.dos|ml.bot;", [0, 2]),
        ("flowbits: isset, ml.dos | ml.bot;", [0, 2]),
        ("flowbits:isset,ml.heartbleed;", []),
        ("flowbits:isset,ml.heartbleed|ml.scan;", [1]),
        ("flowbits:isnotset,ml.dos;", [1, 2, 3]),
        ("flowbits:isnotset,ml.alert;", [3]),
        ("flowbits:isnotset,ml.heartbleed;", [0, 1, 2, 3]),
        # Of several, one that is not set will do; that is how Suricata reads it too.
        ("flowbits:isnotset,ml.dos|ml.scan;", [0, 1, 2, 3]),
        ("flowbits:isset,ml.alert; flowbits:isnotset,ml.dos; flowbits:isnotset,ml.scan;", [2]),
        ("flowbits:isset,ml.dos; flowbits:isset,ml.scan;", []),
        ("", [0, 1, 2, 3]),
    ],
)
def test_flow_bits(tmp_path, options, rows):
    assert alerted(tmp_path, rule(options), BITS) == rows


SCORES = [F(score=899, rank=40), F(score=900, rank=7), F(score=1000, rank=0)]


@pytest.mark.parametrize(
    ("option", "rows"),
    [
        ("flowint:ml_score,>,900;", [2]),
        ("flowint:ml_score,>=,900;", [1, 2]),
        ("flowint:ml_score,<,900;", [0]),
        ("flowint:ml_score,<=,900;", [0, 1]),
        ("flowint:ml_score,==,900;", [1]),
        ("flowint:ml_score,!=,900;", [0, 2]),
        ("flowint: ml_score , >= , ml_threshold ;", [1, 2]),
        ("flowint:ml_threshold,==,900;", [0, 1, 2]),
        ("flowint:ml_threshold,<,900;", []),
        ("flowint:ml_budget_rank,<=,7;", [1, 2]),
        ("flowint:ml_score,isset;", [0, 1, 2]),
        ("flowint:ml_score,notset;", []),
        ("flowint:ml_score,isnotset;", []),
    ],
)
def test_flow_ints(tmp_path, option, rows):
    assert alerted(tmp_path, rule(option), SCORES) == rows


COUNTS = [
    F(pkts=(3, 0), bytes=(180, 0), age=0.5),
    F(pkts=(10, 12), bytes=(2048, 90_000), age=59.999),
    F(pkts=(3, 3), bytes=(1024, 1024), age=60),
]


@pytest.mark.parametrize(
    ("option", "rows"),
    [
        ("flow.pkts_toserver:3;", [0, 2]),
        ("flow.pkts_toclient:>0;", [1, 2]),
        ("flow.pkts:toclient,=12;", [1]),
        ("flow.pkts:either,>=12;", [1]),
        ("flow.pkts:both,3;", [2]),
        ("flow.pkts:both,!3;", [1]),
        ("flow.pkts:either,!=3;", [0, 1]),
        ("flow.bytes_toserver:>1kb;", [1]),
        ("flow.bytes_toclient:<=0x400;", [0, 2]),
        ("flow.bytes:toserver,1023-1025;", [2]),
        ("flow.bytes:toserver,!1023-1025;", [0, 1]),
        ("flow.bytes:toserver,180<>2048;", [2]),
        ("flow.age:<60;", [0, 1]),
        ("flow.age:59;", [1]),
        ("flow.age: >= 60;", [2]),
        ("flow.age:0;", [0]),
        ("flow.age:>0; flow.age:<60;", [1]),
    ],
)
def test_counts(tmp_path, option, rows):
    assert alerted(tmp_path, rule(option), COUNTS) == rows


APPS = [F(app="http"), F(app="http2"), F(app="tls"), F(app=None)]


@pytest.mark.parametrize(
    ("option", "rows"),
    [
        ("app-layer-protocol:http;", [0, 1]),
        ("app-layer-protocol:http1;", []),
        ("app-layer-protocol:!http;", [2, 3]),
        ("app-layer-protocol:tls;", [2]),
        ("app-layer-protocol:failed;", [3]),
        ("app-layer-protocol:!failed;", [0, 1, 2]),
    ],
)
def test_application_protocols(tmp_path, option, rows):
    assert alerted(tmp_path, rule(option), APPS, knows_app=True) == rows
    assert alerted(tmp_path, rule(option), APPS, knows_app=False) == []


@pytest.mark.parametrize(
    ("parse", "value", "reason"),
    [
        (parse_flowbits, "isset", "is not isset,NAME"),
        (parse_flowbits, "isset , ml.dos", "is not isset,NAME"),
        (parse_flowbits, "set,ml.dos", "set changes a bit"),
        (parse_flowbits, "toggle,ml.dos", "toggle changes a bit"),
        (parse_flowbits, "isset,dos", "there is no bit 'dos'"),
        (parse_flowbits, "isset,ml.Dos", "there is no bit"),
        (parse_flowbits, "isset,ml.dos|", "there is no bit ''"),
        (parse_flowbits, "isset,ml.d os", "there is no bit"),
        (parse_flowint, "score,>,1", "there is no variable 'score'; the detector sets ml_score"),
        (parse_flowint, "ml_score", "is not NAME,OPERATOR,VALUE"),
        (parse_flowint, "ml_score,>,1,2", "is not NAME,OPERATOR,VALUE"),
        (parse_flowint, "ml_score,=,1", "to compare, use =="),
        (parse_flowint, "ml_score,+,1", "changes a variable"),
        (parse_flowint, "ml_score,~,1", "'~' is not one of"),
        (parse_flowint, "ml_score,>,-1", "value '-1'"),
        (parse_flowint, "ml_score,>,other", "value 'other'"),
        (parse_age, "", "is not a number"),
        (parse_age, "old", "is not a number"),
        (parse_age, "<0", "never true"),
        (parse_age, ">4294967295", "never true"),
        (parse_age, "4294967296", "is above"),
        (parse_age, "3-4", "no number lies between"),
        (parse_age, "9-3", "no number lies between"),
        (parse_age, "&1=1", "is not a number"),
        (parse_counts("pkts", None), ">3", "does not begin with one of toserver"),
        (parse_counts("pkts", None), "up,>3", "does not begin with one of toserver"),
        (parse_counts("pkts", "toserver"), "toserver,>3", "is not a number"),
        (parse_app_protocol, "htpt", "do you mean http?"),
        (parse_app_protocol, "!!http", "is not Suricata's name"),
    ],
)
def test_what_cannot_be_asked_has_a_reason(parse, value, reason):
    with pytest.raises(ValueError) as error:
        parse(value)
    assert reason in str(error.value)
