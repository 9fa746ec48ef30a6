"""Figures in Prometheus' text format, through the prometheus-client package."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sensor.errors import NettrusionError
from sensor.metrics.families import Family, families
from sensor.metrics.figures import Figures

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(figures: Figures) -> bytes:
    """Return a reading in the text format 0.0.4, the process's own metrics (`process_*`) with it.

    Raises NettrusionError when prometheus-client is not installed.
    """
    require_client()
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import generate_latest

    registry = CollectorRegistry()
    registry.register(_Reading(figures))
    ProcessCollector(registry=registry)
    return bytes(generate_latest(registry))


def require_client() -> None:
    """Raise NettrusionError that says what to install when prometheus-client is missing."""
    try:
        import prometheus_client  # noqa: F401
    except ImportError as error:
        raise NettrusionError(
            "metrics need the package prometheus-client; install nettrusion[metrics],"
            ' or set listen = "off" in [metrics]'
        ) from error


class _Reading:
    """A collector of one reading, as prometheus-client asks for it."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> "Iterator[Metric]":
        return map(_metric, families(self._figures))


def _metric(family: Family) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if family.histogram is not None:
        # The last bucket, +Inf, is the count: both of one look at the buckets.
        buckets = [(_bound(bound), within) for bound, within in family.histogram.buckets]
        return HistogramMetricFamily(family.name, family.help, buckets=buckets, sum_value=family.histogram.sum)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, value in family.samples:
        metric.add_metric(labels, value)
    return metric


def _bound(seconds: float) -> str:
    return "+Inf" if seconds == float("inf") else repr(seconds)
