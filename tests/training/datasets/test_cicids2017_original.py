"""CICIDS2017 as first published: both shapes, each flaw put right and counted."""

from itertools import islice

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.training import made
from tests.training.datasets import releases
from training.datasets import cicids2017, cicids2017_original, tables

REAL = "Friday-WorkingHours-Afternoon-DDos.pcap_ISCX.head300.csv"
AFTERNOON = "a time of twelve hours without AM or PM: taken for the afternoon"
TWICE = "Fwd Header Length a second time: left out"


def load(place, **limits):
    return cicids2017_original.load([place], made.feature_set(), "legacy", **limits)


def value(loaded, name):
    return loaded.table.features[:, loaded.table.feature_names.index(name)]


def test_both_ends_and_the_time_of_the_lab_are_read(tmp_path):
    back = {"Source_IP": "104.16.1.1", "Source_Port": 443, "Destination_IP": "192.168.10.5", "Destination_Port": 1}
    rows = [releases.original(1, "BENIGN"), releases.original(2, "DDoS", **back, Timestamp="3/7/2017 9:05")]
    loaded = load(releases.write(tmp_path / "a.csv", rows, again=[" Fwd Header Length"]))
    assert loaded.table.family.tolist() == ["ddos", "benign"]
    assert loaded.table.time_ns.astype("datetime64[ns]").astype("datetime64[m]").astype(str).tolist() == [
        "2017-07-03T12:05",
        "2017-07-07T18:30",
    ]
    assert len(set(loaded.table.tuple_key)) == 1
    assert loaded.table.sources == ("cicids2017-original",)
    assert loaded.manifest.mended == {AFTERNOON: 1, TWICE: 2}


def test_flaws_are_counted_by_row(tmp_path):
    rows = [
        releases.original(1, "BENIGN", Flow_Bytes_s="Infinity", Flow_Packets_s="NaN"),
        releases.original(2, "BENIGN", Flow_Duration=-13, min_seg_size_forward=-536_870_661),
        releases.original(3, "BENIGN", Fwd_Header_Length=-32_212_234_632),
        releases.original(4, "Web Attack \x96 XSS", Destination_IP="192.168.10.50"),
        releases.original(4, "Web Attack \x96 XSS", Destination_IP="192.168.10.50"),
        releases.empty(releases.original(5, "")),
        releases.original(6, "BENIGN", Timestamp="never"),
        releases.original(7, "BENIGN", Timestamp="7/7/2018 3:30"),
    ]
    path = releases.write(tmp_path / "a.csv", rows, encoding="latin-1")
    loaded = load(path)
    assert loaded.manifest.mended == {
        AFTERNOON: 5,
        "Infinity or NaN in a row: the feature's undefined value": 1,
        "a negative duration, from packets out of order": 1,
        "a negative header length, from an overflow": 2,
        "a label with a byte that is no UTF-8, read as a dash": 1,
    }
    assert loaded.manifest.dropped == {tables.EMPTY: 1, tables.SAME_ROW: 1, tables.NO_CLOCK: 2}
    assert loaded.manifest.kept == {"benign": 3, "web attack - xss": 1}
    assert np.isfinite(loaded.table.features).all()


def test_a_copy_that_differs_is_told(tmp_path):
    path = releases.write(tmp_path / "a.csv", [releases.original(1, "BENIGN")], again=[" Fwd Header Length"])
    *cells, _copy, label = path.read_text().splitlines()[1].split(",")
    path.write_text(path.read_text().splitlines()[0] + "\n" + ",".join([*cells, "77", label]) + "\n")
    loaded = load(path)
    assert loaded.manifest.mended["Fwd Header Length and its copy differ: the first is taken"] == 1
    assert value(loaded, "fwd_header_len").tolist() == [1.0]


def without(row, *more):
    gone = ("Flow ID", " Source IP", " Source Port", " Destination IP", " Protocol", " Timestamp", *more)
    return {name: cell for name, cell in row.items() if name not in gone}


