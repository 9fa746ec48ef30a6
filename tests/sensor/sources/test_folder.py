"""Which file of a folder comes next, and that none comes twice."""

import gzip
import os
import time
from pathlib import Path

import pytest
import zstandard

from sensor.errors import NettrusionError
from sensor.sources import folder as module
from sensor.sources.folder import Folder
from tests.packets import BASE_NS, connection, pcap

MINUTE_NS = 60 * 10**9


@pytest.fixture(autouse=True)
def look_always(monkeypatch: pytest.MonkeyPatch):
    """Look at the folder at every call, whatever its time stamp says."""
    monkeypatch.setattr(module, "RESCAN_S", 0.0)


def capture(minute: int) -> bytes:
    return pcap(connection("10.0.0.1", "10.0.0.2", (1000 + minute, 80), BASE_NS + minute * MINUTE_NS))


def write(path: Path, data: bytes, age_s: float = 0) -> Path:
    path.write_bytes(data)
    then = time.time() - age_s
    os.utime(path, (then, then))
    return path


def taken(folder: Folder) -> list[str]:
    """Take all files that are to be read, finish them, and return their names."""
    names = []
    while folder.waiting():
        found = folder.next()
        assert found is not None
        names.append(found.path.name)
        data = found.path.read_bytes()
        data = gzip.decompress(data) if found.path.name.endswith(".gz") else data
        folder.finished(found, len(data), data[: module.HEAD_BYTES])
    return names


def test_files_come_in_the_order_of_their_packets_whatever_their_names_and_ages(tmp_path: Path):
    write(tmp_path / "b", capture(1), age_s=5)
    write(tmp_path / "a", capture(2), age_s=50)
    write(tmp_path / "c", capture(0), age_s=1)
    assert taken(Folder(tmp_path, existing=True)) == ["c", "b", "a"]


def test_numbers_in_names_count_as_numbers_where_the_time_is_one(tmp_path: Path):
    for name in ("x10", "x9", "x", "x1"):
        write(tmp_path / name, capture(0))
    assert taken(Folder(tmp_path, existing=True)) == ["x", "x1", "x9", "x10"]


def test_a_file_without_packets_stands_where_it_was_written(tmp_path: Path):
    write(tmp_path / "a", capture(0)[:24])
    write(tmp_path / "b", capture(0))
    assert taken(Folder(tmp_path, existing=True)) == ["b", "a"]


def test_no_file_comes_twice_and_new_ones_come(tmp_path: Path):
    write(tmp_path / "a", capture(0))
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a"]
    assert taken(folder) == []
    write(tmp_path / "b", capture(1))
    assert taken(folder) == ["b"]
    assert folder.notices == []


def test_without_the_existing_only_the_newest_comes(tmp_path: Path):
    for minute, name in enumerate("abc"):
        write(tmp_path / name, capture(minute))
    write(tmp_path / "d.gz", gzip.compress(capture(9)), age_s=100)
    folder = Folder(tmp_path, existing=False)
    assert taken(folder) == ["c"]
    write(tmp_path / "d", capture(3))
    assert taken(folder) == ["d"]


def test_what_is_no_capture_is_skipped_and_said_once(tmp_path: Path):
    write(tmp_path / "notes.txt", b"these are notes")
    write(tmp_path / "old.pcap.xz", b"\xfd7zXZ and more")
    write(tmp_path / "words.gz", gzip.compress(b"these are notes"), age_s=100)
    write(tmp_path / "broken.gz", gzip.compress(b"x" * 1000)[:12], age_s=100)
    write(tmp_path / ".hidden", capture(0))
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe")
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == []
    said = "\n".join(sorted(folder.notices))
    assert len(folder.notices) == 4, said
    assert "notes.txt: is skipped: it is no capture" in said
    assert "unpack it: xz -dc" in said
    assert "words.gz: is skipped: what is compressed in it is no capture" in said
    folder.notices.clear()
    assert taken(folder) == []
    assert folder.notices == []


