"""WebSocket frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.testbed.web.websocket import PING, TEXT, accept, decode, encode


def test_the_examples_of_the_standard():
    # RFC 6455, 1.3 and 5.7.
    assert accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert encode(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert encode(TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert encode(PING, b"Hello") == bytes.fromhex("890548656c6c6f")
    assert encode(TEXT, b"x" * 256)[:4] == bytes.fromhex("817e0100")


@given(st.binary(max_size=70_000).filter(lambda data: len(data) <= 65_535), st.sampled_from((b"", b"\1\2\3\4")))
def test_a_frame_comes_back_whole_or_not_at_all(payload: bytes, mask: bytes):
    wire = encode(TEXT, payload, mask)
    frame = decode(wire + b"rest")
    assert frame is not None and (frame.opcode, frame.payload, frame.used) == (TEXT, payload, len(wire))
    assert decode(wire[:-1]) is None


@pytest.mark.parametrize("length", [0, 125, 126, 127, 65_535])
def test_lengths_at_which_the_head_changes(length: int):
    wire = encode(TEXT, b"x" * length)
    frame = decode(wire)
    assert frame is not None and len(frame.payload) == length
    assert len(wire) == length + (2 if length < 126 else 4)


def test_a_longer_frame_is_refused():
    with pytest.raises(ValueError, match="longer than 65535"):
        encode(TEXT, b"x" * 65_536)
    with pytest.raises(ValueError, match="longer than 65535"):
        decode(bytes((0x81, 127)) + bytes(8))
