"""The numbers of reasons and states are what the engine writes."""

from sensor.flows import FLOW_DTYPE, Reason, State


def test_the_numbers_fit_their_fields_and_stay():
    assert [r.value for r in Reason] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [s.value for s in State] == [0, 1, 2]
    assert FLOW_DTYPE["reason"].itemsize == FLOW_DTYPE["state"].itemsize == 1
