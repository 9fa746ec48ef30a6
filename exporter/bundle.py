"""The bundle: a graph with its metadata, as bytes that repeat."""

from typing import Any

from exporter.graph import write
from exporter.identity import Identity
from exporter.scoring import Scoring
from sensor.errors import NettrusionError


def build(network: Any, scoring: Scoring, identity: Identity) -> bytes:
    """Return a trained network as the bytes of one ONNX bundle.

    The same network, scoring and identity give the same bytes. The bundle is not checked here: give
    it to `exporter.verify.check` before it goes anywhere. Raises NettrusionError for a network that
    cannot be exported, and for parts that do not fit together.
    """
    if len(identity.feature_set.features) != scoring.preprocessing.width:
        raise NettrusionError(
            f"{identity.feature_set.name} has {len(identity.feature_set.features)} features, the"
            f" preprocessing {scoring.preprocessing.width}"
        )
    written = write(network, scoring)
    properties = identity.properties(scoring, written.network, written.contributions)
    for key, value in properties.items():
        written.model.metadata_props.add(key=key, value=value)
    data: bytes = written.model.SerializeToString(deterministic=True)
    return data
