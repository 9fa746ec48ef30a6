"""A stream: pieces of any size become windows, and memory follows what is left, not what came."""

import io

import pytest

from sensor.sources import stream
from sensor.sources.stream import Begun, CutShort, Stream, read_plain


def test_a_rest_is_joined_with_what_follows():
    source = Stream(Begun(io.BytesIO(b"abcdef")), "-", 6, lambda reader: iter([reader.read(3), reader.read(3)]))
    source.advance(2)
    assert bytes(source.window) == b"cdef"
    assert not source.more()
    assert bytes(source.window) == b"cdef"
    source.advance(4)
    assert source.position == 6


def test_a_long_record_is_gathered_with_few_copies(monkeypatch):
    monkeypatch.setattr(stream, "CHUNK_BYTES", 10)
    source = Stream(Begun(io.BytesIO(bytes(10_000))), "-", None, read_plain)
    rounds = 1
    while source.more():
        rounds += 1
    assert len(source.window) == 10_000
    assert rounds < 15


def test_what_came_before_a_fault_is_handed_out():
    def broken(reader):
        yield reader.read(2)
        raise CutShort("ends early")

    source = Stream(Begun(io.BytesIO(b"abc")), "-", None, broken)
    assert bytes(source.window) == b"ab"
    assert source.fault == "ends early"
    assert not source.more()


@pytest.mark.parametrize("content", [b"", b"x", bytes(3_000_000)])
def test_plain_bytes_stay_what_they_are(content):
    assert b"".join(read_plain(io.BytesIO(content))) == content


def test_a_file_that_was_looked_at_is_read_from_its_beginning():
    file = io.BytesIO(b"abcdefgh")
    begun = Begun(file, file.read(4))
    assert [begun.read(size) for size in (1, 2, 3, 9, 9)] == [b"a", b"bc", b"def", b"gh", b""]
