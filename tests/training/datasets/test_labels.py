"""Published labels become classes, whatever their spelling."""

import pytest

from training.datasets.labels import _ALIASES, CLASSES, RULES, is_attempted, normalise, rule_for


@pytest.mark.parametrize(
    ("label", "family"),
    [
        ("BENIGN", "benign"),
        ("DoS Hulk", "dos"),
        ("DoS  Slowloris ", "slowdos"),
        ("Web Attack \u2013 XSS", "web"),
        ("Web Attack \ufffd Sql Injection", "web"),
        ("Infiltration - Portscan", "scan"),
        ("Bot", "bot"),
        ("Botnet Ares", "bot"),
        ("DDOS attack-HOIC", "ddos"),
        ("DoS attacks-SlowHTTPTest", "slowdos"),
        ("Brute Force -XSS", "web"),
        ("Infilteration", "infiltration"),
        ("Infiltration - NMAP Portscan", "scan"),
    ],
)
def test_a_label_has_its_family(label, family):
    rule = rule_for(label)
    assert rule is not None
    assert rule.family == family


def test_attempted_and_unknown_labels_have_no_rule():
    assert rule_for("DoS Hulk - Attempted") is None
    assert is_attempted("DoS Hulk - Attempted")
    assert rule_for("Martian") is None
    assert not is_attempted("Martian")


def test_every_alias_leads_to_a_rule():
    assert all(label in RULES for label in _ALIASES.values())


def test_every_learnt_rule_is_a_class_and_every_class_is_learnt():
    assert {rule.class_name for rule in RULES.values() if rule.learnt} == set(CLASSES)


def test_what_is_not_learnt_says_why():
    assert all(rule.reason for rule in RULES.values() if not rule.learnt)


def test_rules_are_kept_under_their_normalised_label():
    assert all(normalise(label) == label == rule.label for label, rule in RULES.items())
