"""HTTP itself: pools, event loops, timeouts, and what a hostile or a dying server can do."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
import warnings
import zlib
from typing import Any

import httpx
import httpx2
import pytest

from ai_protocol_runtime.transport import HTTPRequest, Timeouts
from ai_protocol_runtime.transport.http import HTTPTransport
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    ConnectionFailedError,
    MalformedResponseError,
    ProviderTimeoutError,
)


class Carrier:
    """Sends one request and reads all of its answer, synchronously or not."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous

    async def __call__(self, url: str, timeouts: Timeouts | None = None, **clients: Any) -> bytes:
        transport, request = HTTPTransport(**clients), HTTPRequest("POST", url, {"x-key": "v"}, b"{}")
        timeouts = timeouts or Timeouts()
        if self.asynchronous:
            return b"".join([piece async for piece in await transport.asend(request, timeouts)])
        return b"".join(transport.send(request, timeouts))


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def carry(request: pytest.FixtureRequest) -> Carrier:
    return Carrier(request.param)


async def test_connections_are_kept(server: Any, say: Any, carry: Carrier) -> None:
    server.play(say.answer(b"ok"))
    assert [await carry(server.origin) for _ in range(3)] == [b"ok"] * 3
    assert {request.connection for request in server.requests} == {1}


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compressed_bodies_are_read(server: Any, say: Any, carry: Carrier, encoding: str, raw: bool) -> None:
    text = b"text" * 100_000
    squeeze = zlib.compressobj(wbits=-15 if raw else 15)
    body = squeeze.compress(text) + squeeze.flush()
    if encoding == "gzip":
        body = gzip.compress(text) + gzip.compress(b"more")
    server.play(say.answer(body, content_encoding=encoding))
    assert await carry(server.origin) == text + (b"more" if encoding == "gzip" else b"")


async def test_an_encoding_not_asked_for_is_named(server: Any, say: Any, carry: Carrier) -> None:
    server.play(say.answer(b"??", content_encoding="br"))
    with pytest.raises(MalformedResponseError, match="content-encoding 'br'"):
        await carry(server.origin)
    server.play(say.answer(b"not gzip", content_encoding="gzip"))
    with pytest.raises(MalformedResponseError, match="cannot be decompressed"):
        await carry(server.origin)


def test_a_bomb_comes_in_slices(server: Any, say: Any) -> None:
    server.play(say.answer(gzip.compress(bytes(64 * 1024 * 1024)), content_encoding="gzip"))
    answer = HTTPTransport().send(HTTPRequest("POST", server.origin), Timeouts())
    assert len(next(iter(answer))) <= 256 * 1024
    answer.close()


async def test_a_connection_that_died_in_the_pool_is_replaced(server: Any, say: Any, carry: Carrier) -> None:
    server.play(say.answer(b"one"), say.vanish(), say.answer(b"two"))
    assert await carry(server.origin) == b"one"
    assert await carry(server.origin) == b"two"
    assert [request.connection for request in server.requests] == [1, 1, 2]


async def test_a_fresh_connection_that_dies_is_an_error(server: Any, say: Any, carry: Carrier) -> None:
    server.play(say.vanish())
    with pytest.raises(ConnectionFailedError, match="connection failed"):
        await carry(server.origin)
    assert len(server.requests) == 1


async def test_nothing_listens(server: Any, carry: Carrier) -> None:
    server.close()
    with pytest.raises(ConnectionFailedError) as caught:
        await carry(server.origin)
    assert not isinstance(caught.value.__cause__, httpx.HTTPError)  # that one would hold the request, and so the key


@pytest.mark.parametrize(
    ("timeouts", "script", "words"),
    [
        (Timeouts(first_byte=0.1), lambda say: say.silence(2), "no answer began within 0.1 s"),
        (Timeouts(idle=0.1), lambda say: say.streamed(b"a", 2.0), "nothing more of the answer came within 0.1 s"),
        (Timeouts(total=0.25), lambda say: say.streamed(*([b"a", 0.05] * 40)), "not finished within 0.25 s"),
        (Timeouts(total=0.1), lambda say: say.silence(2), "not finished within 0.1 s"),
        (Timeouts(total=0.1), lambda say: say.streamed(b"a", 2.0), "not finished within 0.1 s"),
    ],
)
async def test_each_timeout_says_which_it_was(
    server: Any, say: Any, carry: Carrier, timeouts: Timeouts, script: Any, words: str
) -> None:
    server.play(script(say))
    began = time.monotonic()
    with pytest.raises(ProviderTimeoutError, match=words):
        await carry(server.origin, timeouts)
    assert time.monotonic() - began < 1.5
    server.hang_up()


