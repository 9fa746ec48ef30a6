"""Opening a capture: what it is shows in its bytes, and a mistake says what would be right."""

import gzip
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from sensor.errors import NettrusionError
from sensor.sources import Source, open_capture

CONTENT = bytes(range(256)) * 30_000


def drain(source: Source, step: int = 100_000) -> bytes:
    """Read a source to its end, `step` bytes at a time, and close it."""
    found = []
    while True:
        while part := bytes(source.window[:step]):
            found.append(part)
            source.advance(len(part))
        if not source.more():
            source.close()
            return b"".join(found)


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, zstandard.compress],
    ids=["plain", "gzip", "zstd"],
)
def test_a_file_is_read_whole_whatever_it_is_called(pack, tmp_path: Path):
    path = tmp_path / "capture.txt"
    path.write_bytes(pack(CONTENT))
    source = open_capture(path)
    assert source.name == str(path)
    assert source.size == path.stat().st_size
    assert drain(source) == CONTENT
    assert source.position == source.size
    assert source.fault is None


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_standard_input_is_read_like_a_file(pack, monkeypatch):
    stdin = io.BufferedReader(io.BytesIO(pack(CONTENT)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin, isatty=lambda: False))
    source = open_capture("-")
    assert (source.name, source.size) == ("-", None)
    assert drain(source) == CONTENT


def test_a_terminal_is_no_capture(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(NettrusionError, match="standard input is a terminal; give a pcap"):
        open_capture("-")


def test_a_pipe_that_starts_slowly_is_recognised_all_the_same(monkeypatch):
    packed = gzip.compress(CONTENT)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        for part in (packed[:1], packed[1:3], packed[3:]):
            with open(write_end, "wb", closefd=False) as pipe:
                pipe.write(part)
        os._exit(0)
    os.close(write_end)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=os.fdopen(read_end, "rb"), isatty=lambda: False))
    assert drain(open_capture("-")) == CONTENT
    assert os.waitpid(pid, 0) == (pid, 0)


def test_a_named_pipe_is_read_to_its_end(tmp_path: Path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    pid = os.fork()
    if pid == 0:
        path.write_bytes(CONTENT)
        os._exit(0)
    source = open_capture(path)
    assert source.size is None
    assert drain(source) == CONTENT
    assert os.waitpid(pid, 0) == (pid, 0)


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path):
    with pytest.raises(NettrusionError, match=r"nothing.pcap: cannot open the capture: No such file"):
        open_capture(tmp_path / "nothing.pcap")
    with pytest.raises(NettrusionError, match="Is a directory; give a pcap"):
        open_capture(tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\xfd7zXZ\x00rest", "xz -dc .*a.pcap"),
        (b"BZh91AY", "bzip2 -dc"),
        (b"PK\x03\x04....", "zip archive"),
        (b"snoop\x00\x00\x00", "editcap"),
    ],
)
def test_what_is_no_capture_says_what_to_do(content, says, tmp_path: Path):
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(NettrusionError, match=says) as caught:
        open_capture(path)
    assert str(path) in str(caught.value)


def test_one_byte_is_a_source_of_one_byte(tmp_path: Path):
    path = tmp_path / "one"
    path.write_bytes(b"\xd4")
    assert drain(open_capture(path)) == b"\xd4"


def test_a_file_that_is_shortened_while_it_is_read_ends_early(tmp_path: Path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(CONTENT)
    source = open_capture(path)
    source.advance(1000)
    os.truncate(path, 2_000_000)
    assert drain(source) == CONTENT[1000:2_000_000]
