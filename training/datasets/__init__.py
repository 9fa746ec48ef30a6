"""Labelled flow tables in: published CSVs -> features, labels, groups and weights."""

from training.datasets.table import FlowTable

__all__ = ["FlowTable"]
