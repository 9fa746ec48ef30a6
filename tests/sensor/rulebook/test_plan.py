"""Which rules a batch's flows meet, against rules asked one by one of flows one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook import read_directory
from sensor.rulebook.plan import Plan
from tests.sensor.rulebook.table import CLASSES, NETS, F, rule, scored, write

OPTIONS = ["flowbits:isset,ml.dos;", "flowbits:isset,ml.alert;", "flowint:ml_score,>=,950;", "flow.age:>3;", ""]
HEADS = ["ip any any -> any any", "tcp $HOME_NET any -> any $WEB", "udp any any <> 10.0.0.1 53"]
OTHERS = [
    rule(head="pass ip 10.0.0.2 any -> any any", sid=1000900),
    rule("flowbits:isset,ml.scan;", head="pass tcp any any -> any any", sid=1000901),
]
SUPPRESS = "suppress gen_id 1, sig_id 1000003, track by_dst, ip 10.0.0.1\nsuppress gen_id 1, sig_id 1000005\n"

flow = st.builds(
    F,
    src=st.sampled_from(["10.0.0.1", "10.0.0.2", "198.51.100.1", "2001:db8::1"]),
    dst=st.sampled_from(["10.0.0.1", "198.51.100.2"]),
    dport=st.sampled_from([53, 80, 443]),
    sport=st.sampled_from([53, 9]),
    proto=st.sampled_from([6, 17]),
    age=st.sampled_from([0.0, 3.5, 9.0]),
    score=st.sampled_from([100, 900, 960]),
    name=st.sampled_from(CLASSES[1:]),
)


def pairs(plan: Plan, flows) -> list[tuple[int, int]]:
    matches = plan.match(scored(flows))
    return [
        (row, plan.alerts[place].sid) for row, place in zip(matches.rows.tolist(), matches.places.tolist(), strict=True)
    ]


@settings(deadline=None, max_examples=40)
@given(
    chosen=st.lists(st.tuples(st.sampled_from(HEADS), st.sampled_from(OPTIONS)), min_size=1, max_size=5),
    flows=st.lists(flow, min_size=1, max_size=12),
    others=st.booleans(),
)
def test_a_batch_is_its_flows_and_the_rules_are_each_their_own(tmp_path_factory, chosen, flows, others):
    folder = tmp_path_factory.mktemp("rules")
    texts = [rule(o, head=f"alert {h}", sid=1000001 + i) for i, (h, o) in enumerate(chosen)]
    more = OTHERS if others else []
    limits = {"threshold": SUPPRESS} if others else {}
    reading = read_directory(write(folder, [*texts, *more], **limits), NETS)
    assert not reading.faults
    found = pairs(Plan(reading.rules, reading.limits), flows)
    alone = []
    for text in texts:
        by_itself = read_directory(write(folder, [text, *more], **limits), NETS)
        alone.append(Plan(by_itself.rules, by_itself.limits))
    single = []
    for row, one in enumerate(flows):
        for plan in alone:
            single += [(row, sid) for _, sid in pairs(plan, [one])]
    assert found == single


def test_left_out_pairs_are_counted(tmp_path):
    texts = [rule("flowbits:isset,ml.alert;", sid=1000003), rule(sid=1000005), *OTHERS]
    reading = read_directory(write(tmp_path, texts, threshold=SUPPRESS), NETS)
    plan = Plan(reading.rules, reading.limits)
    flows = [F(src="10.0.0.2"), F(dst="10.0.0.1"), F(dst="10.0.0.3"), F(score=1)]
    matches = plan.match(scored(flows))
    assert (matches.rows.tolist(), matches.places.tolist()) == ([2], [0])
    # Four flows meet the one rule and three the other: two pairs are passed, four are suppressed.
    assert (matches.passed, matches.suppressed) == (2, 4)


def test_rules_that_all_need_a_bit_look_at_flows_above_the_threshold_alone(tmp_path):
    texts = [rule(f"flowbits:isset,ml.{name};", sid=1000001 + i) for i, name in enumerate(CLASSES[1:])]
    reading = read_directory(write(tmp_path, texts), NETS)
    plan = Plan(reading.rules, reading.limits)
    flows = [F(score=1)] * 9 + [F(name="bot")] + [F(score=1)] * 9 + [F(name="dos")]
    matches = plan.match(scored(flows))
    assert (matches.rows.tolist(), matches.places.tolist()) == ([9, 19], [2, 0])
    assert not len(plan.match(scored([F(score=1)] * 9)).rows)


def test_a_rule_with_noalert_never_matches(tmp_path):
    reading = read_directory(write(tmp_path, rule("noalert;") + "\n"), NETS)
    matches = Plan(reading.rules, reading.limits).match(scored([F()]))
    assert np.size(matches.rows) == 0
