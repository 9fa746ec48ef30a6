"""The detector: one ONNX bundle, verified, scoring batches of flows and naming its reasons.

    detector = Detector.load(path, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    scores = detector.score(detector.feature_set.extract(flows, detector.meta.variant))

A model file is untrusted. It is read once; everything is checked on those bytes: an optional
signature, size, parts and operators, shapes, memory and work per flow, metadata, the hash of the
feature set. Then ONNX Runtime gets the very same bytes.
"""

from sensor.detector.detector import Detector, Reason, Scores
from sensor.detector.meta import Budget, BundleMeta
from sensor.detector.session import BATCH

__all__ = ["BATCH", "Budget", "BundleMeta", "Detector", "Reason", "Scores"]
