"""Split by time, threshold by budget, figures on what came last: for hosts that were known, and for new ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.evaluation.bootstrap import share_interval
from training.evaluation.budget import operating_point
from training.seeds.sequences.counting import Floats
from training.seeds.sequences.events import Events

RATES = (1e-2, 1e-3)
ALL, KNOWN, NEW = "all", "known hosts", "new hosts"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parts:
    """Events in three parts, (n,) masks, each of whole hours: groups of an hour are never torn.

    `train` has normal flows alone, and none of the sources held out; `calibration` has no new host.
    `new` marks flows whose source was held out, or with a host that no training flow has.
    """

    train: Mask
    calibration: Mask
    test: Mask
    new: Mask


@dataclass(frozen=True, slots=True)
class AtRate:
    """What the threshold of one budget does: the rate wanted, the one met, and recall, as a whole and by family.

    Intervals are over pairs of hosts, None for fewer than five of them.
    """

    rate: float
    verdict: str
    false_positive_rate: float
    false_positive_interval: tuple[float, float] | None
    recall: float
    recall_interval: tuple[float, float] | None
    families: dict[str, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one score on some test flows; `roc_auc` is None where one side has no flow."""

    benign: int
    attacks: int
    roc_auc: float | None
    rates: list[AtRate]


def split(events: Events, train: float = 0.5, calibration: float = 0.2, held: float = 0.2) -> Parts:
    """Split by time: the earlier share of the hours trains, the next one calibrates, what is left tests.

    Of the sources of the training hours a share `held`, evenly spread over their addresses, is kept from
    training and calibration: normal hosts that join later. Without them only attackers might be new.

    Raises NettrusionError: a part would be without normal flows, the test without attacks.
    """
    hours = events.hour - events.hour[0] if len(events) else events.hour
    span = int(hours.max(initial=0)) + 1
    first = max(1, round(span * train))
    second = max(first + 1, round(span * (train + calibration)))
    early = (hours < first) & events.benign
    sources = np.unique(events.source[early])
    strangers = sources[(np.arange(len(sources)) + 0.5) * held % 1 >= 1 - held]
    learnt = early & ~np.isin(events.source, strangers)
    hosts = np.union1d(events.source[learnt], events.target[learnt])
    new = np.isin(events.source, strangers) | ~(np.isin(events.source, hosts) & np.isin(events.target, hosts))
    parts = Parts(learnt, (hours >= first) & (hours < second) & ~new, hours >= second, new)
    wanted = (parts.train, parts.calibration & events.benign, parts.test & events.benign, parts.test & ~events.benign)
    if not all(part.any() for part in wanted):
        raise NettrusionError(
            f"{span} hours of events split at {first} and {second} leave a part without normal flows, or the last"
            " one without attacks; give more, or other shares with --train and --calibrate"
        )
    return parts


def judge(events: Events, parts: Parts, scores: Floats) -> dict[str, Figures]:
    """Return the figures of scores (n,) of all events, larger = more like an attack, by kind of hosts.

    Thresholds come from the calibration part's normal flows alone.
    """
    points = [operating_point(scores[parts.calibration & events.benign], rate) for rate in RATES]
    found = {}
    for name, chosen in ((ALL, parts.test), (KNOWN, parts.test & ~parts.new), (NEW, parts.test & parts.new)):
        part, own = events.rows(chosen), scores[chosen]
        rates = [
            _at_rate(part, own >= point.threshold, point.rate, point.verdict)
            for point in points
        ]  # fmt: skip
        found[name] = Figures(int(part.benign.sum()), int((~part.benign).sum()), _auc(part, own), rates)
    return found


def _at_rate(events: Events, alerted: Mask, rate: float, verdict: str) -> AtRate:
    benign, attack = events.benign, ~events.benign
    pairs = events.pair.astype(np.uint64)
    names = sorted(set(events.family[attack].tolist()))
    return AtRate(
        rate=rate,
        verdict=verdict,
        false_positive_rate=_share(alerted[benign]),
        false_positive_interval=share_interval(alerted[benign], pairs[benign]),
        recall=_share(alerted[attack]),
        recall_interval=share_interval(alerted[attack], pairs[attack]),
        families={name: _share(alerted[events.family == name]) for name in names},
    )


def _share(hits: Mask) -> float:
    return float(hits.mean()) if len(hits) else 0.0


def _auc(events: Events, scores: Floats) -> float | None:
    from sklearn.metrics import roc_auc_score

    if events.benign.all() or not events.benign.any():
        return None
    return float(roc_auc_score(~events.benign, scores))
