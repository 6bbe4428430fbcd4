"""Embeddings through the client: what is sent, in how many requests, and what comes of answers that are wrong."""

from __future__ import annotations

import asyncio
import base64
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.notices import UnsupportedWarning
from ai_protocol_runtime.simulator import Server, simulate
from ai_protocol_runtime.types import EmbeddingInput, EmbeddingRequest, Embeddings, Media, Text
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    AuthenticationError,
    CredentialError,
    MalformedResponseError,
    RateLimitedError,
    ServerError,
    UnsupportedError,
)

WIRES = ("openai-embeddings", "gemini-embeddings", "cohere-embed", "ollama-embed")
PICTURE = EmbeddingInput([Media("image", data="aGk=", mime_type="image/png")])


@pytest.fixture
def embedder(connect: Callable[..., AIClient]) -> Callable[..., AIClient]:
    def make(model: str = "vectors/any", **arguments: Any) -> AIClient:
        return connect(model, **{"service": "embed", "protocol": WIRES[0], **arguments})

    return make


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server() as server:
        yield server.url


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def embed(request: pytest.FixtureRequest) -> Any:
    async def call(client: AIClient, inputs: Any, **params: Any) -> Embeddings:
        if request.param:
            return await client.aembed(inputs, **params)
        return client.embed(inputs, **params)

    return call


def numbered(line: Any, request: Any, say: Any, order: Callable[[list[Any]], list[Any]] = list) -> None:
    """An answer whose vectors are the lengths of the texts, with their places."""
    data = [{"index": n, "embedding": [float(len(text)), 0.5]} for n, text in enumerate(request.json["input"])]
    usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
    say.answer({"data": order(data), "model": "any-1", "usage": usage})(line, request)


# what is sent


