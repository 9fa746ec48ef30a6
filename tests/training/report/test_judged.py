"""Tables of several detectors side by side say whose a row is, and what cannot be certified."""

from dataclasses import replace

from training.evaluation.grouping import Delay, Incidents
from training.evaluation.judged import Class, Judged, Point, Quiet, Recall
from training.report.blocks import Paragraph, Table, markdown
from training.report.judged import aligned, section


def incidents():
    return Incidents(
        found={"bruteforce": (4, 3, 5), "scan": (2, 0, 0)},
        false=7,
        false_captures=(3, 10),
        false_by_capture=0.7,
        false_by_day=14.0,
        days=0.5,
        beside=1,
        undecided=2,
        delay={"bruteforce": Delay(3, 114.0, 12.4, 30.0, 1)},
    )


def point(name, rate, *, alike, certified):
    precision = {"0.01": 0.5, "0.001": 0.1, "0.0001": 0.01, "1e-05": 0.001}
    return Point(
        name, 0.5, rate, alike, 900, certified, 0.02, 0.11, (0.09, 0.14), 0.021, 0.3, 0.456, 0.621, precision,
        incidents(),
    )  # fmt: skip


def kind(name, family, points):
    recall = {one.name: Recall(0.25, 0.5, (0.1, 0.4)) for one in points}
    return Class(name, family, 2, 1234, 0.75, None, 0.5, "scan", recall)


def judged(model="one"):
    points = [
        point("own", None, alike=False, certified=True),
        point("0.001, captures alike", 1e-3, alike=True, certified=False),
        point("0.001, flows alike", 1e-3, alike=False, certified=True),
    ]
    scan = kind("portscan", "scan", points)
    return Judged(
        model, "labelled captures", 0.5, True, 2468, 15530, 222, 0.8, 0.858, (0.6, 0.9), 0.661, 0.9, 0.149, points,
        [kind("bruteforce", "bruteforce", points), replace(scan, name="scan")],
        [kind("ftp", "bruteforce", points), kind("ssh", "bruteforce", points), scan],
        [Quiet("benign-iot", 140, 3033, 167, 0.055, 0.13, 0.5)],
        {"why": 3},
    )  # fmt: skip


def rows(blocks, name):
    return [row for block in blocks if isinstance(block, Table) for row in block.rows if row[0] == name]


def test_a_family_stands_above_its_labels_unless_it_has_one_alone():
    table = next(block for block in section([judged()]) if isinstance(block, Table) and block.header[0] == "attack")
    names = [row[0] for row in table.rows]
    assert names == ["bruteforce", "ftp (bruteforce)", "ssh (bruteforce)", "portscan (scan)"]


def test_what_cannot_be_certified_has_a_star():
    table = next(block for block in section([judged()]) if isinstance(block, Table) and block.header[0] == "attack")
    assert "found: FPR 0.001 *" in table.header
    assert "cannot be certified" in table.note
    assert rows(section([judged()]), "FPR 0.001, flows alike")[1][2] == "900"
    assert rows(section([judged()]), "FPR 0.001, captures alike")[1][2] == "900 *"


def test_several_models_have_a_row_each():
    blocks = section([judged("one"), judged("two")])
    assert [row[1] for row in rows(blocks, "portscan (scan)")] == ["one", "two"]
    assert [row[1] for row in rows(blocks, "benign-iot")] == ["one", "two"]


def test_incidents_delay_and_what_was_left_out_are_told():
    blocks = section([judged()])
    assert rows(blocks, "bruteforce")[1][1:] == ["3 of 4", "5", "3 of 4", "5", "114", "12.4", "30.0", "1"]
    assert rows(blocks, "scan")[0][-4:] == ["-", "-", "-", "-"]
    assert rows(blocks, "own")[0][1:] == ["7", "3 of 10", "0.70", "14.0", "1", "2"]
    assert any(isinstance(block, Paragraph) and "Left out, why: 3." in block.text for block in blocks)


def test_data_without_flow_records_has_no_incidents():
    plain = replace(judged(), points=[replace(one, incidents=None) for one in judged().points])
    text = markdown(section([plain]), ".")
    assert "After grouping" not in text
    assert "portscan" in text


def test_cells_are_padded_to_the_width_of_their_column():
    table = next(block for block in aligned(section([judged()])) if isinstance(block, Table))
    for place, head in enumerate(table.header):
        assert {len(row[place]) for row in table.rows} == {len(head)}


def test_one_recording_has_no_column_by_capture():
    table = next(
        b for b in section([replace(judged(), alike=False)]) if isinstance(b, Table) and b.header[0] == "attack"
    )
    assert "by capture" not in table.header
    assert "captures alike" not in " ".join(table.header)


def test_decisions_stand_in_the_first_table_and_at_every_threshold():
    first = next(block for block in section([judged()]) if isinstance(block, Table))
    told = dict(zip(first.header, first.rows[0], strict=True))
    assert (told["macro-F1"], told["MCC"]) == ("0.621", "0.456")
    without = judged()
    without.points[0] = replace(without.points[0], macro_f1=None)
    assert rows(section([without]), "own")[1][6:8] == ["-", "0.456"]
