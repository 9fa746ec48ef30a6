"""Figures that mean something: recall at an alert budget, on data of three kinds, with intervals."""
