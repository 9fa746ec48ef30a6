"""ISCXIDS2012 as a table: alone for its own feature set, with a capture for any, and a manifest that counts."""

import shutil
from datetime import datetime

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.features.records import records
from tests.training import recorded
from tests.training.datasets import iscx_made
from training.datasets import iscx2012, iscx2012_join, iscx2012_rows, recordings
from training.datasets.iscx2012_join import Offset

OWN, CIC = FeatureSet.load("iscx2012"), FeatureSet.load("cic2022")


def alone(*places, **keys):
    return iscx2012.load(places, OWN, "iscx2012", **keys)


@pytest.fixture
def day(tmp_path, repo):
    """Return a folder with a capture, its records on another clock, and the labels by socket."""
    (found,) = recordings.read([repo / "sensor" / "data" / "demo.pcap.gz"])
    shutil.copy(repo / "sensor" / "data" / "demo.pcap.gz", tmp_path / "testbed-14jun.pcap.gz")
    made = iscx_made.of_flows(found.flows, found.column("label").tolist(), -10_800)
    iscx_made.write_xml(tmp_path / "TestbedMonJun14-1Flows.xml", made[::2], payload=b"R&amp;D")
    iscx_made.write_csv(tmp_path / "TestbedMonJun14-2Flows.csv", made[1::2])
    return tmp_path, found


def test_records_alone_are_a_table_of_their_own_feature_set(tmp_path):
    made = list(iscx_made.rows(200))
    iscx_made.write_xml(tmp_path / "TestbedMonJun14Flows.xml", made)
    loaded = alone(tmp_path)
    table = loaded.table
    attacks = sum(row["Tag"] == "Attack" for row in made)
    assert loaded.manifest.kept == {"benign": 200 - attacks, "iscx http denial of service": attacks}
    assert set(table.family.tolist()) == {"benign", "slowdos"}
    assert table.features.shape == (200, len(OWN.features))
    first = table.features[0, table.feature_names.index("fwd_pkts")]
    assert first == float(made[0]["totalSourcePackets"])
    assert table.time_ns[0] == int(datetime.fromisoformat(made[0]["startDateTime"] + "+00:00").timestamp()) * 10**9
    assert "unknown" in loaded.manifest.about[1]
    assert table.sources == ("iscx2012",)


def test_the_features_are_those_that_the_flows_themselves_have(day):
    folder, found = day
    whole = iscx_made.of_flows(found.flows, found.column("label").tolist(), 0)
    path = iscx_made.write_xml(folder / "item.xml", whole[:1], tag="item")
    flow = next(
        place
        for place, (port, start) in enumerate(
            zip(records(found.flows)["sourcePort"], records(found.flows)["startDateTime"], strict=True)
        )
        if (str(port), start) == (whole[0]["sourcePort"], whole[0]["startDateTime"])
    )
    assert alone(path).table.features[0].tolist() == OWN.extract(found.flows[[flow]])[0].tolist()


def test_the_csv_release_is_the_same_table(tmp_path):
    made = list(iscx_made.rows(60))
    xml = iscx_made.write_xml(tmp_path / "TestbedMonJun14Flows.xml", made)
    csv = iscx_made.write_csv(tmp_path / "TestbedMonJun14Flows.csv", made)
    one, other = alone(xml).table, alone(csv).table
    assert np.array_equal(one.features, other.features)
    assert one.label.tolist() == other.label.tolist()
    assert one.tuple_key.tolist() == other.tuple_key.tolist()


def test_with_its_capture_a_day_feeds_any_feature_set(day):
    folder, found = day
    loaded = iscx2012.load([folder], CIC, "cns22")
    labels = dict(zip(found.flows["start_ns"].tolist(), found.column("label").tolist(), strict=True))
    attacks = [labels[start] != "benign" for start in loaded.table.time_ns.tolist()]
    assert attacks == (~loaded.table.benign).tolist()
    assert loaded.table.features.shape[1] == len(CIC.features)
    assert "clock of its records -03:00 (1" in loaded.manifest.about[1]
    missing = loaded.manifest.dropped[f"flows: {iscx2012_join.NO_RECORD}"]
    assert missing + len(loaded.table) == len(found.flows)
    assert missing <= len(found.flows) / 11
    assert [file.name for file in loaded.manifest.files] == [
        "TestbedMonJun14-1Flows.xml", "TestbedMonJun14-2Flows.csv", "testbed-14jun.pcap.gz",
    ]  # fmt: skip