def test_the_shape_without_addresses_has_the_day_of_its_name_and_ports_for_hosts(tmp_path):
    rows = [without(releases.original(number, "PortScan", Destination_Port=number % 2)) for number in range(1, 5)]
    path = releases.write(tmp_path / "Friday-WorkingHours-Afternoon-PortScan.pcap_ISCX.csv", rows)
    loaded = load(path)
    table = loaded.table
    assert str(table.time_ns.astype("datetime64[ns]")[0]).startswith("2017-07-07T12:00:00")
    assert (np.diff(table.time_ns) > 0).all()
    assert len(set(table.pair_key)) == 2
    assert len(set(table.tuple_key)) == 4
    assert value(loaded, "protocol").tolist() == [0.0] * 4
    assert loaded.manifest.mended["no protocol: undefined"] == 4
    assert loaded.manifest.mended["no time: the noon of the file's day"] == 4
    anonymous = path.rename(tmp_path / "flows.csv")
    with pytest.raises(NettrusionError, match=r"flows\.csv: has no times and no day"):
        load(anonymous)


def test_a_cell_that_is_no_number_is_named(tmp_path):
    path = releases.write(tmp_path / "a.csv", [releases.original(1, "BENIGN", Idle_Max="many")])
    with pytest.raises(NettrusionError, match=r"a\.csv: column 'Idle Max'"):
        load(path)


def test_only_the_legacy_formulas_are_fed(tmp_path):
    path = releases.write(tmp_path / "a.csv", [releases.original(1, "BENIGN")])
    with pytest.raises(NettrusionError, match=r"it can: cic2022 \(legacy\)"):
        cicids2017_original.load([path], made.feature_set(), "cns22")
    with pytest.raises(NettrusionError, match="cannot feed iscx2012"):
        cicids2017_original.load([path], FeatureSet.load("iscx2012"), "legacy")


def test_the_real_head_of_a_file_loads(shared_data):
    path = shared_data / "cicids2017_original_header" / REAL
    assert cicids2017_original.find(path.parent) == [path]
    assert cicids2017.find(path.parent) == []
    loaded = load(path)
    table, manifest = loaded.table, loaded.manifest
    assert [file.rows for file in manifest.files] == [299]
    assert manifest.kept == {"benign": len(table)}
    assert len(table) + sum(manifest.dropped.values()) == 299
    assert manifest.mended[TWICE] == len(table)
    assert manifest.mended[AFTERNOON] == len(table)
    assert set(table.time_ns.astype("datetime64[ns]").astype("datetime64[D]").astype(str)) == {"2017-07-07"}
    # What the permutation of the flags makes of the names: PSH under SYN is the forward PSH of the first packet.
    assert (value(loaded, "syn_flag_count") == value(loaded, "fwd_psh_flags")).all()
    assert (value(loaded, "subflow_fwd_pkts") == value(loaded, "total_fwd_packets")).all()


def test_both_real_shapes_give_the_same_features_but_the_protocol(shared_data, tmp_path):
    source = shared_data / "cicids2017_original_header" / REAL
    with source.open(encoding="utf-8") as stream:
        rows = [line.rstrip("\n").split(",") for line in islice(stream, 300)]
    kept = [place for place, name in enumerate(rows[0]) if place == 4 or place >= 7]
    other = tmp_path / "Friday-WorkingHours-Afternoon-DDos.pcap_ISCX.csv"
    other.write_text("\n".join(",".join(row[place] for place in kept) for row in rows) + "\n")
    assert len(kept) == 79
    whole, short = load(source), load(other)
    protocol = whole.table.feature_names.index("protocol")

    def distinct(loaded):
        return np.unique(np.delete(loaded.table.features, protocol, axis=1), axis=0)

    assert np.array_equal(distinct(whole), distinct(short))
