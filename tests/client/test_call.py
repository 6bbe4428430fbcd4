"""A call over real HTTP: what is retried, what is classified, what a broken stream leaves behind."""

from __future__ import annotations

import asyncio
import gzip
import time
from typing import Any

import pytest

from ai_protocol_runtime.flow import call
from ai_protocol_runtime.types import PartialContentDelta, ResponseStarted, StreamEnd, ToolCall, ToolCallEnded
from ai_protocol_runtime.types.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidRequestError,
    MalformedResponseError,
    NotFoundError,
    OverloadedError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitedError,
    ServerError,
    StreamInterruptedError,
    UnknownProviderError,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for chance here; what a provider asks for is still waited."""
    monkeypatch.setattr(call, "BACKOFF", lambda state: 0.0)


async def test_a_whole_answer(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.answer(say.completion("Hello"), X_Request_Id="r1", X_Left="9"))
    answer = await caller.chat(client, "hi", temperature=0.5)
    assert answer.text == "Hello"
    assert server.requests[0].json["temperature"] == 0.5
    known = answer.call
    assert (known.provider, known.protocol, known.model) == ("acme", "openai-chat", "chat-1")
    assert (known.status, known.request_id, known.attempts) == (200, "r1", 1)
    assert known.rate_limits == {"requests_remaining": "9"}
    assert known.headers["x-left"] == "9"


async def test_a_stream_is_the_whole_answer_in_pieces(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.streamed(*say.said("Hel", "lo")))
    events = await caller.stream(client, "hi")
    assert isinstance(events[0], ResponseStarted)
    assert [event.content for event in events if isinstance(event, PartialContentDelta)] == ["Hel", "lo"]
    assert isinstance(events[-1], StreamEnd)
    assert events[-1].answer.text == "Hello"
    assert events[-1].answer.call.provider == "acme"
    assert server.requests[0].json["stream"] is True
    assert server.requests[0].json["stream_options"] == {"include_usage": True}


async def test_a_stream_may_be_cut_anywhere(server: Any, say: Any, client: Any, caller: Any) -> None:
    data = b"\xef\xbb\xbf\n\n" + b"".join(say.said("Grüße", " 👋"))
    server.play(say.streamed(*(data[n : n + 1] for n in range(len(data)))))
    assert (await caller.stream(client, "hi"))[-1].answer.text == "Grüße 👋"


@pytest.mark.parametrize(
    ("status", "cls"),
    [(401, AuthenticationError), (404, NotFoundError), (400, InvalidRequestError), (500, ServerError)],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_statuses_have_their_classes(
    server: Any, say: Any, client: Any, caller: Any, status: int, cls: type, stream: bool
) -> None:
    server.play(say.answer({"error": {"message": "no", "code": "c"}}, status, x_request_id="r"))
    with pytest.raises(cls) as caught:
        await (caller.stream if stream else caller.chat)(client, "hi")
    error = caught.value
    assert (error.status, error.provider_code, error.request_id) == (status, "c", "r")
    assert str(error) == f"acme/chat-1: no [status {status}, code c, request r]"


async def test_what_may_pass_is_tried_again(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer({}, 500), say.streamed(b"{", end=False), say.answer(say.completion()))
    answer = await caller.chat(connect(max_retries=2), "hi")
    assert answer.call.attempts == 3
    assert len({request.body for request in server.requests}) == 1


async def test_retries_come_to_an_end(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer({}, 500))
    with pytest.raises(ServerError):
        await caller.chat(connect(max_retries=2), "hi")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "headers", "retries"),
    [(500, {}, 0), (401, {}, 2), (400, {}, 2), (500, {"x_should_retry": "false"}, 2), (429, {"retry_after": "61"}, 2)],
)
async def test_what_is_not_tried_again(
    server: Any, say: Any, connect: Any, caller: Any, status: int, headers: dict[str, str], retries: int
) -> None:
    server.play(say.answer({}, status, **headers))
    with pytest.raises(ProviderError):
        await caller.chat(connect(), "hi", max_retries=retries)
    assert len(server.requests) == 1


async def test_the_provider_says_how_long_to_wait(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer({}, 429, retry_after="0.2"), say.answer(say.completion()))
    began = time.monotonic()
    await caller.chat(connect(max_retries=1), "hi")
    assert 0.2 <= time.monotonic() - began < 1


async def test_no_waiting_beyond_the_total_timeout(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer({}, 429, retry_after="5"))
    began = time.monotonic()
    with pytest.raises(RateLimitedError):
        await caller.chat(connect(max_retries=3, timeout={"total": 1}), "hi")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Sign in</title>", "HTML page"),
        (b"", "empty"),
        (b'{"choices": [', "not JSON"),
        (b'{"data": []}', 'this is no answer: {"data":\\[\\]}'),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
async def test_a_success_that_is_no_answer(
    server: Any, say: Any, client: Any, caller: Any, body: bytes, words: str, stream: bool
) -> None:
    server.play(say.answer(body))
    with pytest.raises(MalformedResponseError, match=words) as caught:
        await (caller.stream if stream else caller.chat)(client, "hi")
    assert caught.value.status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_success_that_is_an_error(server: Any, say: Any, client: Any, caller: Any, stream: bool) -> None:
    server.play(say.answer({"error": {"message": "filtered", "status": 400}}))
    with pytest.raises(InvalidRequestError, match="filtered"):
        await (caller.stream if stream else caller.chat)(client, "hi")


async def test_an_answer_has_a_largest_size(
    server: Any, say: Any, client: Any, caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(say.answer(say.completion("x" * 50_000_000)))
    with pytest.raises(MalformedResponseError, match="larger than 33554432 bytes"):
        await caller.chat(client, "hi")
    server.play(say.answer(gzip.compress(bytes(200_000_000)), content_encoding="gzip"))
    with pytest.raises(MalformedResponseError, match="larger than"):
        await caller.chat(client, "hi")
    server.play(say.answer(say.completion("x" * 20_000_000)))
    assert len((await caller.chat(client, "hi")).text) == 20_000_000


async def test_a_large_error_is_cut(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.answer(b"x" * 50_000_000, 500))
    with pytest.raises(ServerError) as caught:
        await caller.chat(client, "hi")
    assert len(caught.value.body) < 2_000_000


async def test_an_error_that_breaks_off_keeps_its_class(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.answer(b"short", 401, content_length="100"), say.vanish())

    def cut(line: Any, request: Any) -> None:
        line.send(b"HTTP/1.1 401 No\r\ncontent-length: 100\r\n\r\nshort")
        line.keep = False

    server.play(cut)
    with pytest.raises(AuthenticationError, match="short"):
        await caller.chat(client, "hi")


async def test_redirects_stay_on_the_server(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.answer(b"", 308, location="/elsewhere?x=1"), say.answer(say.completion()))
    await caller.chat(client, "hi")
    first, second = server.requests
    assert (second.method, second.path, second.body) == ("POST", "/elsewhere?x=1", first.body)
    assert second.headers["authorization"] == first.headers["authorization"]


@pytest.mark.parametrize("location", ["http://localhost:1/v1", "https://127.0.0.1/", "//evil.test/", "http://[bad"])
async def test_a_key_goes_to_no_other_server(server: Any, say: Any, client: Any, caller: Any, location: str) -> None:
    server.play(say.answer(b"", 307, location=location))
    with pytest.raises(UnknownProviderError, match="redirects to"):
        await caller.chat(client, "hi")
    assert len(server.requests) == 1


async def test_redirects_come_to_an_end(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.answer(b"", 302, location="/again"))
    with pytest.raises(UnknownProviderError, match="more than 5 redirects"):
        await caller.chat(client, "hi")


async def test_a_stream_that_is_cut_leaves_what_had_come(server: Any, say: Any, client: Any, caller: Any) -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "rm", "arguments": '{"path": "/home'}}
    pieces = [say.sse(say.chunk({"content": "I will"})), say.sse(say.chunk({"tool_calls": [call]}))]
    for script in (say.streamed(*pieces), say.streamed(*pieces, end=False)):
        server.play(script)
        events: list[Any] = []
        with pytest.raises(StreamInterruptedError) as caught:
            await caller.stream(client, "hi", into=events)
        partial = caught.value.partial
        assert partial.text == "I will"
        assert not any(isinstance(part, ToolCall) for part in partial.message.parts)
        assert not any(isinstance(event, ToolCallEnded | StreamEnd) for event in events)


async def test_a_break_after_the_end_does_no_harm(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.streamed(*say.said("Hello"), end=False))
    assert (await caller.stream(client, "hi"))[-1].answer.text == "Hello"


async def test_an_error_inside_a_stream(server: Any, say: Any, connect: Any, caller: Any) -> None:
    error = say.sse({"error": {"type": "overloaded", "message": "busy"}})
    server.play(say.streamed(say.sse(say.chunk({"content": "so far"})), error))
    events: list[Any] = []
    with pytest.raises(OverloadedError, match="busy") as caught:
        await caller.stream(connect(max_retries=2), "hi", into=events)
    assert caught.value.partial.text == "so far"
    assert [type(event) for event in events] == [ResponseStarted, PartialContentDelta]
    assert len(server.requests) == 1  # something had been handed on: no second try


async def test_an_error_before_any_content_is_tried_again(server: Any, say: Any, connect: Any, caller: Any) -> None:
    begun = say.sse(say.chunk({"role": "assistant", "content": ""}))
    error = say.sse({"error": {"type": "overloaded", "message": "busy"}})
    server.play(say.streamed(begun, error), say.streamed(begun), say.streamed(*say.said("Hello")))
    events = await caller.stream(connect(max_retries=2), "hi")
    assert sum(isinstance(event, ResponseStarted) for event in events) == 1
    assert events[-1].answer.text == "Hello"
    assert events[-1].answer.call.attempts == 3


async def test_a_stream_that_pauses_too_long(server: Any, say: Any, client: Any, caller: Any) -> None:
    server.play(say.streamed(say.sse(say.chunk({"content": "so far"})), 3.0))
    with pytest.raises(ProviderTimeoutError, match="idle") as caught:
        await caller.stream(client, "hi", timeout={"idle": 0.1})
    assert caught.value.partial.text == "so far"


async def test_an_answer_that_does_not_begin(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.silence(2))
    with pytest.raises(ProviderTimeoutError, match="first_byte"):
        await caller.chat(connect(timeout=0.1), "hi")


async def test_the_total_timeout_holds_for_all_attempts(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer({}, 500), say.silence(5))
    began = time.monotonic()
    with pytest.raises(ProviderTimeoutError, match="total"):
        await caller.chat(connect(timeout={"total": 0.3}, max_retries=5), "hi")
    assert time.monotonic() - began < 1
    assert len(server.requests) == 2


async def test_no_connection_at_all(server: Any, connect: Any, caller: Any) -> None:
    server.close()
    with pytest.raises(ConnectionFailedError, match="acme/chat-1"):
        await caller.chat(connect(max_retries=1), "hi")


def test_leaving_a_stream_closes_the_connection(server: Any, say: Any, client: Any) -> None:
    server.play(say.streamed(*say.said("Hello")[:1], 5.0))
    stream = client.stream("hi")
    next(stream)
    stream.close()
    server.until(lambda: server.hangups)


async def test_leaving_an_asynchronous_stream_closes_the_connection(server: Any, say: Any, client: Any) -> None:
    server.play(say.streamed(*say.said("Hello")[:1], 5.0))
    stream = client.astream("hi")
    await anext(stream)
    await stream.aclose()
    await asyncio.to_thread(server.until, lambda: server.hangups)


async def test_cancelling_a_call_closes_the_connection(server: Any, say: Any, client: Any) -> None:
    server.play(say.silence(5))
    task = asyncio.create_task(client.achat("hi"))
    await asyncio.to_thread(server.until, lambda: server.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(server.until, lambda: server.hangups)


def test_one_client_in_three_event_loops(server: Any, say: Any, client: Any) -> None:
    server.play(say.answer(say.completion()))
    for _ in range(3):
        assert asyncio.run(client.achat("hi")).text == "Hello"
    assert len(server.requests) == 3


async def test_many_calls_at_once(server: Any, say: Any, client: Any) -> None:
    server.play(say.answer(say.completion()))
    answers = await asyncio.gather(*(client.achat("hi") for _ in range(50)))
    assert [answer.text for answer in answers] == ["Hello"] * 50
