"""Zstd block by block: frames, skippable frames, bombs, and files that end early or are damaged."""

import builtins
import io
import random

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.errors import NettrusionError
from sensor.sources.stream import CutShort
from sensor.sources.zstd import unzstd

NOISE = random.Random(1).randbytes(300_000)
BLOCK_BYTES = 128 << 10


def pack(content: bytes, **options) -> bytes:
    """Compress as one frame."""
    return zstandard.ZstdCompressor(**options).compress(content)


def unpack(data: bytes) -> tuple[bytes, str | None]:
    """Return what came out and why it ended early."""
    pieces = []
    try:
        for piece in unzstd(io.BytesIO(data)):
            pieces.append(piece)
    except CutShort as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), None


@pytest.mark.parametrize("content", [b"", b"a", NOISE, bytes(5_000_000), NOISE * 8])
@pytest.mark.parametrize("level", [1, 19])
@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("sized", [False, True])
def test_one_frame(content, level, checksum, sized):
    packed = pack(content, level=level, write_checksum=checksum, write_content_size=sized)
    assert unpack(packed) == (content, None)


def test_a_streamed_frame_and_frames_one_behind_the_other():
    streamed = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(streamed, closefd=False) as writer:
        for start in range(0, len(NOISE), 7_000):
            writer.write(NOISE[start : start + 7_000])
    skippable = b"\x5a\x2a\x4d\x18" + (100_000).to_bytes(4, "little") + bytes(100_000)
    packed = streamed.getvalue() + skippable + pack(b"two")
    assert unpack(packed) == (NOISE + b"two", None)


def test_a_bomb_comes_out_in_small_pieces():
    assert max(map(len, unzstd(io.BytesIO(pack(bytes(50_000_000)))))) <= BLOCK_BYTES


PACKED = pack(NOISE, write_checksum=True)


@given(st.integers(min_value=1, max_value=len(PACKED) - 1))
def test_a_file_cut_anywhere_gives_a_beginning_and_says_so(length):
    found, fault = unpack(PACKED[:length])
    assert NOISE.startswith(found)
    assert fault is not None


@settings(max_examples=200)
@given(st.integers(min_value=4, max_value=2_000), st.binary(min_size=1, max_size=8))
def test_damage_behind_the_header_is_never_taken_for_content(at, junk):
    content = bytes(range(250)) * 100
    packed = pack(content, write_checksum=True)
    at = 6 + at % (len(packed) - 14)
    found, fault = unpack(packed[:at] + junk + packed[at + len(junk) :])
    assert fault is not None or found == content


def test_damage_to_the_content_is_named():
    packed = bytearray(PACKED)
    packed[200_000] ^= 1
    found, fault = unpack(bytes(packed))
    assert fault is not None
    assert "damaged" in fault
    assert len(found) >= BLOCK_BYTES


def test_a_frame_that_asks_for_a_huge_window_is_refused():
    window_of_3_gib = bytes([0x00, 21 << 3 | 4])
    assert unpack(b"\x28\xb5\x2f\xfd" + window_of_3_gib + b"\x01\x00\x00")[1] is not None


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "zstandard":
            raise ModuleNotFoundError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NettrusionError, match=r"pip install 'nettrusion\[zstd\]'"):
        next(unzstd(io.BytesIO(PACKED)))
