"""Shared files."""

from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper
from training.testbed.people.sharing import KINDS
from training.testbed.services.torrent import files

(TORRENT,) = KINDS


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path)


def test_what_is_wanted_is_shared_and_stays_in_the_acts_folder(tmp_path: Path):
    for seed in range(20):
        stage = on_paper(TORRENT, tmp_path, seed)
        (words,) = stage.commands
        assert Path(words[-1]) in files(stage.world)
        assert f"--dir={stage.folder}" in words and f"--dht-file-path={stage.folder}/dht" in words
        assert stage.longest_s < TORRENT.limit_s


def fetched(bench: Bench) -> list[int]:
    """Fetch the smallest file for real; return how many bytes came and how many there are."""
    bench.serve("torrent")
    file = files(bench.world)[0]
    words = ["aria2c", "-q", "--dir=/tmp", "--seed-time=0", "--enable-dht=false", "--bt-stop-timeout=15", str(file)]
    bench.run("desk", *words, limit_s=60.0)
    wanted = bench.world.folder("torrent") / "files" / file.stem
    got = Path("/tmp") / file.stem
    return [got.stat().st_size, int(got.read_bytes() == wanted.read_bytes())]


def test_a_file_comes_whole_for_real(in_world: Any):
    size, same = in_world(fetched, limit_s=120.0)
    assert size > 200_000 and same
