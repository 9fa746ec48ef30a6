"""Folders of labelled data, each read by whoever knows what lies in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sensor.errors import NettrusionError
from training.datasets.manifest import Manifest
from training.datasets.table import Loaded, join

if TYPE_CHECKING:
    from sensor.features import FeatureSet


class Loader(Protocol):
    """What a module of a kind of data has."""

    def load(self, places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
        """Read folders or files of the kind into one table."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of labelled data: what it is called, who finds and who reads it."""

    name: str
    finder: str
    loader: str

    @property
    def find(self) -> Callable[[Path], list[Path]]:
        """The function that finds files of the kind below a folder."""
        found: Callable[[Path], list[Path]] = import_module(f"training.datasets.{self.finder}").find
        return found

    def load(self, places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
        """Read folders or files of the kind."""
        loader: Loader = import_module(f"training.datasets.{self.loader}")
        return loader.load(places, feature_set, variant, row_limit)


RECORDINGS = Kind("recordings (NAME.labels.csv beside the capture)", "recordings", "captures")
CAPTURES = Kind("labelled captures (labels.tsv among them)", "labelled_captures", "labelled_captures")
ZEEK = Kind("labelled Zeek logs (conn.log with a column label)", "zeek_labelled", "zeek_labelled")
EVE = Kind("eve.json with an analyst's verdicts (verdicts.tsv beside it)", "eve_verdicts", "eve_verdicts")
KINDS = (
    RECORDINGS,
    CAPTURES,
    Kind("the corrected CSVs of CICIDS2017 and CSE-CIC-IDS2018", "cicids2017", "cicids2017"),
    Kind("the CSVs of CICIDS2017 as first published", "cicids2017_original", "cicids2017_original"),
    Kind("the CSVs of CSE-CIC-IDS2018 as first published", "cse2018", "cse2018"),
    Kind("the flow records of ISCXIDS2012 (XML or CSV)", "iscx2012", "iscx2012"),
    ZEEK,
    EVE,
    Kind("NSL-KDD", "nsl_kdd", "nsl_kdd"),
    Kind("UNSW-NB15", "unsw_nb15", "unsw_nb15"),
)


def sorted_by_kind(places: Sequence[Path]) -> dict[Kind, list[Path]]:
    """Return which of some folders or files hold which kinds of data; one folder may hold several.

    Raises NettrusionError for a place that is not there, and for one that holds none.
    """
    found: dict[Kind, list[Path]] = {}
    for place in places:
        if not place.exists():
            raise NettrusionError(f"{place}: no such file or folder; give labelled data")
        met = [kind for kind in KINDS if kind.find(place)]
        if not met:
            known = "; ".join(kind.name for kind in KINDS)
            raise NettrusionError(f"{place}: no labelled data that is known; known are: {known}")
        for kind in met:
            found.setdefault(kind, []).append(place)
    return found


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read folders or files of labelled data, of any kinds, into one table.

    What a kind takes and refuses its module says (`KINDS`); all of them must be able to feed the feature set.

    Args:
        places: folders or files.
        feature_set: what the rows are to be turned into.
        variant: by which formulas.
        row_limit: at most about so many rows of a label are kept of each kind. Weights undo it.

    Raises:
        NettrusionError: a place holds nothing that is known, or something that cannot feed the feature set.
    """
    loaded = [kind.load(own, feature_set, variant, row_limit) for kind, own in sorted_by_kind(places).items()]
    if len(loaded) == 1:
        return loaded[0]
    return Loaded(join([one.table for one in loaded]), reduce(Manifest.joined, [one.manifest for one in loaded]))
