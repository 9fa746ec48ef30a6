"""Conditions that are the same are one, whatever rule they come from."""

from sensor.rulebook.addresses import parse_addresses
from sensor.rulebook.batch import Batch
from sensor.rulebook.conditions import AddressIn, EitherWay, FlowBits, IpProtocol, Number
from sensor.rulebook.matching import parse_age
from tests.sensor.rulebook.table import F, scored


def test_equal_conditions_are_one_key():
    there = (AddressIn("src", parse_addresses("10.0.0.0/8", {})),)
    again = (AddressIn("src", parse_addresses("[10.0.0.0/9,10.128.0.0/9]", {})),)
    assert {EitherWay(there, ()), EitherWay(again, ())} == {EitherWay(there, ())}
    assert parse_age(">3") == Number("age", None, ((">", 3),))
    assert FlowBits(("ml.dos",), True) != FlowBits(("ml.dos",), False)


def test_below_the_threshold_a_wanted_bit_is_answered_without_a_mask():
    batch = Batch(scored([F(score=1), F(score=2)]), [])
    assert FlowBits(("ml.dos", "ml.alert"), True).mask(batch) is None
    unwanted = FlowBits(("ml.dos",), False).mask(batch)
    assert unwanted is not None
    assert unwanted.all()


def test_a_flow_without_ip_is_of_no_protocol():
    batch = Batch(scored([F(src="", dst="", proto=6)]), [])
    assert not IpProtocol(()).mask(batch).any()
    assert not IpProtocol(((6, 4), (6, 6))).mask(batch).any()


def test_either_way_is_none_when_neither_way_can_be():
    batch = Batch(scored([F(score=1)]), [])
    never = (FlowBits(("ml.dos",), True),)
    assert EitherWay(never, never).mask(batch) is None
    only = EitherWay(never, (IpProtocol(()),)).mask(batch)
    assert only is not None
    assert only.tolist() == [True]
