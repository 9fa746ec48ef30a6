"""Whether a model still fits: what was scored hour by hour, held against what it was calibrated on.

standard = Standard.of(detector, threshold, calibration, budget)
history = History(standard)
for batch in traffic.read(inputs):
    history.add(batch)
for period in history.periods("day"):
    judge(period, standard)
"""

from sensor.fit.history import History
from sensor.fit.judgement import LIMITS, Judgement, Verdict, judge
from sensor.fit.seen import Seen
from sensor.fit.standard import Standard
from sensor.fit.told import Told

__all__ = ["LIMITS", "History", "Judgement", "Seen", "Standard", "Told", "Verdict", "judge"]
