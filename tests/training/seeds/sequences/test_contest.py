"""Every model is judged on one split; training never sees an attack, a later hour or a test flow."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.seeds.sequences import made
from training.seeds.sequences import contest, judging, network
from training.seeds.sequences.judging import ALL


@pytest.fixture
def compete(monkeypatch):
    """Return what runs a contest on events, its networks replaced, and gives results and what was said."""

    def run(events, parts=None):
        said: list[str] = []
        parts = parts or judging.split(events)
        return list(contest.run(events, parts, network.Recipe(), 2, said.append)), said

    made.LESSONS.clear()
    monkeypatch.setattr(network, "School", made.Pupil)
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
    assert len(made.LESSONS) == 4
    assert made.LESSONS[:2] == made.LESSONS[2:]
