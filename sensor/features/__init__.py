"""Features: flow records -> a float32 matrix, by named, versioned, frozen feature sets.

    feature_set = FeatureSet.load("cic2022")
    matrix = feature_set.extract(flows)                    # from the engine's records
    matrix = feature_set.from_columns(columns, "cns22")    # from the columns of a published file

A set is one JSON file of this folder: for each feature its index, name, unit, formula, the number
that stands for an undefined value, and the header under which each published release has it. Both
ways end in the same rule for what is undefined, so that a model meets on the wire what it was
trained on.
"""

from sensor.features.featureset import Feature, FeatureSet

__all__ = ["Feature", "FeatureSet"]
