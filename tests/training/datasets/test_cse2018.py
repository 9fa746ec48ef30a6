"""CSE-CIC-IDS2018 as first published, on files made here in its shape: no real excerpt is at hand."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.datasets import releases
from training.datasets import cicids2017, cicids2017_original, cse2018, tables


def load(place):
    return cse2018.load([place], made.feature_set(), "legacy")


def test_header_lines_between_the_rows_are_dropped_and_counted(tmp_path):
    path = releases.write(
        tmp_path / "Friday-16-02-2018_TrafficForML_CICFlowMeter.csv",
        [releases.first_of_2018(1, "Benign"), releases.first_of_2018(2, "DoS attacks-Hulk")],
    )
    header, *rows = path.read_text().splitlines()
    assert len(header.split(",")) == 80
    path.write_text("\n".join([header, rows[0], header, rows[1], header]) + "\n")
    loaded = load(path)
    assert loaded.manifest.kept == {"benign": 1, "dos hulk": 1}
    assert loaded.manifest.dropped == {tables.HEADER_AGAIN: 2}
    assert np.isfinite(loaded.table.features).all()


def test_times_numbers_and_labels_are_put_right(tmp_path):
    rows = [
        releases.first_of_2018(1, "Infilteration", Timestamp="01/03/2018 02:05:00"),
        releases.first_of_2018(2, "DDOS attack-HOIC", Timestamp="21/02/2018 11:00:00", Flow_Byts_s="Infinity"),
        releases.first_of_2018(3, "Benign", Timestamp="01/01/1970 08:00:00"),
        releases.first_of_2018(4, "Benign", Flow_Duration=-919_011_000_000, Fwd_Header_Len=-1),
    ]
    loaded = load(releases.write(tmp_path / "a.csv", rows))
    assert loaded.table.labels == ("benign", "ddos-hoic", "infiltration")
    assert loaded.table.time_ns.astype("datetime64[ns]").astype("datetime64[s]").astype(str).tolist() == [
        "2018-02-14T14:32:23",
        "2018-02-21T15:00:00",
        "2018-03-01T18:05:00",
    ]
    assert loaded.manifest.dropped == {tables.NO_CLOCK: 1}
    assert loaded.manifest.mended == {
        "a time of twelve hours without AM or PM: taken for the afternoon": 1,
        "Infinity or NaN in a row: the feature's undefined value": 1,
        "a negative duration, from packets out of order": 1,
        "a negative header length, from an overflow": 1,
    }


def test_without_addresses_a_port_in_an_hour_stands_for_the_hosts(tmp_path):
    rows = [
        releases.first_of_2018(1, "Benign"),
        releases.first_of_2018(2, "Benign", Timestamp="14/02/2018 10:59:00"),
        releases.first_of_2018(3, "Benign", Timestamp="14/02/2018 11:00:00"),
        releases.first_of_2018(4, "Benign", Dst_Port=53),
    ]
    table = load(releases.write(tmp_path / "a.csv", rows)).table
    assert len(set(table.pair_key)) == 3
    assert len(set(table.tuple_key)) == 4


def test_the_file_with_addresses_has_real_pairs_and_is_no_corrected_one(tmp_path):
    ends = {"Flow ID": "x", "Src IP": "10.0.0.1", "Src Port": 5, "Dst IP": "10.0.0.2"}
    path = releases.write(
        tmp_path / "Thuesday-20-02-2018.csv",
        [ends | releases.first_of_2018(1, "Benign"), ends | releases.first_of_2018(2, "Benign", Protocol=17)],
    )
    table = load(path).table
    assert (len(set(table.pair_key)), len(set(table.tuple_key))) == (1, 2)
    assert cicids2017.find(path) == cicids2017_original.find(path) == []


def test_only_the_legacy_formulas_are_fed(tmp_path):
    path = releases.write(tmp_path / "a.csv", [releases.first_of_2018(1, "Benign")])
    with pytest.raises(NettrusionError, match=r"it can: cic2022 \(legacy\)"):
        cse2018.load([path], made.feature_set(), "cns22")
