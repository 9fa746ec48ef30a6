"""Programs are bounded, logged, and kept apart by source ports or by time."""

import json
import threading
import time

import pytest

from training.testbed import programs as module
from training.testbed.network import DESK, LAPTOP
from training.testbed.programs import OWN_PORTS, Intent, Programs, Reach, Run

REACH = Reach("tcp", ("10.77.9.10",), (80, 80))


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Return a log whose programs run here instead of in a host's namespace."""
    monkeypatch.setattr(module, "inside", lambda host, words: list(words))
    return Programs({"PATH": "/usr/bin:/bin"})


def test_a_run_is_logged_with_who_what_and_when(programs: Programs):
    before = time.time_ns()
    run = programs.run(Intent(DESK, "sh", ["sh", "-c", "echo $PLACE; exit 3"], REACH, environment={"PLACE": "here"}))
    assert (run.run, run.host, run.source, run.label, run.exit_code) == (1, "desk", DESK.v4, "benign", 3)
    assert before <= run.start_ns <= run.end_ns <= time.time_ns()
    assert programs.outputs[1] == b"here\n"
    assert programs.log == [run]


def test_a_program_is_killed_at_its_limit_with_its_children(programs: Programs):
    began = time.monotonic()
    run = programs.run(Intent(DESK, "sleep", ["sh", "-c", "sleep 20 & wait"], REACH, source_ports=(1, 1), limit_s=0.2))
    assert run.exit_code == -9
    assert time.monotonic() - began < 10


def test_programs_that_take_any_port_run_one_at_a_time_on_a_host(programs: Programs):
    def work(host: object) -> None:
        programs.run(Intent(host, "sleep", ["sleep", "0.3"], REACH))  # type: ignore[arg-type]

    threads = [threading.Thread(target=work, args=(host,)) for host in (DESK, DESK, LAPTOP)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = sorted((run for run in programs.log if run.host == "desk"), key=lambda run: run.start_ns)
    (other,) = (run for run in programs.log if run.host == "laptop")
    assert second.start_ns - first.end_ns >= 200_000_000
    assert other.start_ns < first.end_ns


def test_own_ports_are_given_once_and_run_out(programs: Programs):
    first, second = programs.own_ports(DESK, 8), programs.own_ports(DESK, 8)
    assert (first, second) == ((10_000, 10_007), (10_008, 10_015))
    assert programs.own_ports(LAPTOP, 1)[0] == OWN_PORTS.start
    with pytest.raises(ValueError, match="desk"):
        programs.own_ports(DESK, OWN_PORTS.stop)


def test_a_run_survives_its_way_through_json(programs: Programs):
    run = programs.run(Intent(DESK, "true", ["true"], REACH))
    assert Run.of(json.loads(json.dumps(run.as_dict()))) == run
