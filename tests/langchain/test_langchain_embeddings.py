"""Embeddings in LangChain: what is sent, what is counted, what is kept and what is shown."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from langchain_core import exceptions as theirs
from langchain_core.embeddings import Embeddings
from langchain_core.load import dumps
from pydantic import SecretStr, ValidationError

import ai_protocol_integrations
from ai_protocol_integrations.langchain import AIProtocolEmbeddings
from ai_protocol_integrations.langchain.errors import ArgumentError, CredentialError, ManifestError, RateLimitedError
from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.simulator import Server, Simulator, simulate
from ai_protocol_runtime.types import Usage

KEY = "made-up-0123456789abcdef"
TEXTS = ["a cat", "a dog", "", "a bird"]
MINE = """
id: mine
name: Mine
docs: {checked: 2026-11-21, pages: ["https://mine.test/docs"]}
base_url: https://mine.test
credentials: {env: [MINE_API_KEY]}
embed:
  openai-embeddings: {path: /v1/embeddings}
"""


def simulated(**arguments: Any) -> AIProtocolEmbeddings:
    return AIProtocolEmbeddings(**{"model": "simulator/any", **arguments})


@pytest.fixture(scope="module")
def cohere() -> Iterator[str]:
    """A provider whose vectors have a purpose, over HTTP."""
    with Server(Simulator(provider="cohere", api_key=KEY)) as server:
        yield server.url


# vectors


async def test_documents_and_queries() -> None:
    model = simulated(dimensions=16)
    texts = ["a cat", "a dog"]
    vectors = model.embed_documents(texts)
    assert vectors == await model.aembed_documents(texts)
    assert vectors[0] == model.embed_query("a cat") == await model.aembed_query("a cat")
    assert [len(vector) for vector in vectors] == [16, 16]
    assert isinstance(model, Embeddings)


async def test_what_they_are_for(cohere: str) -> None:
    said = {"model": "cohere/told", "base_url": cohere, "api_key": KEY}
    with simulate("told", lambda request: "") as told:
        model = AIProtocolEmbeddings(**said)
        model.embed_documents(["a"])
        model.embed_query("a")
        other = AIProtocolEmbeddings(**said, document_input_type="clustering", query_input_type=None, truncate=True)
        await other.aembed_documents(["a"])
        await other.aembed_query("a")
        sent = [(received.body["input_type"], received.body.get("truncate")) for received in told.received]
    # without a word it is a document: that wire demands one
    assert sent == [
        ("search_document", None),
        ("search_query", None),
        ("clustering", "END"),
        ("search_document", "END"),
    ]


async def test_nothing_is_no_request_and_empty_texts_are_sent() -> None:
    with simulate("told", lambda request: "") as told:
        model = simulated(model="simulator/told")
        assert model.embed_documents([]) == await model.aembed_documents([]) == []
        assert told.received == []
        with pytest.raises(theirs.ModelInvalidRequestError, match="must not be empty"):
            model.embed_documents(TEXTS)
        assert told.received == []  # it was the simulator that refused


@pytest.mark.parametrize("name", ["batch_size", "chunk_size"])
async def test_several_requests(name: str) -> None:
    texts = [str(number) for number in range(7)]
    with simulate("told", lambda request: "") as told:
        model = simulated(model="simulator/told", **{name: 3})
        assert model.embed_documents(texts) == await model.aembed_documents(texts)
        assert [len(request.inputs) for request in told.requests[:3]] == [3, 3, 1]
        assert len(told.requests) == 6
    assert model.batch_size == 3


async def test_requests_at_a_time(cohere: str) -> None:
    """As many as allowed, all from one thread: each waits in the server until both are there."""
    both = threading.Barrier(2)

    def crowd(request: Any) -> str:
        both.wait(timeout=5)
        return ""

    with simulate("crowd", crowd):
        model = AIProtocolEmbeddings(
            model="cohere/crowd", base_url=cohere, api_key=KEY, batch_size=1, concurrency=2, max_retries=0
        )
        assert len(await model.aembed_documents([str(number) for number in range(4)])) == 4


async def test_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise AssertionError("a thread was started")

    model = simulated(batch_size=1)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert len(await model.aembed_documents(["a", "b"])) == 2
    assert await model.aembed_query("a")


# usage


async def test_usage() -> None:
    model = simulated()
    assert (model.last_usage, model.total_usage) == (None, Usage())
    model.embed_query("a cat")
    first = model.last_usage
    assert first is not None
    assert (first.input, first.raw) == (2, {"prompt_tokens": 2, "total_tokens": 2})
    await simulated().aembed_query("a dog")
    assert model.last_usage == first  # each object counts for itself
    model.batch_size = 1
    await model.aembed_documents(["a cat", "a dog"])
    assert model.last_usage is not None
    assert (model.last_usage.input, model.total_usage.input) == (4, 6)
    assert model == simulated(batch_size=1)
    for fresh in (copy.copy(model), copy.deepcopy(model), model.model_copy(), pickle.loads(pickle.dumps(model))):
        assert (fresh.last_usage, fresh.total_usage) == (None, Usage())


def test_usage_of_many_threads() -> None:
    model = simulated()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(model.embed_query, ["a cat"] * 64))
    assert model.total_usage.input == 128


# arguments


def test_an_argument_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match=r"no argument 'dimension'.*did you mean .dimensions."):
        simulated(dimension=8)
    with pytest.raises(ArgumentError, match="batch_size twice"):
        simulated(batch_size=1, chunk_size=2)
    with pytest.raises(ValidationError, match=r"did you mean .batch_size."):
        AIProtocolEmbeddings.model_validate({"model": "simulator/any", "batchsize": 5})
    with pytest.raises(ArgumentError, match=r"did you mean .dimensions."):
        simulated().model_copy(update={"dimension": 8})


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "simulatr/any"}, ManifestError, "simulator"),
        ({"model": "any"}, ArgumentError, "provider/model"),
        ({"model": "anthropic/any"}, ArgumentError, "not there to embed; its manifest has: chat"),
        ({"protocol": "openai-embedings"}, ArgumentError, "openai-embeddings"),
        ({"protocol": "openai-chat"}, ArgumentError, "no protocol 'openai-chat' to embed"),
        ({"dimensions": 0, "api_key": KEY}, ValidationError, "dimensions"),
        ({"batch_size": 0}, ValidationError, "batch_size"),
        ({"concurrency": 0}, ValidationError, "concurrency"),
        ({"on_unsupported": "wran"}, ValidationError, "'warn'"),
        ({"max_retries": -1}, ArgumentError, "max_retries"),
    ],
)
def test_an_argument_that_does_not_fit(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        simulated(**arguments)
    assert KEY not in str(caught.value) + repr(caught.value)


async def test_errors_are_those_of_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    model = simulated(model="simulator/error-429", max_retries=0)
    for call in (model.embed_query, model.embed_documents):
        with pytest.raises(RateLimitedError) as caught:
            call(["a"])  # type: ignore[arg-type]
        assert isinstance(caught.value, theirs.ModelRateLimitError)
        assert caught.value.is_retryable
    with pytest.raises(theirs.ModelRateLimitError):
        await model.aembed_query("a")
    with pytest.raises(theirs.ModelRateLimitError):
        await model.aembed_documents(["a"])
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CredentialError, match="OPENAI_API_KEY") as missing:
        AIProtocolEmbeddings(model="openai/text-embedding-3-small").embed_query("a")
    assert isinstance(missing.value, theirs.ModelAuthenticationError)


async def test_it_is_sent_again() -> None:
    with simulate("moody", [RateLimitedError("wait", retry_after=0.01), ""] * 2) as moody:
        model = simulated(model="simulator/moody", max_retries=1)
        assert model.embed_query("a") == await model.aembed_query("a")
        assert len(moody.received) == 4


async def test_how_it_is_sent(tmp_path: Path) -> None:
    """By the clients that were given, with a manifest of one's own."""
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "mine.yaml").write_text(MINE)
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [1, 0.5]}]})

    transport = httpx.MockTransport(answer)
    with httpx.Client(transport=transport) as client:
        async with httpx.AsyncClient(transport=transport) as other:
            model = AIProtocolEmbeddings(
                model="mine/org/model:1",
                api_key=KEY,
                base_url="https://elsewhere.test/v1",
                manifests=tmp_path,
                headers={"X-Team": "a"},
                extra_body={"more": 1},
                timeout=5,
                http_client=client,
                http_async_client=other,
            )
            assert model.embed_query("a") == await model.aembed_query("a") == [1.0, 0.5]
            assert all(type(number) is float for number in model.embed_query("a"))
    assert {str(request.url) for request in sent} == {"https://elsewhere.test/v1/embeddings"}
    assert {(request.headers["x-team"], request.headers["authorization"]) for request in sent} == {
        ("a", f"Bearer {KEY}")
    }
    assert {request.content for request in sent} == {
        b'{"model":"org/model:1","input":["a"],"input_type":"query","more":1}'
    }
    assert {request.extensions["timeout"]["read"] for request in sent} == {5}
    assert model.last_usage is None  # nobody said


