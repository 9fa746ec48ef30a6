"""EVE: flows, alerts and counters as the JSON events that Suricata's consumers read.

    builder = EventBuilder(sensor="gw1", model="cic-mlp 1.0", threshold=0.93)
    lines = builder.flow_lines(judged)                       # every flow, fast
    lines += [encode(event) for event in builder.alerts(judged, judgements)]

Every event validates against the schemas of Suricata 7, 8 and 9; docs/eve.md explains the fields.
"""

from sensor.eve.alert import Judgement
from sensor.eve.anomaly import ANOMALIES, AnomalyLimiter
from sensor.eve.builder import EventBuilder
from sensor.eve.community import community_ids
from sensor.eve.line import MAX_LINE_BYTES, encode
from sensor.eve.stats import Reading

__all__ = [
    "ANOMALIES",
    "MAX_LINE_BYTES",
    "AnomalyLimiter",
    "EventBuilder",
    "Judgement",
    "Reading",
    "community_ids",
    "encode",
]
