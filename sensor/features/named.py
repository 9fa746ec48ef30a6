"""Flow records as features under their own names, for a set that no file was published by.

    columns = named(flows, FeatureSet.load("flow1"))     # {"Flow ID": [...], ..., "is_tcp": [...], ..., "Label": ...}

The numbers are those that a model is given, all of them defined. The columns that tell whose flow it was are for a
reader and never enter a model.
"""

import numpy as np
from numpy.typing import NDArray

from sensor.features.featureset import Feature, FeatureSet
from sensor.features.published import IDENTITY, LABELS, Published, identity

# Of features in these units all are whole numbers but the averages.
WHOLE_UNITS = ("0 or 1", "packets", "bytes")
AVERAGES = ("_mean", "_std")


def named(flows: NDArray[np.void], feature_set: FeatureSet) -> Published:
    """Return `flows` (FLOW_DTYPE, (n,)) as columns: whose they are, then the features in the set's order, then a label.

    Features are int64 or float64 (n,), as the matrix of `FeatureSet.extract` has them: a whole number beyond 2**24 is
    told as near as float32 comes to it.
    """
    matrix = feature_set.extract(flows)
    out: Published = identity(flows, flows["proto"].astype(np.int64), "cns22", IDENTITY)
    for feature in feature_set.features:
        out[feature.name] = matrix[:, feature.index].astype(np.int64 if _is_whole(feature) else np.float64)
    out["Label"] = [LABELS["cns22"]] * len(flows)
    return out


def _is_whole(feature: Feature) -> bool:
    """Tell whether a feature only ever holds whole numbers that int64 can hold; damped ones fade."""
    faded = feature.name.startswith(("src_", "dst_", "pair_"))
    return feature.unit in WHOLE_UNITS and not faded and not feature.name.endswith(AVERAGES)
