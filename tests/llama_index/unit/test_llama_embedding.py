"""Embeddings in LlamaIndex: what is sent and how often, what is counted, what is kept and what is shown."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from llama_index.core.llms import MockLLM
from llama_index.core.rate_limiter import BaseRateLimiter
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore
from pydantic import SecretStr, ValidationError

import ai_protocol_integrations
from ai_protocol_integrations.llama_index import AIProtocolEmbedding
from ai_protocol_runtime.simulator import Simulated, simulate
from ai_protocol_runtime.types import Usage
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    AuthenticationError,
    CredentialError,
    InvalidRequestError,
    ManifestError,
    RateLimitedError,
)

from .conftest import KEY, Heard

TEXTS = [f"fact {number}" for number in range(7)]
MINE = """
id: mine
name: Mine
docs: {checked: 2026-11-21, pages: ["https://mine.test/docs"]}
base_url: https://mine.test
credentials: {env: [MINE_API_KEY]}
embed:
  openai-embeddings: {path: /v1/embeddings, max_inputs: 5}
"""


def simulated(**arguments: Any) -> AIProtocolEmbedding:
    return AIProtocolEmbedding(**{"model": "simulator/any", **arguments})


def documents() -> list[Document]:
    """New ones each time: a pipeline leaves their vectors in them."""
    return [Document(text=text) for text in TEXTS]


def inputs(told: Simulated) -> list[list[str]]:
    """The texts of each request so far."""
    return [received.body["texts"] for received in told.received]


class Limiter(BaseRateLimiter):
    def __init__(self) -> None:
        self.asked = 0

    def acquire(self, num_tokens: int = 0) -> None:
        self.asked += 1

    async def async_acquire(self, num_tokens: int = 0) -> None:
        self.asked += 1


# vectors


async def test_all_ways_give_the_same() -> None:
    model = simulated(dimensions=16)
    vectors = model.get_text_embedding_batch(TEXTS)
    assert vectors == await model.aget_text_embedding_batch(TEXTS)
    assert vectors == [model.get_text_embedding(text) for text in TEXTS]
    assert vectors[0] == await model.aget_text_embedding(TEXTS[0])
    assert vectors[0] == model.get_query_embedding(TEXTS[0]) == await model.aget_query_embedding(TEXTS[0])
    assert {len(vector) for vector in vectors} == {16}
    assert isinstance(model, BaseEmbedding)
    nodes = [TextNode(text=text) for text in TEXTS]
    assert [node.embedding for node in model(nodes)] == vectors
    assert [node.embedding for node in await model.acall(nodes)] == vectors
    assert model.get_agg_embedding_from_queries(TEXTS[:1]) == vectors[0]
    assert model.similarity(vectors[0], vectors[0]) == pytest.approx(1)


async def test_what_they_are_for(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there)
    model.get_text_embedding("a")
    model.get_text_embedding_batch(["a"])
    model.get_query_embedding("a")
    other = AIProtocolEmbedding(**there, document_input_type="clustering", query_input_type=None, truncate=True)
    await other.aget_text_embedding("a")
    await other.aget_text_embedding_batch(["a"])
    await other.aget_query_embedding("a")
    sent = [(received.body["input_type"], received.body.get("truncate")) for received in told.received]
    # without a word it is a document: that wire demands one
    assert sent == [
        ("search_document", None),
        ("search_document", None),
        ("search_query", None),
        ("clustering", "END"),
        ("clustering", "END"),
        ("search_document", "END"),
    ]


async def test_texts_go_out_unchanged(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there)
    text = "  two\nlines\t\u00e9 "
    model.get_query_embedding(text)
    await model.aget_text_embedding(text)
    assert inputs(told) == [[text], [text]]


async def test_nothing_is_no_request(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there)
    assert model.get_text_embedding_batch([]) == await model.aget_text_embedding_batch([]) == []
    assert model._get_text_embeddings([]) == await model._aget_text_embeddings([]) == []
    assert told.received == []
    with pytest.raises(InvalidRequestError, match="must not be empty"):
        model.get_text_embedding("")
    assert told.received == []  # it was the simulator that refused


# batches


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("cohere/embed-v4.0", 96),
        ("gemini/gemini-embedding-001", 100),
        ("openai/text-embedding-3-small", 2048),
        ("simulator/any", 2048),  # its manifest does not say
    ],
)
def test_as_many_as_the_provider_takes(model: str, size: int) -> None:
    assert AIProtocolEmbedding(model=model).embed_batch_size == size
    assert AIProtocolEmbedding(model=model, embed_batch_size=7).embed_batch_size == 7


async def test_several_requests(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there, embed_batch_size=3)
    assert model.get_text_embedding_batch(TEXTS) == await model.aget_text_embedding_batch(TEXTS)
    assert inputs(told)[:3] == [TEXTS[:3], TEXTS[3:6], TEXTS[6:]]
    assert sorted(inputs(told)[3:]) == [TEXTS[:3], TEXTS[3:6], TEXTS[6:]]


async def test_a_batch_that_is_too_large_for_the_provider(there: dict[str, Any], told: Simulated) -> None:
    texts = [str(number) for number in range(200)]
    limiter = Limiter()
    model = AIProtocolEmbedding(**there, embed_batch_size=2048, rate_limiter=limiter)
    vectors = model.get_text_embedding_batch(texts)
    assert (len(told.received), limiter.asked) == (3, 3)
    assert vectors == await model.aget_text_embedding_batch(texts)
    assert (len(told.received), limiter.asked) == (6, 6)
    assert vectors == [model.get_text_embedding(text) for text in texts[:1]] + vectors[1:]


@pytest.mark.parametrize(("workers", "most"), [({}, 4), ({"num_workers": 1}, 1), ({"num_workers": None}, 8)])
async def test_requests_at_a_time(there: dict[str, Any], workers: dict[str, Any], most: int) -> None:
    """As many as are allowed, and no more: of several batches, of one that is too large, of several calls."""
    together = threading.Barrier(most)
    lock = threading.Lock()
    now = peak = 0

    def crowd(request: Any) -> str:
        nonlocal now, peak
        with lock:
            now += 1
            peak = max(peak, now)
        together.wait(timeout=10)
        time.sleep(0.05)  # for whoever comes too early
        with lock:
            now -= 1
        return ""

    with simulate("told", crowd):
        model = AIProtocolEmbedding(**there, embed_batch_size=1, max_retries=0, **workers)
        assert len(await model.aget_text_embedding_batch([str(number) for number in range(8)])) == 8
        assert peak == most
        model.embed_batch_size = 2048
        texts = [str(number) for number in range(300)]
        await asyncio.gather(model.aget_text_embedding_batch(texts), model.aget_text_embedding_batch(texts))
        assert peak == most


async def test_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise AssertionError("a thread was started")

    model = simulated(embed_batch_size=1)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert len(await model.aget_text_embedding_batch(["a", "b"])) == 2
    assert await model.aget_query_embedding("a")
    assert await model.aget_text_embedding("a")


# what the base class brings


@pytest.mark.parametrize("cached", [False, True])
async def test_the_rate_limiter_is_asked_for_every_request(cached: bool) -> None:
    limiter = Limiter()
    model = simulated(embed_batch_size=3, rate_limiter=limiter)
    for number, call in enumerate((model.get_text_embedding_batch, model.aget_text_embedding_batch)):
        model.embeddings_cache = SimpleKVStore() if cached else None
        outcome: Any = call(TEXTS)
        assert len(await outcome if number else outcome) == 7
        assert limiter.asked == 3 * (number + 1)
    model.get_query_embedding("a")
    await model.aget_text_embedding("b")
    assert limiter.asked == 8


async def test_the_cache(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there, embeddings_cache=SimpleKVStore())
    vectors = model.get_text_embedding_batch(TEXTS[:3])
    assert vectors == await model.aget_text_embedding_batch(TEXTS[:3])
    assert vectors[0] == await model.aget_query_embedding(TEXTS[0])
    assert inputs(told) == [TEXTS[:3]]
    await model.aget_text_embedding_batch(TEXTS)
    assert inputs(told)[1:] == [TEXTS[3:]]
    assert copy.deepcopy(model).embeddings_cache is model.embeddings_cache


async def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    model = simulated(embed_batch_size=3)
    model.get_text_embedding_batch(TEXTS, show_progress=True)
    assert "7/7" in capsys.readouterr().err  # texts
    await model.aget_text_embedding_batch(TEXTS, show_progress=True)
    assert "3/3" in capsys.readouterr().err  # batches


async def test_who_is_told(heard: Heard, seen: list[BaseEvent]) -> None:
    secrets = {"X-Auth": KEY}
    model = simulated(embed_batch_size=4, api_key=KEY, headers=secrets, callback_manager=CallbackManager([heard]))
    model.get_query_embedding("a")
    vectors = await model.aget_text_embedding_batch(TEXTS)
    ends = [payload for when, _, payload in heard.events if when == "end"]
    assert {kind for _, kind, _ in heard.events} == {CBEventType.EMBEDDING}
    assert [payload[EventPayload.CHUNKS] for payload in ends] == [["a"], TEXTS[:4], TEXTS[4:]]
    assert ends[2][EventPayload.EMBEDDINGS] == vectors[4:]
    starts = [event for event in seen if isinstance(event, EmbeddingStartEvent)]
    assert starts[0].model_dict == {
        "class_name": "AIProtocolEmbedding",
        "model_name": "simulator/any",
        "embed_batch_size": 4,
    }
    assert [event.chunks for event in seen if isinstance(event, EmbeddingEndEvent)] == [["a"], TEXTS[:4], TEXTS[4:]]
    assert KEY not in repr(heard.events) + repr(seen)


# in LlamaIndex: not one request more than there has to be


@pytest.mark.parametrize("use_async", [False, True])
def test_an_index(there: dict[str, Any], told: Simulated, use_async: bool) -> None:
    model = AIProtocolEmbedding(**there)
    index = VectorStoreIndex.from_documents(documents(), embed_model=model, use_async=use_async)
    assert inputs(told) == [TEXTS]
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=1)
    assert engine.query(TEXTS[3]).source_nodes[0].text == TEXTS[3]
    assert inputs(told)[1:] == [[TEXTS[3]]]
    answer = asyncio.run(engine.aquery(TEXTS[4]))
    assert answer.source_nodes[0].text == TEXTS[4]
    assert inputs(told)[2:] == [[TEXTS[4]]]
    assert [received.body["input_type"] for received in told.received][1:] == ["search_query"] * 2


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # LlamaIndex ends that loop without shutting it down
async def test_an_index_in_a_running_loop(there: dict[str, Any], told: Simulated) -> None:
    """As in a notebook: LlamaIndex then takes a thread, with an event loop that it closes afterwards."""
    model = AIProtocolEmbedding(**there, embed_batch_size=3)
    index = VectorStoreIndex.from_documents(documents(), embed_model=model, use_async=True)
    assert sorted(inputs(told)) == [TEXTS[:3], TEXTS[3:6], TEXTS[6:]]
    engine = index.as_query_engine(llm=MockLLM())
    await engine.aquery("one")
    engine.query("two")
    await engine.aquery("three")
    await asyncio.to_thread(asyncio.run, model.aget_query_embedding("four"))
    assert inputs(told)[3:] == [["one"], ["two"], ["three"], ["four"]]
    gc.collect()  # another loop has let go of what the first one left


async def test_a_pipeline(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there, embed_batch_size=4)
    nodes = IngestionPipeline(transformations=[model]).run(documents=documents())
    assert inputs(told) == [TEXTS[:4], TEXTS[4:]]
    others = await IngestionPipeline(transformations=[model]).arun(documents=documents())
    assert sorted(inputs(told)[2:]) == [TEXTS[:4], TEXTS[4:]]
    assert [node.embedding for node in nodes] == [node.embedding for node in others]
    assert None not in [node.embedding for node in nodes]


def test_a_pipeline_knows_what_it_has_done(there: dict[str, Any], told: Simulated) -> None:
    pipeline = IngestionPipeline(transformations=[AIProtocolEmbedding(**there)])
    pipeline.run(documents=documents())
    pipeline.run(documents=documents())
    assert len(told.received) == 1
    pipeline.transformations = [AIProtocolEmbedding(**there, dimensions=8)]
    pipeline.run(documents=documents())
    assert len(told.received) == 2


def test_one_event_loop_after_another(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolEmbedding(**there, embed_batch_size=2)
    vectors = [asyncio.run(model.aget_text_embedding_batch(TEXTS)) for _ in range(3)]
    assert vectors[0] == vectors[1] == vectors[2]
    assert len(told.received) == 12


def test_as_the_usual_one(monkeypatch: pytest.MonkeyPatch, heard: Heard) -> None:
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([heard]))
    monkeypatch.setattr(Settings, "_embed_model", None)
    Settings.embed_model = model = simulated()
    assert Settings.embed_model is model
    VectorStoreIndex.from_documents(documents())
    assert CBEventType.EMBEDDING in {kind for _, kind, _ in heard.events}


# usage


async def test_usage() -> None:
    model = simulated()
    assert (model.last_usage, model.total_usage) == (None, Usage())
    model.get_query_embedding("a cat")
    assert model.last_usage is not None
    assert (model.last_usage.input, model.last_usage.raw) == (2, {"prompt_tokens": 2, "total_tokens": 2})
    await model.aget_text_embedding_batch(["a cat", "a dog"])
    assert model.last_usage is not None
    assert (model.last_usage.input, model.total_usage.input) == (4, 6)
    assert model.to_dict() == simulated().to_dict()
    for fresh in (copy.copy(model), copy.deepcopy(model), model.model_copy(), pickle.loads(pickle.dumps(model))):
        assert (fresh.last_usage, fresh.total_usage) == (None, Usage())


# arguments


def test_an_argument_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match=r"AIProtocolEmbedding has no argument 'dimension'.*`dimensions`"):
        simulated(dimension=8)
    with pytest.raises(ArgumentError, match="model twice"):
        simulated(model_name="simulator/other")
    with pytest.raises(ArgumentError, match=r"did you mean .dimensions."):
        simulated().model_copy(update={"dimension": 8})


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "simulatr/any"}, ManifestError, "simulator"),
        ({"model": "any"}, ArgumentError, "provider/model"),
        ({"model": "anthropic/any"}, ArgumentError, "not there to embed; its manifest has: chat"),
        ({"protocol": "openai-embedings"}, ArgumentError, "openai-embeddings"),
        ({"dimensions": 0, "api_key": KEY}, ValidationError, "dimensions"),
        ({"embed_batch_size": 0}, ValidationError, "embed_batch_size"),
        ({"embed_batch_size": 2049}, ValidationError, "embed_batch_size"),
        ({"num_workers": 0}, ValidationError, "num_workers"),
    ],
)
def test_an_argument_that_does_not_fit(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        simulated(**arguments)
    assert KEY not in str(caught.value) + repr(caught.value)


async def test_errors_are_those_of_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    model = simulated(model="simulator/error-429", max_retries=0)
    for call in (model.get_query_embedding, model.get_text_embedding):
        with pytest.raises(RateLimitedError) as caught:
            call("a")
        assert type(caught.value) is RateLimitedError
    with pytest.raises(RateLimitedError):
        await model.aget_query_embedding("a")
    with pytest.raises(RateLimitedError):
        await model.aget_text_embedding_batch(["a"])
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CredentialError, match="OPENAI_API_KEY"):
        AIProtocolEmbedding(model="openai/text-embedding-3-small").get_query_embedding("a")


async def test_it_is_sent_again() -> None:
    with simulate("moody", [RateLimitedError("wait", retry_after=0.01), ""] * 2) as moody:
        model = simulated(model="simulator/moody", max_retries=1)
        assert model.get_query_embedding("a") == await model.aget_text_embedding("a")
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
            model = AIProtocolEmbedding(
                model="mine/org/model:1",
                api_key=KEY,
                api_base="https://elsewhere.test/v1",
                manifests=tmp_path,
                default_headers={"X-Team": "a"},
                additional_kwargs={"more": 1},
                http_client=client,
                http_async_client=other,
            )
            assert model.embed_batch_size == 5
            assert model.get_query_embedding("a") == await model.aget_query_embedding("a") == [1.0, 0.5]
    assert {str(request.url) for request in sent} == {"https://elsewhere.test/v1/embeddings"}
    assert {(request.headers["x-team"], request.headers["authorization"]) for request in sent} == {
        ("a", f"Bearer {KEY}")
    }
    assert {request.content for request in sent} == {
        b'{"model":"org/model:1","input":["a"],"input_type":"query","more":1}'
    }
    assert model.to_json() == AIProtocolEmbedding.from_json(model.to_json()).to_json()


# the two names


def test_model_name_is_the_model() -> None:
    model = AIProtocolEmbedding(model_name="simulator/any", dimensions=16)
    assert (model.model, model.model_name) == ("simulator/any", "simulator/any")
    model.model = "simulator/other"
    assert model.model_name == "simulator/other"
    model.model_name = "simulator/error-401"
    assert model.model == "simulator/error-401"
    with pytest.raises(AuthenticationError):
        model.get_query_embedding("a")
    for update in ({"model": "cohere/b"}, {"model_name": "cohere/b"}):
        copied = model.model_copy(update=update)
        assert (copied.model, copied.model_name) == ("cohere/b", "cohere/b")
    again = AIProtocolEmbedding.from_dict(model.to_dict())
    assert again.to_dict() == model.to_dict() == AIProtocolEmbedding.from_json(model.to_json()).to_dict()
    assert (again.model, again.model_name, again.dimensions) == ("simulator/error-401", "simulator/error-401", 16)


# what is kept, and what is shown


def test_the_key_is_shown_nowhere() -> None:
    secrets = {"X-Auth": KEY, "Authorization": f"Bearer {KEY}", "x-org": "acme"}
    model = simulated(api_key=KEY, headers=secrets)
    shown = [repr(model), str(model), repr(model.to_dict()), model.to_json(), repr(model.to_payload())]
    shown += [repr(model.model_dump()), model.model_dump_json(), repr(pickle.dumps(model)), repr(model._client)]
    assert [text for text in shown if KEY in text] == []
    assert model.api_key == SecretStr(KEY)
    model.api_key = "another-key"
    assert "another-key" not in repr(model) + repr(model.to_dict())


def test_how_it_looks() -> None:
    assert repr(simulated()) == str(simulated()) == "AIProtocolEmbedding(model='simulator/any')"
    assert repr(simulated(dimensions=8)) == "AIProtocolEmbedding(model='simulator/any', dimensions=8)"


def test_copies(heard: Heard) -> None:
    client = httpx.Client()
    manager, limiter = CallbackManager([heard]), Limiter()
    model = simulated(api_key=KEY, http_client=client, headers={"x-a": "1"})
    model.callback_manager, model.rate_limiter = manager, limiter
    deep = copy.deepcopy(model)
    assert deep == model == copy.copy(model)
    assert deep.headers is not model.headers
    assert deep.http_client is client
    assert deep.callback_manager is manager
    assert deep.rate_limiter is limiter
    client.close()


def test_a_pickle_does_no_harm(unpicklable: CallbackManager) -> None:
    model = simulated(api_key=KEY, dimensions=8, embed_batch_size=5, headers={"x-a": "1", "x-token": KEY})
    thawed = pickle.loads(pickle.dumps(model))
    assert (thawed.model, thawed.model_name) == ("simulator/any", "simulator/any")
    assert (thawed.dimensions, thawed.embed_batch_size, thawed.api_key) == (8, 5, None)
    assert thawed.headers == {"x-a": "1"}
    assert thawed.get_query_embedding("a") == model.get_query_embedding("a")
    model.callback_manager = unpicklable
    with pytest.warns(UserWarning, match="leaves out callback_manager"):
        thawed = pickle.loads(pickle.dumps(model))
    assert model.callback_manager is unpicklable
    assert model.api_key == SecretStr(KEY)
    assert copy.deepcopy(model).callback_manager is unpicklable
    assert thawed.callback_manager.handlers == []
    assert thawed.get_text_embedding("a") == model.get_text_embedding("a")


def test_a_pickle_that_nobody_can_read_here(tmp_path: Path) -> None:
    (tmp_path / "providers").mkdir()
    manifest = tmp_path / "providers" / "mine.yaml"
    manifest.write_text(MINE)
    pickled = pickle.dumps(AIProtocolEmbedding(model="mine/any", manifests=tmp_path))
    assert pickle.loads(pickled).model == "mine/any"
    with pytest.raises(ManifestError):
        pickle.loads(pickled.replace(b"mine/any", b"nine/any"))


def test_front_door() -> None:
    assert ai_protocol_integrations.AIProtocolEmbedding is AIProtocolEmbedding
    assert "AIProtocolEmbedding" in dir(ai_protocol_integrations)
