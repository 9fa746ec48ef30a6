"""The tracker and its files."""

import hashlib
import random
import threading
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services import torrent
from training.testbed.services.torrent import PIECE_BYTES, SEED_PORTS, SERVICES, bencode, compact, files, seeds


def test_values_are_written_as_the_standard_says():
    assert bencode({"b": [1, -2, "spam"], "a": b"\0x"}) == b"d1:a2:\0x1:bli1ei-2e4:spamee"
    with pytest.raises(TypeError, match="float cannot be bencoded"):
        bencode(1.5)


def test_every_piece_has_its_digest():
    data = random.Random(1).randbytes(2 * PIECE_BYTES + 5)
    text = torrent.torrent("one", data, "http://there/announce")
    digest = hashlib.sha1(data[2 * PIECE_BYTES :], usedforsecurity=False).digest()
    assert digest in text and b"6:pieces60:" in text and b"6:lengthi%de" % len(data) in text


def test_six_bytes_a_place():
    assert compact([("1.2.3.4", 258), ("9.9.9.9", 1)]) == b"\1\2\3\4\1\2\x09\x09\x09\x09\0\1"


def test_the_files_are_furnished_before_those_who_share_them_start(tmp_path: Path):
    world = Elsewhere(tmp_path)
    assert [one.name for one in sorted(SERVICES, key=lambda one: one.name)] == ["torrent", "torrent-seeds"]
    for one in SERVICES:
        one.furnish(world, random.Random(1))
    assert all(file.is_file() for file in files(world))
    tracker, homes = (one.commands(world) for one in SERVICES)
    assert len(tracker) == 1 and len(homes) == len(SEED_PORTS)
    for words, (address, port) in zip(homes, seeds(world), strict=True):
        assert f"--interface={address}" in words and f"--listen-port={port}" in words


def test_the_tracker_tells_who_is_there_among_others(monkeypatch: pytest.MonkeyPatch):
    made: list[Any] = []

    class Held(ThreadingHTTPServer):
        def __init__(self, where: Any, handler: Any) -> None:
            super().__init__(("127.0.0.1", 0), handler)
            made.append(self)

    monkeypatch.setattr(torrent, "ThreadingHTTPServer", Held)
    gone = [f"198.51.100.{place}" for place in range(1, 40)]
    words = ("192.0.2.1", "seed", ["192.0.2.9:6881"], gone, [f"203.0.113.{place}" for place in range(1, 9)])
    thread = threading.Thread(target=torrent.serve_tracker, args=words)
    thread.start()
    while not made:
        pass
    try:
        base = f"http://127.0.0.1:{made[0].server_port}/announce?"
        said = [urllib.request.urlopen(f"{base}left={left}").read() for left in (5, 0)]
    finally:
        made[0].shutdown()
        made[0].server_close()
        thread.join()
    assert compact([("192.0.2.9", 6881)]) in said[0] and len(said[0]) > 40
    assert said[1] == b"d8:intervali30e5:peers0:e"
