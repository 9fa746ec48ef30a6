"""What the flows of one window of a rule have in common, as one value for a flow and a rule."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import Throttle

_KEY: Final = np.dtype([("place", "<i8"), ("class", "<i8"), ("version", "u1"), ("one", "S16"), ("other", "S16")])


class Keys:
    """Makes keys for some rules; what a rule's throttle does not track is zero in its keys."""

    def __init__(self, throttles: Sequence[Throttle]) -> None:
        """Take the throttle of each rule, in the order in which places count."""
        tracks = np.array([throttle.track for throttle in throttles], dtype=np.str_)
        self._addressed = tracks != "by_rule"
        self._source = self._addressed & (tracks != "by_dst")
        self._destination = self._addressed & (tracks != "by_src")
        self._either_way = tracks == "by_both"
        self._class = tracks == "incident"

    def of(self, judged: ScoredFlows, rows: NDArray[np.intp], places: NDArray[np.intp]) -> list[bytes]:
        """Return the key of each pair of a flow at `rows` and a rule at `places`, both shape (n,).

        Keys are equal when the rule is the same and the two flows share a window of it.
        """
        keys = np.zeros(len(rows), _KEY)
        keys["place"] = places
        # Addresses of four bytes are padded with zeros, which is why the version is in the key.
        source, destination = (_addresses(judged.flows[side], rows) for side in ("src", "dst"))
        turned = self._either_way[places] & (destination < source)
        keys["one"] = np.where(self._source[places], np.where(turned, destination, source), b"")
        keys["other"] = np.where(self._destination[places], np.where(turned, source, destination), b"")
        keys["version"] = np.where(self._addressed[places], judged.flows["ip_version"][rows], 0)
        keys["class"] = np.where(self._class[places], judged.class_index[rows], 0)
        made: list[bytes] = keys.view(f"V{_KEY.itemsize}").tolist()
        return made


def _addresses(column: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.bytes_]:
    """Return some addresses of a column, uint8 of shape (n, 16), each as one value that has an order."""
    return np.ascontiguousarray(column[rows]).view("S16")[:, 0]
