"""A mapped file: windows grow until a record fits, and used pages are given back."""

from pathlib import Path

import pytest

from sensor.sources import mapped
from sensor.sources.mapped import MappedFile


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(mapped, "WINDOW_BYTES", 10_000)


def opened(tmp_path: Path, content: bytes) -> MappedFile:
    path = tmp_path / "capture"
    path.write_bytes(content)
    return MappedFile(path.open("rb"), str(path), len(content))


def test_a_window_that_holds_no_whole_record_grows(tmp_path: Path, small_windows):
    source = opened(tmp_path, bytes(35_000))
    lengths = [len(source.window)]
    while source.more():
        lengths.append(len(source.window))
    assert lengths == [10_000, 20_000, 30_000, 35_000]
    source.close()


def test_used_bytes_leave_the_window_and_the_rest_stays(tmp_path: Path, small_windows):
    content = bytes(range(250)) * 200
    source = opened(tmp_path, content)
    source.advance(9_990)
    assert source.more()
    assert bytes(source.window) == content[9_990:20_000]
    source.advance(10_010)
    assert source.position == 20_000
    assert source.more()
    assert bytes(source.window) == content[20_000:30_000]
    source.close()


def test_one_cannot_use_more_than_there_is(tmp_path: Path):
    source = opened(tmp_path, b"abc")
    source.advance(10)
    assert source.position == 3
    assert bytes(source.window) == b""
    assert not source.more()
    source.close()