def test_an_offset_can_be_set_and_the_file_beside_is_asked_first(day):
    folder, found = day
    with pytest.raises(NettrusionError, match=r"no flow of testbed-14jun.* clock \+8760:00 \(set\)"):
        iscx2012.load([folder], CIC, "cns22", offset=Offset(86_400 * 365))
    (folder / "utc-offset.txt").write_text("-03:00\n")
    loaded = iscx2012.load([folder], CIC, "cns22")
    assert "-03:00 (set)" in loaded.manifest.about[1]
    for capture in folder.glob("*.pcap.gz"):
        capture.unlink()
    assert alone(folder).table.time_ns.min() // 10**9 == found.flows["start_ns"].min() // 10**9
    (folder / "utc-offset.txt").write_text("Halifax")
    with pytest.raises(NettrusionError, match=r"utc-offset\.txt: 'Halifax' is no offset .* -03:00"):
        alone(folder)


def test_without_its_capture_another_feature_set_cannot_be_fed(tmp_path):
    iscx_made.write_xml(tmp_path / "TestbedTueJun15-1Flows.xml", iscx_made.rows(9))
    recorded.write(tmp_path, "testbed-14jun", [])
    with pytest.raises(NettrusionError, match=r"Jun15-1Flows\.xml: .* iscx2012 alone, not cic2022; put"):
        iscx2012.load([tmp_path], CIC, "cns22")


def test_files_are_found_by_their_heads(tmp_path):
    xml = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(1))
    csv = iscx_made.write_csv(tmp_path / "b.csv", iscx_made.rows(1))
    (tmp_path / "c.xml").write_text("<note/>")
    (tmp_path / "d.csv").write_text("src,dst,label\n")
    shutil.copy(xml, tmp_path / "e.txt")
    assert iscx2012.find(tmp_path) == [xml, csv]
    assert iscx2012.find(xml) == [xml]
    assert iscx2012.find(tmp_path / "gone.xml") == []
    with pytest.raises(NettrusionError, match="no flow file"):
        alone(tmp_path / "c.xml")


def test_a_day_in_both_forms_counts_once(tmp_path):
    made = list(iscx_made.rows(5))
    xml = iscx_made.write_xml(tmp_path / "a.xml", made)
    csv = iscx_made.write_csv(tmp_path / "a.csv", made)
    assert iscx2012.find(tmp_path) == [xml]
    assert iscx2012.find(csv) == [csv]
    assert len(alone(tmp_path).table) == 5


def test_oddities_and_limits_are_in_the_manifest(tmp_path):
    made = list(iscx_made.rows(100, attacks=0))
    made[3] |= {"source": "0.0.0.0", "destination": "0.0.0.0"}
    made[4] |= {"Tag": "Maybe"}
    made.append(made[5] | {"Tag": "Attack"})
    manifest = alone(iscx_made.write_xml(tmp_path / "a.xml", made), row_limit=33).manifest
    assert manifest.mended[iscx2012_rows.NO_ADDRESS] == 1
    assert manifest.mended[iscx2012_rows.BOTH_TAGS] == 1
    assert manifest.dropped[iscx2012_rows.NO_TAG] == 1
    assert manifest.kept == {"benign": 33, "iscx http denial of service": 1}
    assert manifest.totals["benign"] == 99


def test_the_genuine_records_are_a_table(shared_data):
    loaded = alone(shared_data / "iscx2012")
    assert loaded.manifest.kept == {"benign": 2, "iscx ddos by an irc botnet": 1}
    assert loaded.manifest.mended[iscx2012_rows.NO_ADDRESS] == 1
    assert loaded.table.episodes.tolist() == [0, 0, 1]
