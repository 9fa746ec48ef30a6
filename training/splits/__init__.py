"""Who may learn from which row: train, calibration and test, disjoint by group and time."""

from training.splits.parts import Split, violations

__all__ = ["Split", "violations"]
