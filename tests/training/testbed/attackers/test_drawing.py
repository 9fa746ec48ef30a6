"""What attacks draw from their settings."""

from dataclasses import replace
from pathlib import Path

from tests.training.testbed.attackers.acting import rehearsed
from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, address, bracketed, guesses, one, pause


def drawn(tmp_path: Path, seed: int, **settings: object) -> dict[str, object]:
    found: dict[str, object] = {}

    def play(stage: Stage) -> None:
        found.update(
            count=about(stage, "count"), wild=about(stage, "count", 2.0), one=one(stage, "one"), where=address(stage)
        )
        found["words"] = guesses(stage, "guest", 12)
        found["right"] = stage.world.passwords["guest"]
        pause(stage, "wait")

    base = {"count": 50, "one": ["a", "b"], "target": "web", "family": 4, "finds": 0.5, "wait": 1.0}
    stage = rehearsed(replace(Kind("some", "scan", play), settings={**base, **settings}), tmp_path, seed)
    return {**found, "paused": stage.paused_s}


def test_numbers_spread_about_their_setting_and_stay_bounded(tmp_path: Path):
    counts = sorted(int(str(drawn(tmp_path, seed)["count"])) for seed in range(200))
    assert 40 <= counts[100] <= 60 and counts[0] < 35 and counts[-1] > 70 and counts[-1] <= 200
    assert max(int(str(drawn(tmp_path, seed)["wild"])) for seed in range(60)) == 200
    assert {drawn(tmp_path, seed)["one"] for seed in range(20)} == {"a", "b"}


def test_the_seed_decides(tmp_path: Path):
    assert drawn(tmp_path, 5) == drawn(tmp_path, 5) != drawn(tmp_path, 6)


def test_targets_have_addresses_of_both_families(tmp_path: Path):
    assert drawn(tmp_path, 1)["where"] == "10.77.9.10" and drawn(tmp_path, 1, family=6)["where"] == "fd77:9::10"
    assert drawn(tmp_path, 1, target="spare")["where"] == "10.77.9.200"
    assert drawn(tmp_path, 1, target="silent")["where"] == "10.77.9.210"
    assert bracketed("fd77::1") == "[fd77::1]" and bracketed("10.0.0.1") == "10.0.0.1"


def test_the_right_password_is_among_the_guesses_as_often_as_told(tmp_path: Path):
    def found(finds: float) -> int:
        tries = [drawn(tmp_path, seed, finds=finds) for seed in range(100)]
        return sum(str(one["right"]) in list(one["words"]) for one in tries)  # type: ignore[call-overload]

    assert found(0.0) == 0 and found(1.0) == 100 and 30 < found(0.5) < 70


def test_pauses_are_exponential_and_may_be_none(tmp_path: Path):
    pauses = [float(str(drawn(tmp_path, seed)["paused"])) for seed in range(100)]
    assert 0.6 < sum(pauses) / 100 < 1.4 and max(pauses) <= 5.0 and drawn(tmp_path, 1, wait=0)["paused"] == 0.0
