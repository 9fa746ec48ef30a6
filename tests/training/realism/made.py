"""Samples made in code: features and flow records of a chosen look."""

import numpy as np

from sensor.flows import FLOW_DTYPE
from training.realism.sample import Sample

NAMES = tuple(f"f{place}" for place in range(6))


def sample(n=400, clusters=20, shift=0.0, seed=0, group="kind", port=443):
    """Return flows whose first feature lies `shift` standard deviations away."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, len(NAMES))).astype(np.float32)
    features[:, 0] += shift
    flows = np.zeros(n, FLOW_DTYPE)
    flows["dst_port"], flows["proto"] = port, 6
    flows["fwd"]["pkts"], flows["bwd"]["pkts"] = 2, 2
    flows["fwd"]["bytes"] = rng.integers(100, 2000, n)
    flows["bwd"]["bytes"] = rng.integers(100, 2000, n)
    flows["end_ns"] = rng.integers(1, 10**9, n)
    return Sample(flows, features, np.full(n, group), np.arange(n) % clusters, np.ones(n))
