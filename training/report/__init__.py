"""The model card: what a detector is good and bad at, as text, tables and pictures."""
