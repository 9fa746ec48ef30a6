"""The CSV release gives the records of the XML."""

from collections import Counter

import pytest

from sensor.errors import NettrusionError
from tests.training.datasets import iscx_made
from training.datasets import iscx2012_csv
from training.datasets.iscx2012_xml import NULS


def read(path, notes=None):
    return list(iscx2012_csv.read(path, Counter() if notes is None else notes))


def test_rows_are_records_without_their_payloads(tmp_path):
    made = list(iscx_made.rows(20))
    path = iscx_made.write_csv(tmp_path / "TestbedMonJun14Flows.csv", made, payload='a "b"\nc\0' * 50_000)
    found = read(path)
    assert [fields for _, fields in found] == made
    assert {tag for tag, _ in found} == {"TestbedMonJun14Flows"}


def test_a_header_tells_the_release_from_other_tables(tmp_path):
    path = iscx_made.write_csv(tmp_path / "a.csv", [])
    assert iscx2012_csv.is_csv(path.read_bytes())
    assert iscx2012_csv.is_csv(b"\xef\xbb\xbf" + path.read_bytes().replace(b",", b", "))
    assert not iscx2012_csv.is_csv(b"src,sport,dst,dport,proto,start,end,label\n")
    assert not iscx2012_csv.is_csv(b"")


def test_a_row_that_is_cut_short_is_refused(tmp_path):
    path = iscx_made.write_csv(tmp_path / "a.csv", iscx_made.rows(3))
    path.write_text(path.read_text() + "\none,two\n")
    with pytest.raises(NettrusionError, match=r"line 6: 2 cells below a header of 20"):
        read(path)


@pytest.mark.parametrize(("column", "said"), [(-1, "cells below a header"), (0, "appName goes over several lines")])
def test_a_lost_quote_is_noticed(tmp_path, column, said):
    path = iscx_made.write_csv(tmp_path / "a.csv", iscx_made.rows(9))
    lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    cells[3][column] = '"' + cells[3][column]
    if column == 0:
        cells[4][0] += '"'
        cells[4] = [cells[4][0], *cells[3][1:]]
        del cells[3][1:]
    path.write_text("\n".join(",".join(line) for line in cells))
    with pytest.raises(NettrusionError, match=said):
        read(path)


def test_nul_bytes_are_blanks(tmp_path):
    row = next(iscx_made.rows(1)) | {"appName": "HTTP\0Web"}
    notes: Counter[str] = Counter()
    ((_, fields),) = read(iscx_made.write_csv(tmp_path / "a.csv", [row]), notes)
    assert (fields["appName"], notes) == ("HTTP Web", {NULS: 1})


def test_a_header_alone_is_refused(tmp_path):
    with pytest.raises(NettrusionError, match="no flow records"):
        read(iscx_made.write_csv(tmp_path / "a.csv", []))
