"""QUIC: visits, pages of many sites, and sites that are gone."""

from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.quic import KINDS
from training.testbed.services.cloud import QUIC_PORTS, SIZES_BYTES

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path)


def test_only_files_that_there_are_are_asked_of_ports_that_are_served(tmp_path: Path):
    for seed in range(30):
        (words,) = on_paper(BY_NAME["quic-visit"], tmp_path, seed).commands
        paths = [int(word.rpartition("/")[2]) for word in words if word.startswith("https://")]
        assert paths and max(paths) < len(SIZES_BYTES)
        assert sum(word in map(str, QUIC_PORTS) for word in words) == 1


def test_a_page_of_many_sites_is_waited_for(tmp_path: Path):
    counts = set()
    for seed in range(20):
        (words,) = on_paper(BY_NAME["quic-burst"], tmp_path, seed).commands
        assert words[-1].endswith("\nwait")
        counts.add(words[-1].count("gtlsclient"))
    assert min(counts) >= 2 and max(counts) > 6


def test_who_falls_back_mostly_found_nobody(tmp_path: Path):
    gone = there = 0
    for seed in range(40):
        stage = on_paper(BY_NAME["quic-fallback"], tmp_path, seed)
        silent = {one for pair in stage.world.gone for one in pair}
        for words in stage.commands:
            gone += bool(silent & set(words))
            there += not silent & set(words)
    assert gone > 2 * there > 0


def visited(bench: Bench) -> list[str]:
    """Fetch something for real; tell what the client printed when it is not what a good end prints."""
    bench.serve("cloud")
    said = []
    with bench_stage(bench, BY_NAME["quic-visit"], "desk", 1) as stage:
        site = bench.world.sites[0]
        words = ["gtlsclient", "--exit-on-all-streams-close", "--timeout=3s", "--no-quic-dump"]
        done = stage.run(*words, site.v4, str(QUIC_PORTS[0]), f"https://{site.name}/1", limit_s=20.0)
        said.append(done.output.decode("utf-8", "replace"))
    return said


def test_a_file_comes_for_real(in_world: Any):
    (said,) = in_world(visited)
    assert "200" in said
