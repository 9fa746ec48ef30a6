"""What bots report to."""

import asyncio
import random

import pytest

from training.testbed.services.c2 import Console, answer_to, guarded

QUERY = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0\3abc\2c2\4test\0"


def test_names_are_answered_with_text_or_an_address():
    text = answer_to(QUERY + b"\0\x10\0\1", random.Random(1))
    assert text[:2] == b"\x12\x34" and text[6:8] == b"\0\1" and b"\xc0\x0c\0\x10" in text
    size = int.from_bytes(text[-1 - text[text.index(b"\xc0\x0c") + 12] - 2 :][:2], "big")
    assert size == text[text.index(b"\xc0\x0c") + 12] + 1
    assert answer_to(QUERY + b"\0\1\0\1", random.Random(1))[-6:-3] == b"\0\4\n"


@pytest.mark.parametrize("cut", range(0, len(QUERY) + 3, 5))
def test_half_a_query_gets_no_answer(cut: int):
    assert answer_to((QUERY + b"\0\1\0\1")[:cut], random.Random(1)) == b""


def spoken(talk: str, said: bytes) -> bytes:
    """Return what the server answers to a client that says this and leaves."""

    async def whole() -> bytes:
        server = await asyncio.start_server(guarded(getattr(Console(random.Random(1)), talk)), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(said)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        server.close()
        return answer

    return asyncio.run(whole())


def test_a_check_in_gets_what_it_asks_for_and_uploads_are_swallowed():
    answer = spoken("web", b"GET /a?n=500 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK") and len(answer.split(b"\r\n\r\n", 1)[1]) == 500
    body = b"PUT /a?n=3 HTTP/1.1\r\nContent-Length: 4\r\n\r\nlootGET /b?n=7 HTTP/1.1\r\n\r\n"
    assert spoken("web", body).count(b"HTTP/1.1 200 OK") == 2
    chunks = b"POST /a?n=3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nloot\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    assert spoken("web", chunks).count(b"HTTP/1.1 200 OK") == 2


def test_nonsense_only_ends_the_conversation():
    assert spoken("web", b"\r\n\r\n") == b"" and spoken("web", b"GET /a?n=many HTTP/1.1\r\n\r\n") == b""


def test_a_channel_welcomes_and_answers():
    said = spoken("chat", b"NICK b\r\nUSER b 0 * :b\r\nJOIN #x k\r\nPING :b\r\nQUIT :bye\r\nPING :late\r\n")
    assert b" 001 " in said and b" 332 " in said and said.count(b"PONG") == 1


def test_the_console_gives_bytes_and_orders():
    assert len(spoken("console", b"get 900\n")) == 900
    assert spoken("console", b"alive\nalive\n").count(b"\n") == 2
