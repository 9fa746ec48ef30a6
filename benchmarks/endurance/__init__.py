"""A sensor under strain, on a cable of its own: floods, half an hour of traffic, kills, outputs that stall, latency."""
