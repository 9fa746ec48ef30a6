"""What came before each flow: the last words of the same source, destination and hour."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.seeds.sequences.events import Events, Ints
from training.seeds.sequences.tokens import PAD

LENGTH = 14
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Text:
    """Words and what came before them, a row a flow.

    Attributes:
        before: (n, LENGTH) int32, the words before, the last one last; PAD where there was none.
        word: (n,) int32, the word that followed.
        pair: (n,) int64, the ordered pair of hosts.
    """

    before: Numbers
    word: Numbers
    pair: Ints

    def __len__(self) -> int:
        return len(self.word)

    def rows(self, index: npt.NDArray[np.bool_] | Ints) -> "Text":
        """Return the rows that a mask or an index selects."""
        return Text(self.before[index], self.word[index], self.pair[index])

    def distinct(self) -> tuple["Text", Ints]:
        """Return each different row of words once, and (n,) which of them each row is; pairs are any of theirs."""
        whole = np.column_stack([self.before, self.word])
        _, first, number = np.unique(whole, axis=0, return_index=True, return_inverse=True)
        return self.rows(first.astype(np.int64)), number.reshape(-1).astype(np.int64)


def text(events: Events, words: Numbers, length: int = LENGTH) -> Text:
    """Return the words (n,) of events in their order of time, each with those before it in its group.

    A group is source, destination and hour; it begins with PAD alone.
    """
    order = np.lexsort((np.arange(len(events)), events.hour, events.pair))
    group = np.column_stack([events.pair, events.hour])[order]
    begins = np.ones(len(events), dtype=np.bool_)
    begins[1:] = (group[1:] != group[:-1]).any(axis=1)
    index = np.arange(len(events))
    position = index - np.maximum.accumulate(np.where(begins, index, 0))
    sorted_words = words[order]
    before = np.full((len(events), length), PAD, dtype=np.int32)
    for back in range(1, min(length, len(events) - 1) + 1):
        has = np.flatnonzero(position >= back)
        before[order[has], length - back] = sorted_words[has - back]
    return Text(before, words, events.pair)
