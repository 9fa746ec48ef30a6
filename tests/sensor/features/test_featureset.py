"""Feature sets: what is frozen, what may not be in them, and that a matrix is always defined."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.errors import NettrusionError
from sensor.features import FeatureSet, featureset
from sensor.features.featureset import FOLDER, canonical_sha256
from sensor.flows import FLOW_DTYPE
from tests.sensor.features import golden
from tests.sensor.features.flows import begun_backward, conversation, flow, lone_datagram

# A change of a set is a new version under a new name: a bundle names the hash of what it learnt from.
FROZEN = {
    "cic2022": "a5f72e8e7ed113513107ab4580fdc976d21733c083e2996452513fc76b44b496",
    "flow1": "ace85940280c0de327b24d35e736a1570231cdfb9315d9754fb81a7eafd9da06",
    "iscx2012": "924cb1f6bf22f8616cfece6cdba0bfca83a158a7af860c8042ea7b53666d2272",
}
SETS = tuple(FROZEN)
CASES = [(name, variant) for name in SETS for variant in FeatureSet.load(name).variants]

# Words of names, headers and units that would tell who, where or when instead of what was done.
FORBIDDEN = {
    "address", "addr", "ip", "mac", "port", "ttl", "id", "timestamp", "date", "time", "start",
    "src", "dst", "source", "host", "vlan", "seq", "label", "attempted", "sport", "dport",
}  # fmt: skip
# How long something took, how many bytes IP counts, and how much the initiator and the responder have been doing are
# neither an address nor a time of day.
HARMLESS = re.compile(
    r"ip_bytes|total_tcp_flow_time|Total (TCP|Connection) Flow Time|^pair_time_(mean|cv)$"
    r"|^(src|dst)_(?=(conns|fails|peers|ports)(_share)?_\d+s$|open$)"
)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_frozen(name: str):
    assert FeatureSet.load(name).sha256 == FROZEN[name]


def test_every_set_is_frozen_here():
    assert FeatureSet.available() == tuple(sorted(FROZEN))


def test_the_hash_is_of_the_content_not_of_the_layout():
    document = json.loads((FOLDER / "cic2022.json").read_text())
    shuffled = dict(reversed(document.items()))
    assert canonical_sha256(shuffled) == FROZEN["cic2022"]
    document["features"][3]["undefined"] = -1
    assert canonical_sha256(document) != FROZEN["cic2022"]


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_complete(name: str):
    feature_set = FeatureSet.load(name)
    features = feature_set.features
    assert feature_set.name == name
    assert [f.index for f in features] == list(range(len(features)))
    assert len(set(feature_set.names)) == len(features)
    for feature in features:
        assert re.fullmatch(r"[a-z0-9_]+", feature.name)
        assert feature.unit
        assert feature.formula.endswith(".")
        assert np.isfinite(feature.undefined)


@pytest.mark.parametrize("name", SETS)
def test_nothing_forbidden_is_in_a_set(name: str):
    for feature in FeatureSet.load(name).features:
        texts = [feature.name, feature.unit]
        # The XML calls the two directions source and destination.
        texts += [h for release, h in feature.columns.items() if release != "iscx2012"]
        words = {word.lower() for text in texts for word in re.findall(r"[A-Za-z]+", HARMLESS.sub("", text))}
        assert not words & FORBIDDEN, feature


def test_nothing_forbidden_reaches_the_matrix():
    # The same flow elsewhere, between others, at another time: not a bit of its row changes.
    one, other = conversation(), conversation()
    other["src"], other["dst"] = 77, 99
    for name in ("flow_id", "src_port", "dst_port", "vlan", "vlans", "tunnel", "reason", "part"):
        other[name] += 3
    hour = 3600 * 10**9
    for when in (other, other["fwd"], other["bwd"]):
        for name in ("start_ns", "end_ns", "first_ns", "last_ns"):
            if name in (when.dtype.names or ()):
                when[name] += hour
    for name, variant in CASES:
        feature_set = FeatureSet.load(name)
        assert (feature_set.extract(one, variant) == feature_set.extract(other, variant)).all()


def headers(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize(
    ("release", "file", "others"),
    [
        ("cns22", "cicids2017_improved_5000/data_header_reference.csv", 9),
        ("cns22", "golden/mix5k.cns22.csv", 7),
        ("fork", "golden/mix5k.fork.csv", 12),
        ("cse2018", "golden/mix5k.v2017.csv", 7),
    ],
)
def test_headers_are_those_of_the_published_files(shared_data: Path, release: str, file: str, others: int):
    printed = headers(shared_data / file)
    ours = [f.columns[release] for f in FeatureSet.load("cic2022").features if release in f.columns]
    assert [header for header in printed if header in ours] == ours
    assert len(printed) - len(ours) == others  # who, when, label, and what only fork has


def test_headers_are_those_of_the_first_release(shared_data: Path):
    folder = shared_data / "cicids2017_original_header"
    printed = headers(next(folder.glob("*.csv")))
    features = FeatureSet.load("cic2022").features
    ours = [f.columns["cicids2017"] for f in features if "cicids2017" in f.columns]
    assert [header for header in dict.fromkeys(printed) if header in ours] == ours


def test_headers_of_the_python_package(shared_data: Path):
    printed = headers(shared_data / "cicids2017_improved_5000" / "live_new_flows_example.csv")
    features = FeatureSet.load("cic2022").features
    assert {f.columns["pycic"] for f in features if "pycic" in f.columns} <= set(printed)


@pytest.mark.parametrize(("name", "variant"), CASES)
@settings(deadline=None)
@given(data=st.data())
def test_the_matrix_is_finite_whatever_the_record(name: str, variant: str, data: st.DataObject):
    size = FLOW_DTYPE.itemsize
    raw = data.draw(st.binary(min_size=size, max_size=size) | st.sampled_from([b"\xff" * size]))
    matrix = FeatureSet.load(name).extract(np.frombuffer(raw, FLOW_DTYPE), variant)
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_the_shape_of_the_matrix(name: str, variant: str):
    feature_set = FeatureSet.load(name)
    for flows in (np.concatenate([conversation(), lone_datagram()]), conversation()[:0]):
        matrix = feature_set.extract(flows, variant)
        assert matrix.shape == (len(flows), len(feature_set.features))
        assert matrix.flags.c_contiguous


@pytest.mark.parametrize("name", SETS)
def test_a_batch_may_have_any_length(monkeypatch: pytest.MonkeyPatch, name: str):
    feature_set = FeatureSet.load(name)
    flows = np.concatenate([conversation(), lone_datagram(), begun_backward()] * 16)
    whole = feature_set.extract(flows)
    monkeypatch.setattr(featureset, "BLOCK_ROWS", 5)
    for rows in (1, 4, 5, 6, 15, 16, 17, 48):
        matrix = feature_set.extract(flows[:rows])
        assert (matrix == whole[:rows]).all()
        assert matrix.flags.c_contiguous
    assert (feature_set.extract(flows[::3]) == whole[::3]).all()


@pytest.mark.parametrize("variant", ["cns22", "fork", "legacy"])
def test_what_is_undefined_is_one_number_in_every_variant(variant: str):
    feature_set = FeatureSet.load("cic2022")
    values = dict(zip(feature_set.names, feature_set.extract(lone_datagram(), variant)[0], strict=True))
    for name in ("flow_bytes_per_s", "flow_pkts_per_s", "flow_iat_mean", "init_win_bytes_fwd"):
        assert values[name] == 0
    assert values["icmp_type"] == values["icmp_code"] == -1


def test_a_negative_time_is_kept_but_no_negative_count_or_rate():
    flows = flow(start_ns=7000, end_ns=0, fwd={"pkts": 2, "payload": 7})
    feature_set = FeatureSet.load("cic2022")
    values = dict(zip(feature_set.names, feature_set.extract(flows)[0], strict=True))
    assert values["flow_duration"] == -7
    assert values["flow_bytes_per_s"] == 0


def test_too_large_for_float32_is_undefined():
    feature_set = FeatureSet.load("cic2022")
    matrix = feature_set.defined({"flow_duration": np.array([1e39, -1e39, 3e38])})
    assert matrix[:, 1].tolist() == [0, 0, np.float32(3e38)]


@pytest.mark.parametrize("name", ["cic2023", "../cic2022", ""])
def test_an_unknown_set_is_refused(name: str):
    with pytest.raises(NettrusionError, match="cic2022, flow1, iscx2012"):
        FeatureSet.load(name)


def test_an_unknown_variant_is_refused():
    with pytest.raises(NettrusionError, match="no variant 'cns2022'; say cns22"):
        FeatureSet.load("cic2022").extract(conversation(), "cns2022")


def test_the_default_variant_is_the_first():
    feature_set = FeatureSet.load("cic2022")
    flows = begun_backward()
    assert (feature_set.extract(flows) == feature_set.extract(flows, "cns22")).all()


@pytest.mark.golden
@pytest.mark.parametrize("capture", golden.CAPTURES)
@pytest.mark.parametrize("variant", ["cns22", "fork", "legacy"])
def test_published_rows_and_packets_give_one_matrix(shared_data: Path, capture: str, variant: str):
    folder = shared_data / "golden"
    feature_set = FeatureSet.load("cic2022")
    ours = feature_set.extract(golden.flows(folder, capture, variant), variant)
    theirs = feature_set.from_columns(golden.rows(folder, capture, variant), variant)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0)