# what is kept, and what is shown


def test_the_key_is_shown_nowhere() -> None:
    secrets = {"X-Auth": KEY, "Authorization": f"Bearer {KEY}", "x-org": "acme"}
    model = simulated(api_key=KEY, headers=secrets)
    shown = [repr(model), str(model), repr(model.model_dump()), model.model_dump_json(), dumps(model)]
    shown += [repr(pickle.dumps(model)), repr(model._client)]
    assert [text for text in shown if KEY in text] == []
    assert model.model_dump()["headers"] == {"x-org": "acme"}
    assert model.api_key == SecretStr(KEY)


def test_a_key_set_later_is_a_secret_too() -> None:
    model = simulated(api_key=lambda: KEY)
    assert callable(model.api_key)
    assert '"api_key":"**********"' in model.model_dump_json()
    model.api_key = KEY
    assert model.api_key == SecretStr(KEY)
    copied = model.model_copy(update={"api_key": "not-to-be-seen"})
    assert "not-to-be-seen" not in repr(copied) + repr(copied.model_dump())


def test_copies() -> None:
    client = httpx.Client()
    model = simulated(api_key=KEY, dimensions=8, http_client=client, headers={"x-a": "1", "x-token": KEY})
    deep = copy.deepcopy(model)
    assert deep == model == copy.copy(model)
    assert deep.headers is not model.headers
    assert deep.http_client is client
    assert model != model.model_copy(update={"dimensions": 9})
    thawed = pickle.loads(pickle.dumps(deep))
    assert (thawed.model, thawed.dimensions, thawed.api_key, thawed.http_client) == ("simulator/any", 8, None, None)
    assert thawed.headers == {"x-a": "1"}
    assert thawed.embed_query("a") == model.embed_query("a")
    client.close()


