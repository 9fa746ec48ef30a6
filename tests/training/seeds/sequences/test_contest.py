"""Every model is judged on one split; training never sees an attack, a later hour or a test flow."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.seeds.sequences import made
from training.seeds.sequences import contest, counting, judging, network
from training.seeds.sequences.judging import ALL

LESSONS: list[tuple[list[object], list[object], int]] = []


class Pupil:
    """Stands for a network and its training: keeps what it was given, then counts."""

    losses = (0.25,)

    def __init__(self, recipe, text, words):
        LESSONS.append((text.before.tolist(), text.word.tolist(), words))
        self.model = counting.Frequency(text, words)

    def teach(self, seed):
        return self

    def probability(self, text):
        return self.model.probability(text)


@pytest.fixture
def compete(monkeypatch):
    """Return what runs a contest on events, its networks replaced, and gives results and what was said."""

    def run(events, parts=None):
        said: list[str] = []
        parts = parts or judging.split(events)
        return list(contest.run(events, parts, network.Recipe(), 2, said.append)), said

    LESSONS.clear()
    monkeypatch.setattr(network, "School", Pupil)
    return run


def test_all_models_take_part_with_every_alphabet(compete):
    results, said = compete(made.office())
    names = [(result.model, result.alphabet, result.seed) for result in results]
    counted = ["frequency", "trigram", "table of pairs"]
    expected = [("pair alone", "service", 0)]
    for alphabet in ("service", "shape", "protocol"):
        expected += [(name, alphabet, 0) for name in counted]
        expected += [(contest.LANGUAGE, alphabet, seed) for seed in (0, 1) if alphabet != "protocol"]
    assert names == expected
    assert len(said) == 4
    by_name = {(result.model, result.alphabet): result.figures[ALL].roc_auc or 0 for result in results}
    # The scan knocks at ports that nobody uses, and looks like a page without them.
    assert by_name["frequency", "service"] > 0.9
    assert by_name["frequency", "protocol"] == pytest.approx(0.5)


def test_what_attacks_and_later_hours_hold_changes_nothing_in_training(compete):
    events = made.office()
    parts = judging.split(events)
    compete(events, parts)
    compete(replace(events, low_port=np.where(parts.train, events.low_port, 7)), parts)
    assert len(LESSONS) == 4
    assert LESSONS[:2] == LESSONS[2:]
