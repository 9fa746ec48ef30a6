"""What machines ask each other."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.machines import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path, 16)


def test_no_client_may_set_the_clock(tmp_path: Path):
    for seed in range(40):
        for words in on_paper(BY_NAME["ntp-poll"], tmp_path, seed).commands:
            assert words[0] != "chronyd" or "-Q" in words
            assert "-S" not in words and "-s" not in words


def test_a_round_of_checks_starts_no_plugin_that_starts_others(tmp_path: Path):
    rounds = [on_paper(BY_NAME["check"], tmp_path, seed).commands for seed in range(20)]
    plugins = {Path(words[0]).name for commands in rounds for words in commands}
    assert {"check_http", "check_ssh", "check_smtp"} <= plugins and not plugins & {"check_ping", "check_dns"}
    assert len({len(commands) for commands in rounds}) > 5


def test_machines_talk_for_real(in_world: Any):
    kinds = ["ntp-poll", "snmp-poll", "syslog", "print-job", "traceroute"]
    assert in_world(surprises, "machines", kinds, ["names", "clock", "chatter"], 1) == []