def test_fields_may_be_changed() -> None:
    model = simulated(dimensions=8)
    model.dimensions = 16
    assert len(model.embed_query("a")) == 16
    model.model = "simulator/error-401"
    with pytest.raises(theirs.ModelAuthenticationError):
        model.embed_query("a")
    assert isinstance(model._client, AIClient)


# the bar


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Bar:
        def __init__(self, **said: Any) -> None:
            seen.append(said["total"])

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *error: object) -> None:
            seen.append("closed")

        def update(self, count: int) -> None:
            seen.append(count)

    bars = ModuleType("tqdm.auto")
    bars.tqdm = Bar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm.auto", bars)
    monkeypatch.setitem(sys.modules, "tqdm", ModuleType("tqdm"))
    model = simulated(show_progress_bar=True, batch_size=2)
    model.embed_documents(["a", "b", "c"])
    assert seen == [3, 2, 1, "closed"]
    seen.clear()
    asyncio.run(model.aembed_documents(["a", "b", "c"]))
    assert seen[0] == 3
    assert sorted(seen[1:-1]) == [1, 2]
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm"):
        model.embed_documents(["a"])


# the front door


def test_front_doors() -> None:
    assert ai_protocol_integrations.AIProtocolEmbeddings is AIProtocolEmbeddings
    assert "AIProtocolEmbeddings" in dir(ai_protocol_integrations)


def test_the_chat_model_brings_neither() -> None:
    code = (
        "import sys; from ai_protocol_integrations.langchain import ChatAIProtocol; "
        "print([name for name in sys.modules if name.startswith('ai_protocol_integrations.langchain')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "langchain.chat_models" in done.stdout
    assert not {"langchain.embeddings", "langchain.reranker"} & {
        name.removeprefix("ai_protocol_integrations.") for name in done.stdout.split("'")
    }
