"""Folders of labelled data, each read by whoever knows what lies in it."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from training.datasets import captures, cicids2017
from training.datasets.manifest import Manifest
from training.datasets.recordings import find
from training.datasets.table import Loaded, join

if TYPE_CHECKING:
    from sensor.features import FeatureSet


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read folders of recordings and of the corrected CICIDS2017 release into one table.

    A folder is one of recordings when it, or a folder below it, has a file NAME.labels.csv; the
    arguments are those of `captures.load` and `cicids2017.load`, and so are the errors.
    """
    recordings = [place for place in places if find(place)]
    tables = [place for place in places if place not in recordings]
    loaded = [
        *([captures.load(recordings, feature_set, variant, row_limit)] if recordings else []),
        *([cicids2017.load(tables, feature_set, variant, row_limit)] if tables else []),
    ]
    if len(loaded) == 1:
        return loaded[0]
    return Loaded(join([one.table for one in loaded]), reduce(Manifest.joined, [one.manifest for one in loaded]))
