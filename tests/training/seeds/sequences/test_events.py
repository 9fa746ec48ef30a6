"""Flows of records and of recordings become events of the same kind."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import recorded
from tests.training.datasets import iscx_made
from training.seeds.sequences import events


def test_records_become_events(tmp_path):
    made = list(iscx_made.rows(40))
    made[3] |= {"source": "0.0.0.0", "destination": "0.0.0.0"}
    iscx_made.write_xml(tmp_path / "TestbedMonJun14Flows.xml", made)
    found, said = events.read([tmp_path])
    left = [row for place, row in enumerate(made) if place != 3]
    assert said == ["TestbedMonJun14Flows.xml: 39 records, 1 without addresses left out"]
    assert found.low_port.tolist() == [min(int(row["sourcePort"]), int(row["destinationPort"])) for row in left]
    assert found.sent.tolist() == [
        max(0, int(row["totalSourceBytes"]) - 18 * int(row["totalSourcePackets"])) for row in left
    ]
    assert set(found.family.tolist()) == {"benign", "slowdos"}
    assert len(np.unique(found.pair)) == len({(row["source"], row["destination"]) for row in left})
    assert (np.diff(found.start_ns) >= 0).all()


def test_recordings_become_events_beside_records(tmp_path):
    day = recorded.day(1)
    recorded.write(tmp_path, "day", day)
    iscx_made.write_csv(tmp_path / "TestbedThuJun17Flows.csv", iscx_made.rows(10))
    found, said = events.read([tmp_path])
    assert len(said) == 2
    assert len(found) == 10 + len(day)
    assert {"benign", "scan", "bruteforce"} == set(found.family.tolist())
    (alone, _) = events.read([tmp_path / "day.labels.csv"])
    by_port = {talk.dport: talk for talk in day}
    assert set(alone.low_port.tolist()) == set(by_port)
    assert (alone.benign == (alone.family == "benign")).all()
    # A pair has a direction; a host is one number on both sides.
    back = alone.rows(np.arange(len(alone)))
    assert (back.pair == alone.source << 32 | alone.target).all()


def test_what_is_neither_is_refused(tmp_path):
    with pytest.raises(NettrusionError, match="neither"):
        events.read([tmp_path])
