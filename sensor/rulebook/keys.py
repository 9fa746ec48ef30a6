"""What the flows of one window of a rule have in common, as one value for a flow and a rule."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import Throttle

_KEY: Final = np.dtype([("place", "<i8"), ("class", "<u8"), ("version", "u1"), ("one", "S16"), ("other", "S16")])
# The keys of crowds are shorter, so that none is ever equal to that of an incident.
_CROWD: Final = np.dtype([("place", "<i8"), ("class", "<u8"), ("version", "u1"), ("dst", "S16")])
_RULE_BYTES: Final = 16


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
        keys["class"] = self._classes(judged, rows, places)
        return _as_bytes(keys)

    def crowds(self, judged: ScoredFlows, rows: NDArray[np.intp], places: NDArray[np.intp]) -> list[bytes]:
        """Return for each pair the key that all have whose rule, class and destination are the same."""
        keys = np.zeros(len(rows), _CROWD)
        keys["place"] = places
        keys["class"] = self._classes(judged, rows, places)
        keys["version"] = judged.flows["ip_version"][rows]
        keys["dst"] = _addresses(judged.flows["dst"], rows)
        return _as_bytes(keys)

    def _classes(
        self, judged: ScoredFlows, rows: NDArray[np.intp], places: NDArray[np.intp]
    ) -> NDArray[np.uint64]:
        numbers = _class_numbers(judged.class_names)
        chosen: NDArray[np.uint64] = np.where(self._class[places], numbers[judged.class_index[rows]], np.uint64(0))
        return chosen


def rule_key(crowd: bytes) -> bytes:
    """Return the key that a crowd's destinations have in common: rule and class."""
    return crowd[:_RULE_BYTES]


def place_of(key: bytes) -> int:
    """Return the place of the rule that any key is of."""
    return int.from_bytes(key[:8], "little", signed=True)


def moved(key: bytes, place: int) -> bytes:
    """Return any key with its rule at another place."""
    return place.to_bytes(8, "little", signed=True) + key[8:]


@lru_cache(maxsize=16)
def _class_numbers(names: tuple[str, ...]) -> NDArray[np.uint64]:
    """Return a number for each class, the same for the same name whatever other classes a model has."""
    digests = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join(digests), "<u8")


def _as_bytes(keys: NDArray[np.void]) -> list[bytes]:
    made: list[bytes] = keys.view(f"V{keys.dtype.itemsize}").tolist()
    return made


def _addresses(column: NDArray[np.uint8], rows: NDArray[np.intp]) -> NDArray[np.bytes_]:
    """Return some addresses of a column, uint8 of shape (n, 16), each as one value that has an order."""
    return np.ascontiguousarray(column[rows]).view("S16")[:, 0]
