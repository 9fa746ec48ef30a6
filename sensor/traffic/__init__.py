"""An operator's own traffic, scored: from captures, or from the events that this sensor wrote of it.

traffic = Traffic(config, detector)
for batch in traffic.read(sort_out(["monday.pcap", "/var/log/nettrusion"])):
    batch.rows                # ROW: who, when, how much, and the score
traffic.counts                # what was left out, and why
"""

from sensor.traffic.batch import Alert, Batch
from sensor.traffic.inputs import Inputs, sort_out
from sensor.traffic.reading import Traffic, nothing_usable
from sensor.traffic.rows import ROW, ended, flows_of, linked, rows_of

__all__ = [
    "ROW",
    "Alert",
    "Batch",
    "Inputs",
    "Traffic",
    "ended",
    "flows_of",
    "linked",
    "nothing_usable",
    "rows_of",
    "sort_out",
]
