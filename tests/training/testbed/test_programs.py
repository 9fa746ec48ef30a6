"""Programs are bounded, numbered, logged, and gone when they should be."""

import sys
import threading
import time
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.stages import WORLD, here
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.programs import Order, Over, Programs, shown, surprise, tool

DESK = WORLD.host("desk")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid: int) -> bool:
    """Whether a process goes within a bound."""
    until = time.monotonic() + 5
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(pid)


def test_a_run_is_logged_with_who_what_and_when():
    programs, entered = here()
    before = time.time_ns()
    order = Order(WORLD.host("laptop"), ("sh", "-c", "echo $PLACE $TESTBED_RUN; exit 3"), 7, {"PLACE": "here"})
    started = programs.start(order)
    assert started.ended(10.0)
    done = programs.collect(started)
    (run,) = programs.runs()
    assert (done.exit_code, done.output) == (3, b"here 1\n")
    assert (run.run, run.act, run.tool, run.host, run.exit_code) == (1, 7, "sh", "laptop", 3)
    assert run.command == "sh -c echo $PLACE $TESTBED_RUN; exit 3"
    assert before <= run.start_ns <= run.end_ns <= time.time_ns()
    assert entered == ["laptop"]


def test_a_program_that_is_collected_early_is_killed_with_its_children():
    programs, _ = here()
    started = programs.start(Order(DESK, ("sh", "-c", "sleep 30 & echo $!; wait")))
    assert not started.ended(0.3)
    done = programs.collect(started)
    assert done.exit_code == -9
    assert gone(int(done.output))


def test_what_a_program_leaves_behind_ends_with_it():
    programs, _ = here()
    started = programs.start(Order(DESK, ("sh", "-c", "sleep 30 & echo $!")))
    assert started.ended(10.0)
    done = programs.collect(started)
    assert done.exit_code == 0
    assert gone(int(done.output))


def test_input_is_given_or_typed_and_output_never_blocks():
    programs, _ = here()
    given = programs.start(Order(DESK, ("wc", "-c"), stdin=bytes(300_000)))
    typed = programs.start(Order(DESK, ("cat",), typed=True))
    loud = programs.start(Order(DESK, ("head", "-c", "3000000", "/dev/zero")))
    typed.say("one ")
    typed.say("two")
    typed.hang_up()
    assert given.ended(10.0) and typed.ended(10.0) and loud.ended(10.0)
    assert programs.collect(given).output.strip() == b"300000"
    assert programs.collect(typed).output == b"one two"
    assert len(programs.collect(loud).output) == 1 << 20


def test_typing_into_a_program_that_has_gone_does_no_harm():
    programs, _ = here()
    started = programs.start(Order(DESK, ("true",), typed=True))
    assert started.ended(10.0)
    started.say("too late\n")
    programs.collect(started)
    started.say("much too late\n")
    started.hang_up()
    assert started.ended(0.0)
    started.terminate()


def test_a_program_that_is_not_there_is_named_with_its_host():
    programs, _ = here()
    with pytest.raises(NettrusionError, match=r"no-such-program on desk: No such file"):
        programs.start(Order(DESK, ("no-such-program",)))
    assert programs.runs() == []


def test_the_end_of_the_acts_kills_their_programs_and_leaves_the_servers():
    programs, _ = here()
    act = programs.start(Order(DESK, ("sleep", "30"), act=2))
    server = programs.start(Order(DESK, ("sleep", "30")))
    programs.end_acts()
    assert programs.collect(act).exit_code == -9
    assert not server.ended(0.0)
    with pytest.raises(Over):
        programs.start(Order(DESK, ("true",), act=2))
    assert programs.start(Order(DESK, ("true",))).ended(10.0)
    programs.close()


def test_close_asks_all_to_end_kills_what_does_not_and_lets_nothing_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.testbed.programs.GRACE_S", 0.5)
    programs, _ = here()
    polite = programs.start(Order(DESK, ("sleep", "30")))
    deaf = programs.start(Order(DESK, ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")))
    assert not deaf.ended(0.3)
    programs.close()
    assert [run.exit_code for run in programs.runs()] == [-15, -9]
    assert programs.collect(polite).exit_code == -15
    with pytest.raises(Over):
        programs.start(Order(DESK, ("true",)))
    assert len(programs.runs()) == 2


def test_many_threads_start_many_programs_with_numbers_of_their_own():
    programs, _ = here()

    def work() -> None:
        for _ in range(10):
            started = programs.start(Order(DESK, ("sh", "-c", "echo $TESTBED_RUN")))
            assert started.ended(30.0)
            assert int(programs.collect(started).output) == started.number

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.run for run in programs.runs()] == list(range(1, 61))
    assert {run.exit_code for run in programs.runs()} == {0}


def finished(programs: Programs, *words: str):
    started = programs.start(Order(DESK, words, 4))
    assert started.ended(10.0)
    return started, programs.collect(started)


def test_an_unexpected_exit_code_is_a_surprise_with_the_last_words():
    programs, _ = here()
    started, done = finished(programs, "sh", "-c", "echo no route; exit 7")
    assert surprise(started, "browse", done, (0, 7)) is None
    assert surprise(started, "browse", done, None) is None
    noted = surprise(started, "browse", done, (0,))
    assert noted is not None
    assert (noted.act, noted.kind, noted.run) == (4, "browse", 1)
    assert noted.what.endswith("exit code 7; it said: no route")


def test_a_tool_is_the_program_or_the_script_that_it_interprets():
    assert tool(["/usr/bin/curl", "-s"]) == "curl"
    assert tool(["python3", "-u", "/run/testbed/client.py", "/etc"]) == "client.py"
    assert tool(["sh", "-c", "true"]) == "sh"
    assert shown(["a\nb", "c"]) == "a b c"
    assert len(shown(["x" * 500])) == 400
    assert shown([f"PYTHONPATH={SOURCE_TREE}", sys.executable, "-S"]) == "PYTHONPATH=. python -S"
