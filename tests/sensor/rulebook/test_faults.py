"""How faults are told."""

from sensor.errors import NettrusionError
from sensor.rulebook import Fault, RuleError


def test_faults_are_sorted_and_each_has_its_line():
    error = RuleError([Fault("b", 1, "y"), Fault("a", 20, "x"), Fault("a", 3, "x"), Fault("a", 0, "w")])
    assert str(error) == "4 lines of the rules cannot be honoured:\n  a: w\n  a:3: x\n  a:20: x\n  b:1: y"
    assert isinstance(error, NettrusionError)
    assert error.exit_code == 1
