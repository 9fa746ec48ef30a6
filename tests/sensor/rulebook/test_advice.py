"""Warnings about rules that are honoured and yet go wrong with those who read the alerts."""

import pytest

from sensor.rulebook import read_directory
from tests.sensor.rulebook.table import NETS, rule, write


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (rule("metadata:cve 2014-0160;"), "the metadata key cve for its own"),
        (rule("metadata:ml_score 3;"), "writes the metadata key ml_score itself"),
        (rule("metadata:ml_incident_by me;"), "writes the metadata key ml_incident_by itself"),
        (rule("metadata:created_at 2026-11-22;"), "created_at is a date as yyyy_mm_dd"),
        (rule(sid=7), "are 1000000 to 1999999"),
        (rule("app-layer-protocol:!tls;"), "app-layer-protocol is met by no flow, negated or not"),
        (rule("noalert;"), "keeps the rule from ever alerting"),
    ],
)
def test_a_warning_has_its_place_and_its_rule(tmp_path, text, reason):
    write(tmp_path, ["", text])
    (warning,) = read_directory(tmp_path, NETS).warnings
    assert warning.line == 2
    assert reason in warning.reason


def test_a_rule_as_it_should_be_has_none(tmp_path):
    write(tmp_path, rule("metadata:created_at 2026_11_22, mitre_technique_id T1046;"))
    assert read_directory(tmp_path, NETS).warnings == ()
