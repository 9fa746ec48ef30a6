"""Lines come whole, however a file is compressed, and none of them fills the memory."""

import gzip
from pathlib import Path

import pytest

from sensor.sources import open_capture
from sensor.traffic.lines import MAX_LINE_BYTES, lines

TEXT = b'{"a": 1}\n\n{"b": 2}\r\n{"c": 3}'


def read(path: Path, content: bytes):
    path.write_bytes(content)
    source = open_capture(path)
    try:
        return list(lines(source)), source.fault
    finally:
        source.close()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_every_line_with_and_without_a_newline_at_the_end(tmp_path, pack):
    whole = [b'{"a": 1}', b"", b'{"b": 2}\r', b'{"c": 3}']
    assert read(tmp_path / "a", pack(TEXT)) == (whole, None)
    assert read(tmp_path / "a", pack(TEXT + b"\n")) == (whole, None)


def test_lines_longer_than_a_chunk_are_joined(tmp_path):
    long = b"{" + b"x" * 700_000 + b"}"
    assert read(tmp_path / "a", b"{}\n" + long + b"\n{}\n")[0] == [b"{}", long, b"{}"]


def test_a_line_that_is_too_long_is_told_and_the_next_ones_are_whole(tmp_path):
    endless = b"{" + b"x" * (3 * MAX_LINE_BYTES)
    assert read(tmp_path / "a", endless + b"\n{}\n")[0] == [None, b"{}"]
    assert read(tmp_path / "a", b"{}\n" + endless)[0] == [b"{}", None]


def test_a_file_cut_short_gives_what_it_has(tmp_path):
    packed = gzip.compress(b"".join(b'{"line": %d}\n' % at for at in range(5000)))
    got, fault = read(tmp_path / "a", packed[: len(packed) // 2])
    assert got[0] == b'{"line": 0}' and "early" in fault
