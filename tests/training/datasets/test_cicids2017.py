"""The loader: what it keeps, drops and counts, on rows made here and on real excerpts."""

import hashlib
from itertools import islice

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made
from training.datasets import cicids2017, tables


def test_rows_are_deduplicated_over_files_and_drops_are_counted(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN"), made.row(2, "DoS Hulk")])
    made.write_csv(
        tmp_path / "b.csv",
        [
            made.row(1, "BENIGN"),
            made.row(3, "DoS Hulk - Attempted"),
            made.row(4, "Martian"),
            made.row(5, "Portscan"),
        ],
    )
    loaded = cicids2017.load([tmp_path], made.feature_set(), "cns22")
    assert loaded.manifest.kept == {"benign": 1, "dos hulk": 1, "portscan": 1}
    assert sorted(loaded.manifest.dropped.values()) == [1, 1, 1]
    assert [file.rows for file in loaded.manifest.files] == [2, 4]
    digest = hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    assert loaded.manifest.files[0].sha256 == digest


def test_chunks_do_not_change_the_table(tmp_path, monkeypatch):
    rows = [made.row(number, "BENIGN", Flow_Duration=number * 7) for number in range(1, 40)]
    made.write_csv(tmp_path / "a.csv", rows)
    whole = cicids2017.load([tmp_path], made.feature_set(), "cns22").table
    monkeypatch.setattr(tables, "CHUNK_ROWS", 7)
    pieces = cicids2017.load([tmp_path], made.feature_set(), "cns22").table
    assert np.array_equal(whole.features, pieces.features)
    assert np.array_equal(whole.tuple_key, pieces.tuple_key)


def test_both_directions_of_a_dialogue_are_one_five_tuple(tmp_path):
    back = {"Src_IP": "10.0.0.2", "Src_Port": 80, "Dst_IP": "10.0.0.1", "Dst_Port": 1}
    made.write_csv(
        tmp_path / "a.csv",
        [made.row(1, "BENIGN"), made.row(2, "BENIGN", **back), made.row(3, "BENIGN")],
    )
    table = cicids2017.load([tmp_path], made.feature_set(), "cns22").table
    assert table.tuple_key[0] == table.tuple_key[1] != table.tuple_key[2]
    assert len(set(table.pair_key)) == 1


def test_a_row_limit_thins_out_and_weights_undo_it(tmp_path):
    rows = [made.row(number, "BENIGN") for number in range(2000)]
    made.write_csv(tmp_path / "a.csv", [*rows, made.row(9000, "DDoS")])
    loaded = cicids2017.load([tmp_path], made.feature_set(), "cns22", row_limit=200)
    benign = loaded.table.benign
    assert 120 < benign.sum() < 300
    assert loaded.table.weight[benign].sum() == pytest.approx(2000)
    assert loaded.table.weight[~benign].tolist() == [1.0]


def test_the_readme_table_of_a_sample_gives_the_totals(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN"), made.row(2, "BENIGN")])
    (tmp_path / "README.md").write_text("| BENIGN_2.csv | 500 | 2 | 0 |\n| x | 1 |\n")
    loaded = cicids2017.load([tmp_path], made.feature_set(), "cns22")
    assert loaded.table.weight.tolist() == [250.0, 250.0]


def test_files_of_another_kind_are_named_and_skipped(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN")])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    loaded = cicids2017.load([tmp_path], made.feature_set(), "cns22")
    assert loaded.manifest.skipped == ["other.csv"]


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n"])
def test_a_folder_without_the_release_is_an_error_that_says_so(tmp_path, content):
    folder = tmp_path / "data"
    if content is not None:
        folder.mkdir()
        (folder / "x.csv").write_text(content)
    with pytest.raises(NettrusionError, match="corrected"):
        cicids2017.load([folder], made.feature_set(), "cns22")


def test_the_release_of_2018_has_the_same_headers_and_another_name(tmp_path):
    later = made.row(2, "Infiltration - NMAP Portscan", Timestamp="2018-02-28 14:00:05.5")
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN"), later])
    loaded = cicids2017.load([tmp_path / "a.csv"], made.feature_set(), "cns22")
    assert loaded.table.sources == ("cicids2017", "cse-cic-ids2018")
    assert loaded.table.origin.tolist() == ["cicids2017", "cse-cic-ids2018"]
    assert loaded.table.family.tolist() == ["benign", "scan"]
    assert len(loaded.manifest.about) == 2


def test_flaws_are_counted(tmp_path):
    rows = [
        made.row(1, "BENIGN", Fwd_Header_Length=-30000, Total_Fwd_Packet=3000),
        made.row(2, "BENIGN", Timestamp="noon"),
    ]
    made.write_csv(tmp_path / "a.csv", rows)
    loaded = cicids2017.load([tmp_path], made.feature_set(), "cns22")
    assert loaded.manifest.mended == {"Fwd Header Length below 0: 16 bits that overflowed, undone": 1}
    assert loaded.manifest.dropped == {tables.NO_CLOCK: 1}


def test_a_set_that_the_release_cannot_feed_is_refused(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN")])
    with pytest.raises(NettrusionError, match=r"cannot feed cic2022 \(legacy\); it can: cic2022 \(cns22\)"):
        cicids2017.load([tmp_path], made.feature_set(), "legacy")


def test_its_files_are_found_by_their_headers(tmp_path):
    path = made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN")])
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    (tmp_path / "c.txt").write_text(path.read_text())
    assert cicids2017.find(tmp_path) == cicids2017.find(path) == [path]
    assert cicids2017.find(tmp_path / "b.csv") == cicids2017.find(tmp_path / "c.txt") == []


def test_a_real_excerpt_loads(tmp_path, shared_data):
    for name in ("BENIGN_5000.csv", "Web_Attack_-_XSS_18.csv"):
        source = shared_data / "cicids2017_improved_5000" / name
        with source.open(encoding="utf-8") as stream:
            (tmp_path / name).write_text("".join(islice(stream, 301)), encoding="utf-8")
    table = cicids2017.load([tmp_path], made.feature_set(), "cns22").table
    assert len(table) == 318
    assert set(table.family) == {"benign", "web"}
    assert np.isfinite(table.features).all()
    assert (np.diff(table.time_ns) >= 0).all()
    assert str(table.time_ns[:1].astype("datetime64[ns]")[0]).startswith("2017-07-0")
