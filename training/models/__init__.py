"""Candidates: what may become the detector, and the plain baselines it has to beat."""

from training.models.candidate import Candidate, Fitted, Lesson
from training.models.register import Factory, registry

__all__ = ["Candidate", "Factory", "Fitted", "Lesson", "registry"]
