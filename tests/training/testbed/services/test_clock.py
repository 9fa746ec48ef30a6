"""The time servers."""

import time
from typing import Any

from tests.training.testbed.bench import Bench
from training.testbed.services.clock import SERVICES


def polled(bench: Bench) -> list[str]:
    """Ask both servers for the time."""
    bench.serve("names", "clock")
    hosts = (bench.world.name("infra"), bench.world.host("internet").all_v4[5])
    # The one in the house answers once it has heard the one outside, or trusts itself.
    return [bench.run("desk", "ntpdig", "-t", "4", host).stdout for host in hosts]


def test_both_servers_tell_the_time_and_leave_the_clock_alone(in_world: Any):
    before = time.time() - time.monotonic()
    answers = in_world(polled)
    assert abs(time.time() - time.monotonic() - before) < 0.05
    assert " s" in answers[0] and " s2 " in answers[1]
    for answer in answers:
        assert "no-leap" in answer


def test_no_server_may_set_the_clock():
    for service in SERVICES:
        for words in service.commands(WORLD):
            assert "-x" in words


class _Somewhere:
    def folder(self, name: str) -> str:
        return f"/run/{name}"


WORLD: Any = _Somewhere()
