"""UNSW-NB15: three shapes, on rows made here and on real samples."""

import pytest

from sensor.errors import NettrusionError
from tests.training import made
from training.datasets import unsw_nb15
from training.datasets.unsw_nb15 import LEFT_OUT, RAW

TRAINING = [
    "id",
    *(name for name in RAW if name not in ("srcip", "sport", "dstip", "dsport", "stime", "ltime")),
]


def raw(kind="", label=0, **values):
    """Return one line of the raw shape."""
    row = dict.fromkeys(RAW, "0") | {
        "srcip": "59.166.0.0",
        "sport": "0x000b",
        "dstip": "149.171.126.6",
        "dsport": "-",
        "proto": "udp",
        "state": "CON",
        "service": "dns",
        "attack_cat": kind,
        "label": str(label),
    }
    return ",".join((row | values)[name] for name in RAW)


def test_a_raw_file_needs_no_header_and_its_flaws_are_counted(tmp_path):
    path = tmp_path / "UNSW-NB15_1.csv"
    lines = [
        raw(),
        raw(" Fuzzers ", 1, ct_ftp_cmd=" "),
        raw("Backdoors", 1, is_ftp_login="4"),
        raw("7", 1, ct_ftp_cmd=""),
    ]
    path.write_text("\n".join(lines) + "\n")
    assert unsw_nb15.find(tmp_path) == [path]
    table = unsw_nb15.read([path])
    assert table.category.tolist() == ["normal", "fuzzers", "backdoor", "attack"]
    assert table.attack.tolist() == [False, True, True, True]
    assert not LEFT_OUT & set(table.names)
    assert len(table.names) == 49 - 11 - 2
    assert table.words["state"] == ("con",)
    assert table.column("is_ftp_login").tolist() == [0, 0, 1, 0]
    assert table.manifest.mended == {
        "ct_ftp_cmd is empty: 0": 2,
        "is_ftp_login above 1, though it is 0 or 1 by its definition: taken for 1": 1,
        "attack_cat is a number that nobody explains: an attack of no kind": 1,
    }
    assert [file.rows for file in table.manifest.files] == [4]


def test_the_training_set_begins_with_a_mark_and_has_kinds_in_words(tmp_path):
    row = dict.fromkeys(TRAINING, "1") | {"proto": "tcp", "service": "-", "state": "FIN", "attack_cat": "Generic"}
    path = tmp_path / "set.csv"
    path.write_text("\ufeff" + ",".join(TRAINING) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
    table = unsw_nb15.read([path])
    assert table.category.tolist() == ["generic"]
    assert "id" not in table.names


def test_files_of_two_shapes_or_of_another_kind_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(raw() + "\n")
    (tmp_path / "b.csv").write_text("spkts,sbytes,ct_srv_src,ct_dst_ltm,target\n1,2,3,4,0\n")
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    assert [path.name for path in unsw_nb15.find(tmp_path)] == ["a.csv", "b.csv"]
    with pytest.raises(NettrusionError, match=r"b\.csv: other columns"):
        unsw_nb15.read(unsw_nb15.find(tmp_path))
    with pytest.raises(NettrusionError, match=r"c\.csv: is no table"):
        unsw_nb15.read([tmp_path / "c.csv"])
    with pytest.raises(NettrusionError, match="no UNSW-NB15 file"):
        unsw_nb15.read([])


def test_it_is_no_data_for_the_wire(tmp_path):
    with pytest.raises(NettrusionError, match="a benchmark of the model code, never a model for the wire"):
        unsw_nb15.load([tmp_path], made.feature_set(), "cns22")


def test_real_samples_of_the_raw_shape_load_as_one_table(shared_data):
    paths = [shared_data / "unsw-nb15" / name for name in ("sample_train10.csv", "sample_train5.csv")]
    table = unsw_nb15.read(paths)
    counts = [int(table.of(path.name).attack.sum()) for path in paths]
    assert (len(table), counts) == (15_000, [1_326, 605])
    assert set(table.category) == {"attack", "normal"}
    coded = table.manifest.mended["attack_cat is a number that nobody explains: an attack of no kind"]
    assert coded == 1_326
    assert "tcp" in table.words["proto"]


def test_a_real_sample_of_numbers_alone_loads(shared_data):
    found = unsw_nb15.find(shared_data / "unsw-nb15")
    assert len(found) == 3
    table = unsw_nb15.read([path for path in found if "IPY" in path.name])
    assert (len(table), int(table.attack.sum())) == (1_000, 757)
    assert table.words == {}