async def test_the_request(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    server.play(lambda line, request: numbered(line, request, say))
    client = embedder(headers={"x-team": "a"}, extra_body={"user": "u", "dimensions": 1})
    params = {"dimensions": 2, "input_type": "query", "extra_body": {"more": 1}, "on_unsupported": "error"}
    answer = await embed(client, ["a", "bb"], **params)
    (request,) = server.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/embeddings", "Bearer made-up-0123456789abcdef")
    assert request.headers["x-team"] == "a"
    said = {"model": "any", "input": ["a", "bb"], "encoding_format": "base64"}
    assert request.json == {**said, "user": "u", "dimensions": 1, "more": 1}  # and no purpose: it is not asked for
    assert answer.vectors == [[1.0, 0.5], [2.0, 0.5]]
    assert [one.index for one in answer.embeddings] == [0, 1]
    assert (answer.model, answer.usage.input) == ("any-1", 2)
    assert (answer.call.provider, answer.call.protocol, answer.call.status) == ("vectors", WIRES[0], 200)


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
def test_the_base_url(server: Any, say: Any, embedder: Any, monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    server.play(lambda line, request: numbered(line, request, say))
    embedder(base_url=server.origin + base).embed("a")
    monkeypatch.setenv("VECTORS_BASE_URL", server.origin + base)
    embedder(base_url=None).embed("a")
    assert [request.path for request in server.requests] == ["/v1/embeddings"] * 2


def test_one_text_one_input_or_a_whole_request(server: Any, say: Any, embedder: Any) -> None:
    server.play(lambda line, request: numbered(line, request, say))
    one = EmbeddingInput([Text("ab"), Text("c")])
    request = EmbeddingRequest(inputs=[one], dimensions=7)
    for asked in ("abc", one, [one], request):
        assert embedder().embed(asked).vectors == [[3.0, 0.5]]
    assert [received.json["input"] for received in server.requests] == [["abc"]] * 4
    assert server.requests[-1].json["dimensions"] == 7
    assert (request.model, one.model, one.dimensions) == (None, None, None)  # the caller's own is as it was


def test_nothing_to_embed_is_no_request(server: Any, embedder: Any) -> None:
    assert embedder().embed([]) == Embeddings()
    assert asyncio.run(embedder().aembed([])) == Embeddings()
    assert server.requests == []


def test_an_empty_text_is_for_the_provider_to_judge(server: Any, say: Any, embedder: Any, url: str) -> None:
    server.play(lambda line, request: numbered(line, request, say))
    embedder().embed(["", "a"])
    assert server.requests[0].json["input"] == ["", "a"]
    for wire in WIRES:
        with pytest.raises(Exception, match="must not be empty"):
            embedder(protocol=wire, base_url=url).embed(["", "a"])


# what does not fit


@pytest.mark.parametrize(
    ("inputs", "params", "words"),
    [
        (5, {}, "inputs must be"),
        (["a", 5], {}, "inputs must be"),
        ("a", {"dimension": 8}, "did you mean `dimensions`"),
        ("a", {"dimensions": 0}, "dimensions must be"),
        ("a", {"truncate": 1}, "truncate must be"),
        ("a", {"encoding": "int8"}, "'float' or 'base64'"),
        ("a", {"batch_size": 0}, "batch_size must be"),
        ("a", {"batch_size": "2"}, "batch_size must be"),
        ("a", {"temperature": 0}, "temperature"),
    ],
)
async def test_wrong_arguments(server: Any, embedder: Any, embed: Any, inputs: Any, params: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        await embed(embedder(), inputs, **params)
    assert server.requests == []


async def test_no_request_at_a_time_is_none(embedder: Any) -> None:
    with pytest.raises(ArgumentError, match="concurrency must be"):
        await embedder().aembed("a", concurrency=0)


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        ("acme/chat-1", {"protocol": None}, "Acme is not there to embed; its manifest has: chat"),
        ("vectors/any", {"protocol": "cohere-rerank"}, "no protocol 'cohere-rerank' to embed"),
        ("vectors/any", {"service": "embedd"}, "did you mean `embed`"),
        ("vectors/any", {"service": "chat", "protocol": None}, "not there to chat; its manifest has: embed, rerank"),
    ],
)
def test_a_service_that_is_not_there(embedder: Any, model: str, arguments: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        embedder(model, **arguments)


def test_without_a_key_nothing_is_sent(server: Any, embedder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VECTORS_API_KEY", raising=False)
    with pytest.raises(CredentialError, match="VECTORS_API_KEY"):
        embedder(api_key=None).embed("a")
    assert server.requests == []


@pytest.mark.parametrize("wire", ["openai-embeddings", "ollama-embed"])
async def test_an_input_that_has_no_place(server: Any, embedder: Any, embed: Any, wire: str) -> None:
    """Left out, the vectors would be those of other inputs."""
    with pytest.raises(UnsupportedError, match="Vectors cannot be sent input"):
        await embed(embedder(protocol=wire, on_unsupported="drop"), ["a", PICTURE])
    assert server.requests == []


async def test_losses(say: Any, server: Any, embedder: Any, embed: Any) -> None:
    server.play(lambda line, request: numbered(line, request, say))
    with pytest.warns(UnsupportedWarning, match="not sent to Vectors: truncation=True"):
        answer = await embed(embedder(), "a", truncate=True, input_type="query")
    assert [loss.what for loss in answer.call.losses] == ["truncation"]
    with pytest.raises(UnsupportedError, match="user='u'"):
        await embed(embedder(protocol="cohere-embed", on_unsupported="error"), "a", user="u")


# batches


@pytest.mark.parametrize("wire", WIRES)
async def test_many_texts_are_as_each_alone(url: str, embedder: Any, embed: Any, wire: str) -> None:
    client = embedder(protocol=wire, base_url=url)
    texts = [f"text number {n}" for n in range(8)]
    done: list[int] = []
    answer = await embed(client, texts, batch_size=3, on_batch=done.append, dimensions=8)
    assert sorted(done) == [2, 3, 3]
    assert answer.vectors == [client.embed(text, dimensions=8).vectors[0] for text in texts]
    assert [one.index for one in answer.embeddings] == list(range(8))
    assert answer.usage.input == client.embed(texts, dimensions=8).usage.input > 8


async def test_the_order_is_that_of_the_index(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    server.play(lambda line, request: numbered(line, request, say, lambda data: data[::-1]))
    answer = await embed(embedder(), ["a", "bb", "ccc", "dddd"])
    assert [vector[0] for vector in answer.vectors] == [1, 2, 3, 4]
    assert answer.usage.input == 4


@pytest.mark.parametrize(
    "places",
    [[0], [0, 1, 2], [1, 2], [0, 0], []],
    ids=["too few", "too many", "elsewhere", "twice", "none"],
)
async def test_vectors_that_do_not_fit(server: Any, say: Any, embedder: Any, embed: Any, places: list[int]) -> None:
    data = [{"index": place, "embedding": [0.5]} for place in places]
    server.play(say.answer({"data": data}, x_request_id="r-7"))
    with pytest.raises(MalformedResponseError, match="2 inputs were sent") as caught:
        await embed(embedder(), ["a", "b"])
    error = caught.value
    assert (error.provider, error.model, error.status, error.request_id) == ("vectors", "any", 200, "r-7")


async def test_what_is_no_vector(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    for wrong in ("?", "YWJj", None, {"a": 1}):
        server.play(say.answer({"data": [{"index": 0, "embedding": wrong}]}))
        with pytest.raises(MalformedResponseError):
            await embed(embedder(), "a")


@pytest.mark.parametrize("wrong", ["x", None, True, [0.5]])
async def test_what_is_no_number(server: Any, say: Any, embedder: Any, embed: Any, wrong: Any) -> None:
    server.play(say.answer({"data": [{"index": 0, "embedding": [0.5, wrong]}]}))
    with pytest.raises(MalformedResponseError, match="no number"):
        await embed(embedder(), "a")


async def test_numbers_are_floats(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    server.play(say.answer({"data": [{"index": 0, "embedding": [0, 1, 0.5]}]}))
    (vector,) = (await embed(embedder(), "a")).vectors
    assert [(type(number), number) for number in vector] == [(float, 0.0), (float, 1.0), (float, 0.5)]


async def test_numbers_of_single_precision(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    numbers = [0.1, -1.5, 3e38, 1e-45, 0.0]
    packed = struct.pack("<5f", *numbers)
    data = [{"index": 0, "embedding": base64.b64encode(packed).decode()}]
    server.play(say.answer({"data": data}))
    assert (await embed(embedder(), "a")).vectors == [list(struct.unpack("<5f", packed))]


async def test_an_error_tells_what_had_come(server: Any, say: Any, embedder: Any, embed: Any) -> None:
    came = threading.Semaphore(0)

    def play(line: Any, request: Any) -> None:
        if request.json["input"] != ["b"]:
            numbered(line, request, say)
            return
        assert came.acquire(timeout=5)
        assert came.acquire(timeout=5)
        say.answer({"error": {"message": "no"}}, status=500)(line, request)

    server.play(play)
    with pytest.raises(ServerError) as caught:
        await embed(embedder(), ["a", "aa", "b"], batch_size=1, on_batch=lambda count: came.release())
    partial = caught.value.partial
    assert isinstance(partial, Embeddings)
    assert [vector[0] for vector in partial.vectors] == [1, 2]
    assert partial.usage is not None
    assert partial.usage.input == 2


async def test_a_batch_that_is_wrong_is_told_before_the_next(server: Any, say: Any, embedder: Any) -> None:
    server.play(say.answer({"data": []}))
    with pytest.raises(MalformedResponseError):
        embedder().embed(["a"] * 9)
    assert len(server.requests) == 1


class Crowd:
    """Counts the requests that are there at the same time. Each stays until there have been as many as expected, and a
    little longer, so that any more would be seen."""

    def __init__(self, expected: int) -> None:
        self.expected, self.now, self.most, self.all = expected, 0, 0, 0
        self.changed = threading.Condition()

    def __call__(self, request: Any) -> str:
        with self.changed:
            self.now, self.all = self.now + 1, self.all + 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.expected, timeout=5)
        time.sleep(0.02)
        with self.changed:
            self.now -= 1
        return ""  # no embeddings: the simulator's own


@pytest.mark.parametrize("limit", [1, 3])
async def test_requests_at_a_time(url: str, embedder: Any, limit: int) -> None:
    crowd = Crowd(limit)
    with simulate("crowd", crowd):
        texts = [str(n) for n in range(7)]
        client = embedder("vectors/crowd", base_url=url)
        answer = await client.aembed(texts, batch_size=1, concurrency=limit)
        assert answer.vectors == client.embed(texts).vectors
    assert crowd.most == limit


async def test_cancelled_in_the_middle(url: str, embedder: Any) -> None:
    crowd = Crowd(3)  # which there will never be
    with simulate("cancelled-crowd", crowd):
        client = embedder("vectors/cancelled-crowd", base_url=url)
        task = asyncio.ensure_future(client.aembed([str(n) for n in range(20)], batch_size=1, concurrency=2))
        while crowd.all < 2:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with crowd.changed:
            crowd.most = crowd.expected
            crowd.changed.notify_all()
        await asyncio.sleep(0.1)
    assert crowd.all == 2
    assert len(asyncio.all_tasks()) == 1


async def test_the_first_error_ends_the_others(url: str, embedder: Any) -> None:
    script = lambda request: RateLimitedError("enough") if request.inputs[0].text == "1" else ""  # noqa: E731
    with simulate("limited", script) as limited:
        client = embedder("vectors/limited", base_url=url)
        with pytest.raises(RateLimitedError, match="enough"):
            await client.aembed([str(n) for n in range(50)], batch_size=1, concurrency=2)
        assert len(limited.received) < 10


# errors


async def test_errors_by_the_name_of_the_model(embed: Any) -> None:
    for wire in WIRES:
        client = AIClient("simulator/error-429", service="embed", protocol=wire, max_retries=0)
        with pytest.raises(RateLimitedError) as caught:
            await embed(client, "a")
        assert (caught.value.status, caught.value.retry_after) == (429, 1.0)
        with pytest.raises(AuthenticationError, match="told to fail"):
            await embed(client, "a", model="error-401")


async def test_it_is_sent_again(embed: Any) -> None:
    script = [RateLimitedError("slow down", retry_after=0.01), ConnectionResetError("gone"), ""]
    with simulate("moody", script) as moody:
        client = AIClient("simulator/moody", service="embed", max_retries=2)
        answer = await embed(client, ["a"])
        assert len(moody.received) == 3
        assert answer.call.attempts == 3
    assert answer.vectors == AIClient("simulator/any", service="embed").embed(["a"]).vectors
