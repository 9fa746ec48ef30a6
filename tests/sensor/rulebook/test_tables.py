"""classification.config and reference.config."""

from sensor.rulebook.tables import Classtype, read_tables


def test_both_files_with_comments_and_blanks(tmp_path):
    (tmp_path / "classification.config").write_text(
        "# words\n\nconfig classification: network-scan,Scan, 2\r\n config  classification:x_1,An X ,1\n"
        "config classification: x_1,Another X,3\n"
    )
    (tmp_path / "reference.config").write_text("config reference: URL   https://\nconfig reference: url http://\n")
    tables, faults = read_tables(tmp_path)
    assert faults == []
    assert tables.classtypes == {"network-scan": Classtype("Scan", 2), "x_1": Classtype("Another X", 3)}
    assert tables.references == {"url": "http://"}


def test_files_that_are_missing_say_nothing(tmp_path):
    tables, faults = read_tables(tmp_path)
    assert (dict(tables.classtypes), dict(tables.references), faults) == ({}, {}, [])


def test_every_wrong_line_is_a_fault_with_its_place(tmp_path):
    path = tmp_path / "classification.config"
    path.write_text(
        "config classification: a,b\nconfig classification: a,b,0\nclassification: a,b,1\n"
        "config classification: é,b,1\nconfig classification: fine,b,1\n"
    )
    other = tmp_path / "reference.config"
    other.write_text("config reference: url\nreference: url https://\n")
    tables, faults = read_tables(tmp_path)
    assert list(tables.classtypes) == ["fine"]
    assert [(fault.path, fault.line) for fault in faults] == [
        *((str(path), line) for line in (1, 2, 3, 4)),
        *((str(other), line) for line in (1, 2)),
    ]
    assert "'classification: a,b,1': write it as config classification:" in faults[2].reason
    assert "\0" not in "".join(fault.reason for fault in faults)


def test_a_file_that_is_no_text_is_a_fault(tmp_path):
    (tmp_path / "reference.config").write_bytes(b"\xff")
    _, faults = read_tables(tmp_path)
    assert [fault.line for fault in faults] == [0]
    assert "is not UTF-8" in str(faults[0])
