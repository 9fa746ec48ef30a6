"""The program behind the web servers, over memory."""

import asyncio
import json
import random
from typing import Any

import pytest

from training.testbed.web import websocket
from training.testbed.web.backend import Backend, Request, read


class Sink:
    """A writer that keeps what is written."""

    def __init__(self) -> None:
        self.data, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def close(self) -> None:
        self.closed = True


def answered(said: bytes, *, ends: bool = True) -> bytes:
    """Return what the backend answers to these bytes; it closes in any case."""

    async def serve() -> Sink:
        reader, sink = asyncio.StreamReader(), Sink()
        reader.feed_data(said)
        if ends:
            reader.feed_eof()
        whole: Any = sink
        await asyncio.wait_for(Backend({"ada": "right"}, random.Random(1)).serve(reader, whole), 10)
        return sink

    sink = asyncio.run(serve())
    assert sink.closed
    return sink.data


def asked(target: str, body: str = "", method: str = "GET") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: web.home.test\r\nX-Think-Ms: 1\r\nContent-Length: {len(body)}\r\n\r\n"
    return answered((head + body).encode())


def test_a_page_is_left_to_nginx():
    assert b"X-Accel-Redirect: /made/p3.html" in asked("/p3.html")


def test_search_finds_and_can_be_attacked():
    assert b"2 found for pl" not in asked("/search?q=Canteen") and b"Canteen menu" in asked("/search?q=Canteen")
    assert asked("/search?q=o'brien").startswith(b"HTTP/1.1 500") and b"database:" in asked("/search?q=o'brien")
    assert b"not this one" in asked("/search?q=%25'%20union%20select%20name,password%20from%20staff--%20")


def test_a_query_that_would_never_end_is_cut_off():
    endless = (
        "' union select a, a from (with recursive r(a) as (select 1 union all select a+1 from r) select a from r)--"
    )
    assert b"interrupted" in asked("/search?q=" + endless.replace(" ", "%20").replace("+", "%2B"))


@pytest.mark.parametrize(
    ("form", "status"),
    [("user=ada&password=right", 302), ("user=ada&password=no", 200), ("user=eve&password=", 200), ("", 200)],
)
def test_only_the_right_password_signs_in(form: str, status: int):
    said = asked("/login", form, "POST")
    assert said.startswith(b"HTTP/1.1 %d" % status)
    assert (b"Set-Cookie: session=" in said) == (status == 302) == (b"wrong name" not in said)


def test_api_and_poll_answer_json():
    for target in ("/api/v1/items", "/poll?wait=0"):
        body = asked(target).partition(b"\r\n\r\n")[2]
        assert json.loads(body)
    assert asked("/api/v1/items", "{}", "POST").startswith(b"HTTP/1.1 201")
    assert asked("/error").startswith(b"HTTP/1.1 500")


def test_a_stream_has_as_many_events_as_asked_for():
    assert asked("/events?count=7&every=0").count(b"\ndata: x") == 7


def test_a_chat_is_answered_until_it_is_closed():
    head = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    mask = b"\1\2\3\4"
    frames = websocket.encode(websocket.TEXT, b"hello", mask) + websocket.encode(websocket.CLOSE, b"\3\xe8", mask)
    said = answered(head + frames, ends=False)
    top, _, rest = said.partition(b"\r\n\r\n")
    assert b"101" in top and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in top
    first = websocket.decode(rest)
    assert first is not None and json.loads(first.payload) == {"seen": 5}
    last = websocket.decode(rest[first.used :])
    assert last is not None and last.opcode == websocket.CLOSE


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"GET /",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
    ],
)
def test_what_is_no_request_gets_no_answer(said: bytes):
    assert answered(said) == b""


def test_numbers_of_a_query_are_kept_within_bounds():
    request = Request("GET", "/poll", {"wait": "900", "bad": "x", "below": "-3"}, {}, b"")
    assert [request.number(name, 60.0, 5.0) for name in ("wait", "bad", "below", "none")] == [60.0, 5.0, 0.0, 5.0]


def test_a_request_is_read_with_its_body():
    async def whole() -> Request:
        reader = asyncio.StreamReader()
        reader.feed_data(b"POST /a?b=c%20d HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz")
        return await read(reader)

    request = asyncio.run(whole())
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a", {"b": "c d"}, b"xyz")
