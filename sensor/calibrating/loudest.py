"""Whose flows score highest: what an operator should look at before he believes a threshold."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Loud:
    """The flows of one source and class.

    Attributes:
        ppm: the highest score, in millionths; of the flow that has it are:
        time_ns: its end,
        dst, dst_port: where it went.
        src: the source; addresses have 4 or 16 bytes, none where there is none.
        class_name: the class.
        flows: how many of them reach the threshold.
        destinations: to how many addresses these went.
    """

    ppm: int
    time_ns: int
    src: bytes
    dst: bytes
    dst_port: int
    class_name: str
    flows: int
    destinations: int


def loudest(rows: NDArray[np.void], ppm: int, classes: tuple[str, ...], top: int = 10) -> tuple[Loud, ...]:
    """Return the sources, class by class, whose flows of ROW[n] score highest, at most `top`, highest first.

    Args:
        rows: the flows; of very many only those that score highest are looked at.
        ppm: the threshold.
        classes: names of the classes.
        top: how many to return.
    """
    order = np.argsort(-rows["ppm"].astype(np.int64), kind="stable")[:MOST_ROWS]
    rows = rows[order]
    if not len(rows):
        return ()
    keys = np.zeros(len(rows), np.dtype([("class", "<u2"), ("version", "u1"), ("src", "S16")]))
    keys["class"], keys["version"] = rows["class"], rows["ip_version"]
    keys["src"] = np.ascontiguousarray(rows["src"]).view("S16")[:, 0]
    plain = keys.view(f"V{keys.dtype.itemsize}")
    found: dict[bytes, list[int]] = {}
    for at, key in enumerate(plain.tolist()):
        if key in found or len(found) < top:
            found.setdefault(key, []).append(at)
    return tuple(_loud(rows[places], ppm, classes) for places in found.values())


def _loud(rows: NDArray[np.void], ppm: int, classes: tuple[str, ...]) -> Loud:
    """Return what there is to say of rows of one source and class, the highest score first."""
    first = rows[0]
    length = {4: 4, 6: 16}.get(int(first["ip_version"]), 0)
    reaching = rows[rows["ppm"] >= ppm]
    return Loud(
        ppm=int(first["ppm"]),
        time_ns=int(first["end_ns"]),
        src=bytes(first["src"][:length]),
        dst=bytes(first["dst"][:length]),
        dst_port=int(first["dst_port"]),
        class_name=classes[int(first["class"])],
        flows=len(np.unique(reaching["flow_id"])),
        destinations=len(np.unique(reaching["dst"], axis=0)),
    )
