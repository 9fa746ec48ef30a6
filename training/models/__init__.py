"""Candidates: what may become the detector, and the plain baselines it has to beat."""

from training.models.candidate import Candidate, Fitted, Lesson

__all__ = ["Candidate", "Fitted", "Lesson"]
