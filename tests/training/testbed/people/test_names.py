"""Name lookups."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.names import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path, 20)


def test_a_browser_asks_for_many_names_at_once(tmp_path: Path):
    counts = []
    for seed in range(30):
        (words,) = on_paper(BY_NAME["dns-prefetch"], tmp_path, seed).commands
        crew, *names = words[words.index("-c") + 2 :]
        assert 6 <= int(crew) <= 16
        counts.append(len(names))
    assert min(counts) >= 5 and max(counts) <= 60 and 20 < sum(counts) / len(counts) < 40


def test_what_fails_never_asks_the_house_for_a_name_that_is_there(tmp_path: Path):
    for seed in range(30):
        stage = on_paper(BY_NAME["dns-failures"], tmp_path, seed)
        (words,) = stage.commands
        names = [line.split()[0] for line in Path(words[-1]).read_text().splitlines()]
        if not any(word.startswith("@") for word in words):
            assert not [name for name in names if name.startswith(("www.", "web.", "mail.")) or ".site" in name]


def test_lookups_work_for_real(in_world: Any):
    assert in_world(surprises, "names", ["dns-lookup", "dns-prefetch"], ["names"], 4) == []
