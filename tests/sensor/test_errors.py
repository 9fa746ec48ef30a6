"""The operator's error: a sentence with an exit code."""

from sensor.errors import NettrusionError


def test_an_error_is_its_sentence_and_has_an_exit_code():
    error = NettrusionError("cap.pcap: is empty; give a capture with packets")
    assert str(error) == "cap.pcap: is empty; give a capture with packets"
    assert error.exit_code == 1


def test_a_subclass_may_choose_its_exit_code():
    class Refused(NettrusionError):
        exit_code = 3

    assert Refused("no").exit_code == 3
