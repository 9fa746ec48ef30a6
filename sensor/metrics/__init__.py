"""Metrics: what a running sensor counted, for Prometheus.

    latency = Latency()
    latency.observe(0.004)
    server = serve("127.0.0.1:9765", lambda: figures)     # needs nettrusion[metrics]
    server.close()
"""

from sensor.metrics.exposition import exposition
from sensor.metrics.figures import Figures
from sensor.metrics.latency import Latency
from sensor.metrics.server import Server, serve

__all__ = ["Figures", "Latency", "Server", "exposition", "serve"]
