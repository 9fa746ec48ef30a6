"""The language model against models that only count, with the services and without: one split, one budget."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from training.seeds.sequences import counting, judging, network
from training.seeds.sequences.events import Events
from training.seeds.sequences.judging import Figures, Parts
from training.seeds.sequences.network import Recipe
from training.seeds.sequences.tokens import ALPHABETS, Vocabulary
from training.seeds.sequences.windows import Text, text

LANGUAGE = "Bi-LSTM"
SERVICE = "service"
READ = (SERVICE, "shape")
"""The alphabets that the language model reads; of protocols alone counting says all there is."""


@dataclass(frozen=True, slots=True)
class Result:
    """One model's figures by kind of hosts; `losses` are a language model's, a number an epoch."""

    model: str
    alphabet: str
    seed: int
    words: int
    losses: list[float]
    figures: dict[str, Figures]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def run(events: Events, parts: Parts, recipe: Recipe, seeds: int, say: Callable[[str], None]) -> Iterator[Result]:
    """Yield the results of every model; each learns from the training part's normal flows alone.

    Args:
        events: all of them, by start.
        parts: which of them train, calibrate and test.
        recipe: of the language model.
        seeds: how many seeds it is trained with, for each alphabet of READ.
        say: is told what is done.
    """
    for alphabet, spell in ALPHABETS.items():
        words = spell(events)
        vocabulary = Vocabulary.of(words[parts.train])
        numbers = vocabulary.numbers(words)
        lesson = text(events.rows(parts.train), numbers[parts.train])
        whole = text(events, numbers)
        known = len(vocabulary)
        for name, model in _counted(alphabet, lesson, known):
            figures = judging.judge(events, parts, counting.surprise(model, whole))
            yield Result(name, alphabet, 0, known, [], figures)
        if alphabet not in READ:
            continue
        school = network.School(recipe, lesson, known)
        for seed in range(seeds):
            language = school.teach(seed)
            say(f"{LANGUAGE}, {alphabet}, seed {seed}: {language.losses[-1]:.3f} nats a word in training")
            figures = judging.judge(events, parts, counting.surprise(language, whole))
            yield Result(LANGUAGE, alphabet, seed, known, language.losses, figures)


def _counted(alphabet: str, lesson: Text, words: int) -> Iterator[tuple[str, counting.Model]]:
    """Yield the counting models of one alphabet with their names; the pair alone has none and comes once."""
    if alphabet == SERVICE:
        yield "pair alone", counting.Pairs(lesson)
    yield "frequency", counting.Frequency(lesson, words)
    yield "trigram", counting.trigram(lesson, words)
    yield "table of pairs", counting.by_pair(lesson, words)
