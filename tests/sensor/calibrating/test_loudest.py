"""The sources whose flows score highest, class by class."""

import ipaddress

import numpy as np

from sensor.calibrating.loudest import loudest
from tests.sensor.traffic.made import CLASSES, row


def test_one_line_for_a_source_and_class_highest_first():
    rows = np.concatenate(
        [
            row(100, flow_id=1, dst="10.0.0.1"),
            row(900, flow_id=2, dst="10.0.0.2", dst_port=22),
            row(500, flow_id=2, dst="10.0.0.2"),
            row(950, 2, flow_id=3),
            row(300, flow_id=4, src="2001:db8::1", dst="2001:db8::2"),
        ]
    )
    found = loudest(rows, 400, CLASSES)
    assert [(one.ppm, one.class_name, one.flows, one.destinations) for one in found] == [
        (950, "scan", 1, 1),
        (900, "dos", 1, 1),
        (300, "dos", 0, 0),
    ]
    assert found[1].dst_port == 22
    assert str(ipaddress.ip_address(found[2].src)) == "2001:db8::1"


def test_at_most_so_many_and_none_of_none():
    rows = np.concatenate([row(100 + at, src=f"10.0.0.{at}") for at in range(20)])
    assert [one.ppm for one in loudest(rows, 0, CLASSES, top=3)] == [119, 118, 117]
    assert loudest(rows[:0], 0, CLASSES) == ()
