"""All checks together."""

from sensor import doctor
from sensor.doctor import CHECKS, Finding, examine
from tests.sensor.doctor.made import scene


def test_every_check_says_something_of_a_bare_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    findings = list(examine(scene(tmp_path)))
    assert {"system", "capability", "interface", "memory", "clock", "model", "rules", "metrics"} <= {
        finding.check for finding in findings
    }
    assert len(findings) > 12
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_breaks_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    def check_broken(scene):
        yield Finding("first", "ok", "fine")
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(doctor, "CHECKS", (check_broken, CHECKS[0]))
    first, broken, system = examine(scene(tmp_path))
    assert first.found == "fine"
    assert (broken.check, broken.outcome) == ("broken", "note")
    assert broken.found == "could not be checked: [Errno 1] Operation not permitted"
    assert system.check == "system"
