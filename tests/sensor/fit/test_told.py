"""What is read off events is what the flow records say, feature by feature."""

import numpy as np
import pytest

from sensor.assembly import Assembly, profile
from sensor.config import load
from sensor.features import FeatureSet
from sensor.fit.told import TOLD, Told
from sensor.flows import FlowEngine
from sensor.scoring import MODEL
from sensor.sources.opening import open_file
from sensor.traffic import rows_of
from tests.sensor.detector.made import TINY


@pytest.fixture(scope="module")
def flows():
    """Return the flow records of the bundled capture."""
    engine = FlowEngine(profile(load(None).config.flows))
    source = open_file(str(MODEL.parent / "demo.pcap.gz"), "file")
    assembly = Assembly(source, engine)
    taken = []
    while assembly.step():
        taken.append(engine.take())
    source.close()
    while engine.drain():
        taken.append(engine.take())
    return np.concatenate([*taken, engine.take()])


@pytest.mark.parametrize("name", sorted(TOLD))
def test_events_tell_what_the_flow_records_do(flows, name):
    feature_set = FeatureSet.load(name)
    told = Told(feature_set, feature_set.variant(None))
    nothing = np.zeros(len(flows), np.int64)
    rows = rows_of(flows, nothing, nothing, 0)
    for time in ("start_ns", "end_ns"):
        rows[time] = rows[time] // 1000 * 1000  # An event's times are whole microseconds.
    found, known = told.features(rows), feature_set.extract(flows)
    assert told.names <= {*feature_set.names} and len(told.names) == len(TOLD[name])
    for at in (feature_set.names.index(one) for one in told.names):
        assert np.array_equal(found[:, at], known[:, at]), feature_set.names[at]
        assert len(np.unique(known[:, at])) > 1 or feature_set.names[at] == "is_icmp"


def test_of_a_set_that_is_not_known_nothing_is_told():
    assert Told(TINY, "cns22").names == frozenset()
