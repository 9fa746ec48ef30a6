"""Gzip in pieces: members, padding, bombs, and files that end early or are damaged."""

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.sources.gzip import gunzip
from sensor.sources.stream import CHUNK_BYTES, CutShort

NOISE = random.Random(1).randbytes(300_000)


def unpack(data: bytes) -> tuple[bytes, str | None]:
    """Return what came out and why it ended early."""
    pieces = []
    try:
        for piece in gunzip(io.BytesIO(data)):
            pieces.append(piece)
    except CutShort as error:
        return b"".join(pieces), str(error)
    return b"".join(pieces), None


@pytest.mark.parametrize("content", [b"", b"a", NOISE, bytes(5_000_000)])
def test_one_member(content):
    assert unpack(gzip.compress(content)) == (content, None)


@pytest.mark.parametrize("between", [b"", bytes(10), bytes(200_000)])
def test_members_one_behind_the_other_with_padding(between):
    packed = gzip.compress(b"one") + between + gzip.compress(NOISE) + between
    assert unpack(packed) == (b"one" + NOISE, None)


def test_a_bomb_comes_out_in_small_pieces():
    assert max(map(len, gunzip(io.BytesIO(gzip.compress(bytes(50_000_000)))))) <= CHUNK_BYTES


@given(st.integers(min_value=1, max_value=len(gzip.compress(NOISE)) - 1))
def test_a_file_cut_anywhere_gives_a_beginning_and_says_so(length):
    found, fault = unpack(gzip.compress(NOISE)[:length])
    assert NOISE.startswith(found)
    assert fault == "the gzip data ends early"


def test_little_is_lost_when_a_file_is_cut():
    packed = gzip.compress(NOISE)
    found, _ = unpack(packed[: len(packed) // 2])
    assert len(found) > len(NOISE) // 3


def test_damage_is_named():
    packed = bytearray(gzip.compress(bytes(100_000)))
    packed[-6] ^= 0xFF
    found, fault = unpack(bytes(packed))
    assert bytes(100_000).startswith(found)
    assert fault is not None
    assert "damaged" in fault


def test_junk_behind_a_member_is_named():
    assert unpack(gzip.compress(b"one") + b"junk") == (
        b"one",
        "the gzip data is damaged (Error -3 while decompressing data: incorrect header check)",
    )
