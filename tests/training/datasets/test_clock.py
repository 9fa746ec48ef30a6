"""Twelve hours without AM and PM: the afternoon is where the labs worked."""

import pandas as pd
import pytest

from training.datasets.clock import NO_TIME, twelve_hours


@pytest.mark.parametrize(
    ("text", "utc", "moved"),
    [
        ("7/7/2017 3:30", "2017-07-07T18:30:00", True),
        ("03/07/2017 08:55:58", "2017-07-03T11:55:58", False),
        ("5/7/2017 12:10", "2017-07-05T15:10:00", False),
        (" 04/07/2017 01:00:01", "2017-07-04T16:00:01", True),
        ("6/7/2017 7:59", "2017-07-06T22:59:00", True),
        ("6/7/2017 8:00", "2017-07-06T11:00:00", False),
        ("6/7/2017 11:59", "2017-07-06T14:59:00", False),
    ],
)
def test_a_time_of_the_lab_is_a_time_of_the_world(text, utc, moved):
    time_ns, later = twelve_hours(pd.Series([text]), -3)
    assert str(time_ns.astype("datetime64[ns]")[0])[:19] == utc
    assert later.tolist() == [moved]


def test_what_is_no_time_is_said_to_be_none():
    time_ns, moved = twelve_hours(pd.Series(["7/7/2017 3:30", "soon", "31/31/2017 1:00", None]), -3)
    assert (time_ns == NO_TIME).tolist() == [False, True, True, True]
    assert moved.tolist() == [True, False, False, False]
