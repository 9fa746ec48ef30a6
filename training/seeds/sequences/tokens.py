"""Words for flows: the service by its port, as the seed had it, or what is left without any port."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from training.seeds.sequences.events import Events, Ints

REST = 10_000
"""The token of a flow whose lower port is this or higher: no service, two ports of passing."""
PROTOCOLS = (6, 17, 1, 58)
SIZES = (100, 1_000, 10_000, 100_000)
"""Bounds between classes of size, in IP bytes of both directions together."""
PAD, UNSEEN, FIRST = 0, 1, 2
"""Numbers of no word: before a sequence begins; a word that training did not know. Words begin at FIRST."""


def service(events: Events) -> Ints:
    """Return (n,) the lower port of each flow, REST for the high ones: the service class of a port."""
    return np.minimum(events.low_port, REST)


def protocol(events: Events) -> Ints:
    """Return (n,) the place in PROTOCOLS, one beyond for others: every port merged into one."""
    found = np.full(len(events), len(PROTOCOLS), dtype=np.int64)
    for place, number in enumerate(PROTOCOLS):
        found[events.protocol == number] = place
    return found


def shape(events: Events) -> Ints:
    """Return (n,) protocol, direction (nothing back, more sent, more received) and class of size as one number."""
    direction = np.where(events.received == 0, 0, np.where(events.sent >= events.received, 1, 2))
    size = np.searchsorted(np.array(SIZES), events.sent + events.received, side="right")
    return np.asarray((protocol(events) * 3 + direction) * (len(SIZES) + 1) + size)


ALPHABETS: dict[str, Callable[[Events], Ints]] = {"service": service, "shape": shape, "protocol": protocol}
"""Ways to make words of flows; only `service` looks at a port."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that training knows, sorted; anything else is UNSEEN."""

    words: Ints

    @classmethod
    def of(cls, words: Ints) -> Self:
        """Return the vocabulary of a training text; a word that occurs once stays UNSEEN.

        So a model learns how often a word turns up that it does not know.
        """
        found, counts = np.unique(words, return_counts=True)
        return cls(found[counts > 1])

    def __len__(self) -> int:
        return len(self.words) + FIRST

    def numbers(self, words: Ints) -> npt.NDArray[np.int32]:
        """Return (n,) the number of each word: FIRST and up, or UNSEEN."""
        place = np.searchsorted(self.words, words)
        known = np.isin(words, self.words)
        return np.where(known, place + FIRST, UNSEEN).astype(np.int32)
