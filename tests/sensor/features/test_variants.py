"""What is known of the variants stays together."""

from sensor.features import FeatureSet
from sensor.features.cic import FLAGS
from sensor.features.release import RELEASES
from sensor.features.variants import LEGACY_FLAGS, QUIRKS


def test_the_feature_set_the_formulas_and_the_files_know_the_same_variants():
    assert set(FeatureSet.load("cic2022").variants) == set(QUIRKS) == set(RELEASES)


def test_legacy_flags_are_a_permutation():
    assert set(LEGACY_FLAGS) == set(LEGACY_FLAGS.values()) == set(FLAGS)