def test_an_empty_file_is_waited_for(tmp_path: Path):
    write(tmp_path / "a", b"")
    folder = Folder(tmp_path, existing=True)
    assert not folder.waiting()
    write(tmp_path / "a", capture(0)[:24])
    assert taken(folder) == ["a"]
    assert folder.notices == []


def test_a_file_that_may_not_be_read_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path / "a", capture(0))

    def refuse(file: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(module, "_head_of", refuse)
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == taken(folder) == []
    assert folder.notices == [f"{path}: is skipped: Permission denied"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gz", "zst"])
def test_a_compressed_file_comes_once_it_has_settled(pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = pack(capture(0))
    path = write(tmp_path / "a.packed", data[:30])
    folder = Folder(tmp_path, existing=True)
    assert not folder.waiting()
    write(path, data)
    assert not folder.waiting()
    monkeypatch.setattr(module, "SETTLE_S", 0.0)
    assert folder.waiting()


def test_a_file_that_was_read_is_not_read_again_when_it_is_compressed(tmp_path: Path):
    path = write(tmp_path / "a.pcap", capture(0))
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a.pcap"]
    write(tmp_path / "a.pcap.gz", gzip.compress(capture(0)), age_s=100)
    assert taken(folder) == []
    path.unlink()
    assert taken(folder) == []
    assert folder.notices == []


def test_a_compressed_file_is_not_read_beside_its_original(tmp_path: Path):
    write(tmp_path / "a.pcap", capture(0))
    write(tmp_path / "a.pcap.gz", gzip.compress(capture(0)), age_s=100)
    assert taken(Folder(tmp_path, existing=True)) == ["a.pcap"]


def test_another_capture_of_the_compressed_name_is_read(tmp_path: Path):
    path = write(tmp_path / "a.pcap", capture(0))
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a.pcap"]
    path.unlink()
    write(tmp_path / "a.pcap.gz", gzip.compress(capture(7)), age_s=100)
    assert taken(folder) == ["a.pcap.gz"]


def test_a_file_written_anew_in_place_is_read_again(tmp_path: Path):
    """As `tcpdump -C 1 -W 2` does, which uses its names in turn."""
    path = write(tmp_path / "a", capture(0), age_s=10)
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a"]
    inode = path.stat().st_ino
    write(path, capture(5))
    assert path.stat().st_ino == inode
    assert taken(folder) == ["a"]
    path.unlink()
    write(path, capture(6))
    assert taken(folder) == ["a"]
    assert folder.notices == []


def test_what_is_added_to_a_file_that_was_done_with_is_said_once(tmp_path: Path):
    path = write(tmp_path / "a", capture(0), age_s=10)
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a"]
    for _ in range(2):
        with path.open("ab") as file:
            file.write(capture(1)[24:])
        assert taken(folder) == []
    assert len(folder.notices) == 1
    assert "was added to after a newer file had begun" in folder.notices[0]


def test_a_folder_that_goes_is_waited_for(tmp_path: Path):
    path = tmp_path / "captures"
    path.mkdir()
    folder = Folder(path, existing=True)
    path.rmdir()
    assert not folder.waiting()
    assert not folder.waiting()
    assert len(folder.notices) == 1
    path.mkdir()
    write(path / "a", capture(0))
    assert taken(folder) == ["a"]
    assert "can be listed again" in folder.notices[1]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_refused(name: str, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NettrusionError, match=r"cannot follow this folder: N.*; give one that a capture program fills"):
        Folder(tmp_path / name, existing=True)


def test_the_folder_is_not_listed_while_nothing_changes_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "RESCAN_S", 3600.0)
    write(tmp_path / "a", capture(0))
    folder = Folder(tmp_path, existing=True)
    assert taken(folder) == ["a"]

    def fail(_: Path) -> None:
        raise AssertionError("the folder was listed")

    with monkeypatch.context() as context:
        context.setattr(os, "scandir", fail)
        assert taken(folder) == []
    write(tmp_path / "b", capture(1))
    assert taken(folder) == ["b"]