def test_three_event_loops_three_requests(server: Any, say: Any) -> None:
    server.play(say.answer(b"ok"))
    carry = Carrier(asynchronous=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert asyncio.run(carry(server.origin)) == b"ok"
    assert len(server.requests) == 3
    server.until(lambda: len(server.hangups) == 3)  # a loop that ends takes its connections with it


def test_threads_share_the_pool(server: Any, say: Any) -> None:
    server.play(say.answer(b"ok"))
    carry, answers = Carrier(asynchronous=False), []
    threads = [threading.Thread(target=lambda: answers.append(asyncio.run(carry(server.origin)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"ok"] * 8


async def test_cancelling_closes_the_connection(server: Any, say: Any) -> None:
    server.play(say.streamed(b"a", 5.0))
    task = asyncio.create_task(Carrier(asynchronous=True)(server.origin))
    await asyncio.to_thread(server.until, lambda: server.requests)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.until, lambda: server.hangups)


def test_closing_an_answer_closes_the_connection(server: Any, say: Any) -> None:
    server.play(say.streamed(b"a", 5.0))
    answer = HTTPTransport().send(HTTPRequest("POST", server.origin), Timeouts())
    assert next(iter(answer)) == b"a"
    answer.close()
    server.until(lambda: server.hangups)


@pytest.mark.parametrize("family", [httpx, httpx2])
async def test_the_users_client_is_used_and_left_open(server: Any, say: Any, carry: Carrier, family: Any) -> None:
    server.play(say.answer(b"ok"), say.vanish())
    with family.Client(headers={"x-mine": "1"}) as one:
        async with family.AsyncClient(headers={"x-mine": "1"}) as other:
            assert await carry(server.origin, client=one, async_client=other) == b"ok"
            assert (server.requests[0].headers["x-mine"], server.requests[0].headers["x-key"]) == ("1", "v")
            server.hang_up()
            server.play(say.vanish())
            with pytest.raises(ConnectionFailedError):
                await carry(server.origin, client=one, async_client=other)
            server.play(say.silence(1))
            with pytest.raises(ProviderTimeoutError):
                await carry(server.origin, Timeouts(first_byte=0.05), client=one, async_client=other)
            assert not one.is_closed
            assert not other.is_closed


@pytest.mark.parametrize("family", [httpx, httpx2])
async def test_a_mock_that_has_its_body_already(carry: Carrier, family: Any) -> None:
    mock = family.MockTransport(lambda request: family.Response(200, json={"a": 1}))
    with family.Client(transport=mock) as one:
        async with family.AsyncClient(transport=mock) as other:
            assert await carry("http://host/", client=one, async_client=other) == b'{"a":1}'


async def test_an_impossible_url_is_the_callers_fault(carry: Carrier) -> None:
    with pytest.raises(ArgumentError, match="base_url"):
        await carry("gopher://host/")


async def test_cookies_are_not_kept(server: Any, say: Any, carry: Carrier) -> None:
    server.play(say.answer(b"ok", set_cookie="session=1"))
    for _ in range(2):
        await carry(server.origin)
    assert "cookie" not in server.requests[1].headers


def test_a_request_shows_no_secret() -> None:
    import copy
    import pickle

    key = "a-secret-123"
    request = HTTPRequest("POST", "http://h/", {"authorization": f"Bearer {key}"}, f'{{"k": "{key}"}}'.encode(), (key,))
    for shown in (repr(request), repr(request.masked()), pickle.dumps(request).decode("latin-1")):
        assert key not in shown
    assert request.masked().headers == {"authorization": "Bearer ***"}
    assert copy.copy(request.masked()) == request.masked()
