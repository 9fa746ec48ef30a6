"""Records come out of the XML whole and in flat memory, and none gets lost without a word."""

import subprocess
import sys
from collections import Counter

import pytest

from sensor.errors import NettrusionError
from tests.training.datasets import iscx_made
from training.datasets import iscx2012_xml


def read(path, notes=None):
    return list(iscx2012_xml.read(path, Counter() if notes is None else notes))


def test_records_come_in_order_with_their_tag_and_without_payload(tmp_path):
    made = list(iscx_made.rows(50))
    path = iscx_made.write_xml(tmp_path / "a.xml", made, payload=b"QUJD&lt;item&gt; R&amp;D")
    found = read(path)
    assert [tag for tag, _ in found] == ["TestbedMonJun14Flows"] * 50
    for (_, fields), row in zip(found, made, strict=True):
        assert {name: text for name, text in fields.items() if "Payload" not in name} == row
        assert not any(text for name, text in fields.items() if "Payload" in name)


def test_every_child_of_the_root_is_a_record_whatever_it_is_called(tmp_path):
    made = list(iscx_made.rows(3))
    made[1][""], made[2][""] = "TestbedSatJun12", "item"
    found = read(iscx_made.write_xml(tmp_path / "a.xml", made))
    assert [tag for tag, _ in found] == ["TestbedMonJun14Flows", "TestbedSatJun12", "item"]


def test_the_genuine_records_are_read(shared_data):
    found = read(shared_data / "iscx2012" / "real_records_sample.xml")
    assert [fields["Tag"] for _, fields in found] == ["Normal", "Normal", "Attack"]
    assert found[2][0] == "TestbedTueJun15-1Flows"
    assert found[2][1]["sensorInterfaceId"] == "1"


def test_made_records_have_the_elements_of_the_published_schema(shared_data):
    from lxml import etree

    schema = etree.parse(shared_data / "iscx2012" / "ExampleDataFormat.xsd")
    named = [element.get("name") for element in schema.iter("{*}element") if element.get("name")]
    assert tuple(named[2:]) == iscx_made.ORDER
    assert set(named[2:]) <= iscx2012_xml.FIELDS


@pytest.mark.parametrize(
    "payload",
    [b"a\0b\0", b"\xff\xfe\x80", b"&#0;&#x1f;&nothing;", b"a & b < c", b"<b>bold</u>", b"<!-- ", b"<?php", b"\x1b[0m"],
)
def test_what_a_payload_holds_disturbs_nothing(tmp_path, payload):
    notes: Counter[str] = Counter()
    path = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(30), payload=payload)
    assert len(read(path, notes)) == 30
    assert notes[iscx2012_xml.NULS] == payload.count(0) * 4 * 30


def test_nul_bytes_outside_payloads_are_blanks(tmp_path):
    row = next(iscx_made.rows(1)) | {"appName": "HTTP\0Web\0"}
    notes: Counter[str] = Counter()
    ((_, fields),) = read(iscx_made.write_xml(tmp_path / "a.xml", [row]), notes)
    assert fields["appName"] == "HTTP Web"
    assert notes[iscx2012_xml.NULS] == 2


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_where_a_block_ends_does_not_matter(tmp_path, monkeypatch, block):
    path = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(20), payload=b"12</3&lt;45")
    whole = read(path)
    monkeypatch.setattr(iscx2012_xml, "_BLOCK_BYTES", block)
    assert read(path) == whole


def test_a_file_that_is_cut_short_is_refused_with_both_counts(tmp_path):
    path = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(30))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(NettrusionError, match=r"a\.xml: the parser found 29 records, the bytes have 30 record tags"):
        read(path)


@pytest.mark.parametrize("hurt", [b"<appName", b"<item", b"</dataroot><!--"])
def test_records_that_a_lenient_parser_loses_are_missed(tmp_path, hurt):
    path = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(30), tag="item")
    parts = path.read_bytes().split(b"<item>")
    path.write_bytes(b"<item>".join([*parts[:11], hurt + parts[11], *parts[12:]]))
    with pytest.raises(NettrusionError, match="the parser found"):
        read(path)


def test_a_payload_that_never_ends_is_missed(tmp_path):
    path = iscx_made.write_xml(tmp_path / "a.xml", iscx_made.rows(30))
    path.write_bytes(path.read_bytes().replace(b"</sourcePayloadAsUTF>", b"", 1))
    with pytest.raises(NettrusionError, match="the parser found"):
        read(path)


@pytest.mark.parametrize("text", [b"", b"no xml at all", b"<html><body/></html>", b"<dataroot></dataroot>"])
def test_what_is_no_flow_file_is_refused(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_bytes(text)
    with pytest.raises(NettrusionError, match="no flow records"):
        read(path)
    assert iscx2012_xml.is_xml(text) == text.startswith(b"<dataroot")


PEAK = """
import resource, sys
from collections import Counter
from pathlib import Path
from training.datasets import iscx2012_xml
for path in sys.argv[1:]:
    count = sum(1 for _ in iscx2012_xml.read(Path(path), Counter()))
    print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_file(tmp_path, repo):
    """A hundred thousand records, and a payload of forty million bytes: as much memory as for a thousand records."""
    few = iscx_made.write_xml(tmp_path / "few.xml", iscx_made.rows(1000), payload=b"A" * 200)
    made = list(iscx_made.rows(1000, seed=1))
    many = iscx_made.write_xml(tmp_path / "many.xml", (made[i % 1000] for i in range(100_000)), payload=b"A" * 200)
    huge = iscx_made.write_xml(tmp_path / "huge.xml", made[:3], payload=b"A" * 40_000_000)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(few), str(many), str(huge)],
        cwd=repo, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    counts, peaks = zip(*(map(int, line.split()) for line in done.stdout.splitlines()), strict=True)
    assert counts == (1000, 100_000, 3)
    assert peaks[2] - peaks[0] < 12_000
