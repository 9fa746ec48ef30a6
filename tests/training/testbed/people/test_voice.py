"""Telephone calls."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.voice import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides(kind: Any, tmp_path: Path):
    assert plain(played(kind, 7, tmp_path)) == plain(played(kind, 7, tmp_path)) != plain(played(kind, 8, tmp_path))


def test_a_call_is_as_long_as_its_speech_and_silence_together(tmp_path: Path):
    silent = 0
    for seed in range(30):
        stage = played(BY_NAME["voip-call"], seed, tmp_path, longest_s=40.0)
        scenario = (stage.folder / "call.xml").read_text()
        pauses_ms = [int(ms) for ms in re.findall(r'milliseconds="(\d+)"', scenario)][1:]
        assert 3_990 <= sum(pauses_ms) <= 40_010
        assert (stage.folder / "speech.ulaw").stat().st_size >= 8 * sum(pauses_ms)
        silent += '"pause"' in scenario
    assert 0 < silent < 30


def called(bench: Bench) -> list[Any]:
    """Call for real; tell what went wrong."""
    bench.serve("voice")
    with bench_stage(bench, BY_NAME["voip-call"], "phone", 1) as stage:
        stage.settings = {"typical_s": 1.0, "longest_s": 4.0}
        BY_NAME["voip-call"].play(stage)
        return stage.surprises


def test_a_call_is_taken_for_real(in_world: Any):
    assert in_world(called) == []
