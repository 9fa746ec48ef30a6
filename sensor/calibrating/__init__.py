"""From an operator's own traffic to the threshold that keeps it within a budget of alerts.

gathered = Gathered()
for batch in traffic.read(inputs):
    gathered.add(batch)
finding = calibrate(gathered, reading, detector.meta, AlertBudget.parse("20/day"))
"""

from sensor.calibrating.finding import Check, Finding, calibrate, calibration_of
from sensor.calibrating.gathered import Gathered
from sensor.calibrating.incidents import Counting
from sensor.calibrating.levels import Levels
from sensor.calibrating.loudest import Loud
from sensor.calibrating.period import Period
from sensor.calibrating.poisson import lower, upper

__all__ = [
    "Check",
    "Counting",
    "Finding",
    "Gathered",
    "Levels",
    "Loud",
    "Period",
    "calibrate",
    "calibration_of",
    "lower",
    "upper",
]
