"""Reranking in LlamaIndex, by itself and in a query engine."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import SecretStr, ValidationError

import ai_protocol_integrations
from ai_protocol_integrations.llama_index import AIProtocolEmbedding, AIProtocolRerank
from ai_protocol_runtime.simulator import Simulated
from ai_protocol_runtime.types import Usage
from ai_protocol_runtime.types.errors import ArgumentError, ManifestError, RateLimitedError

from .conftest import KEY, Heard

QUERY = "What is the capital of France?"
TEXTS = ["The cat sleeps.", "Paris is the capital of France.", "France has a capital."]
NODES = [TextNode(text=text, id_=f"n{number}", metadata={"page": number}) for number, text in enumerate(TEXTS)]


def simulated(**arguments: Any) -> AIProtocolRerank:
    return AIProtocolRerank(**{"model": "simulator/any", **arguments})


def found() -> list[NodeWithScore]:
    """What a retriever gives: in its own order, with scores of its own."""
    return [NodeWithScore(node=node, score=0.5) for node in NODES]


def ids(nodes: list[NodeWithScore]) -> list[str]:
    return [one.node_id for one in nodes]


async def test_nodes_come_back_best_first() -> None:
    nodes = found()
    before = copy.deepcopy(nodes)
    model = simulated()
    best = model.postprocess_nodes(nodes, query_str=QUERY)
    assert best == await model.apostprocess_nodes(nodes, query_str=QUERY)
    assert best == model.postprocess_nodes(nodes, QueryBundle(QUERY))
    assert nodes == before
    assert ids(best) == ["n1", "n2", "n0"]
    scores = [one.score or 0 for one in best]
    assert scores == sorted(scores, reverse=True) != [0.5] * 3
    assert best[0].node is NODES[1]
    assert isinstance(model, BaseNodePostprocessor)


async def test_the_best_of_many() -> None:
    model = simulated(top_n=2)
    assert ids(model.postprocess_nodes(found(), query_str=QUERY)) == ["n1", "n2"]
    model.top_n = 1
    assert ids(await model.apostprocess_nodes(found(), query_str=QUERY)) == ["n1"]


async def test_what_is_sent(there: dict[str, Any], told: Simulated) -> None:
    model = AIProtocolRerank(**there, top_n=2, max_tokens=9, extra_body={"more": 1})
    hidden = TextNode(text="c\nd", metadata={"page": 3, "secret": 4}, excluded_embed_metadata_keys=["secret"])
    nodes = [NodeWithScore(node=TextNode(text="a")), NodeWithScore(node=hidden)]
    model.postprocess_nodes(nodes, query_str=QUERY)
    await model.apostprocess_nodes(nodes, query_str=QUERY)
    documents = ["a", "page: 3\n\nc\nd"]
    said = {"model": "told", "query": QUERY, "documents": documents, "top_n": 2, "max_tokens_per_doc": 9, "more": 1}
    assert [received.body for received in told.received] == [said, said]


async def test_nothing_is_no_request(there: dict[str, Any], told: Simulated, seen: list[BaseEvent]) -> None:
    model = AIProtocolRerank(**there)
    assert model.postprocess_nodes([], query_str=QUERY) == await model.apostprocess_nodes([], query_str=QUERY) == []
    for nodes in ([], found()):
        with pytest.raises(ArgumentError, match=r"no query .* pass query_str"):
            model.postprocess_nodes(nodes)
        with pytest.raises(ArgumentError, match="no query"):
            await model.apostprocess_nodes(nodes)
    assert told.received == []
    assert [event for event in seen if isinstance(event, ReRankStartEvent)] == []


async def test_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise AssertionError("a thread was started")

    model = simulated()
    monkeypatch.setattr(threading.Thread, "start", start)
    assert len(await model.apostprocess_nodes(found(), query_str=QUERY)) == 3


@pytest.mark.parametrize("top_n", [None, 2])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_who_is_told(heard: Heard, seen: list[BaseEvent], top_n: int | None, asynchronous: bool) -> None:
    model = simulated(top_n=top_n, api_key=KEY, headers={"X-Auth": KEY}, callback_manager=CallbackManager([heard]))
    nodes = found()
    if asynchronous:
        best = await model.apostprocess_nodes(nodes, query_str=QUERY)
    else:
        best = model.postprocess_nodes(nodes, query_str=QUERY)
    start, end = (event for event in seen if isinstance(event, ReRankStartEvent | ReRankEndEvent))
    assert isinstance(start, ReRankStartEvent)
    assert isinstance(end, ReRankEndEvent)
    assert (start.nodes, start.top_n, start.model_name) == (nodes, top_n or 3, "simulator/any")
    assert start.query == QueryBundle(QUERY)
    assert end.nodes == best
    asked = {
        EventPayload.QUERY_STR: QUERY,
        EventPayload.NODES: nodes,
        EventPayload.MODEL_NAME: "simulator/any",
        EventPayload.TOP_K: top_n or 3,
    }
    kind = CBEventType.RERANKING
    assert heard.events == [("start", kind, asked), ("end", kind, {EventPayload.NODES: best})]
    assert KEY not in repr(heard.events) + repr(seen)


async def test_who_is_told_of_an_error(heard: Heard, seen: list[BaseEvent]) -> None:
    model = simulated(model="simulator/error-429", max_retries=0, callback_manager=CallbackManager([heard]))
    with pytest.raises(RateLimitedError) as caught:
        model.postprocess_nodes(found(), query_str=QUERY)
    assert type(caught.value) is RateLimitedError
    assert heard.events[-1] == ("end", CBEventType.RERANKING, {EventPayload.EXCEPTION: caught.value})
    with pytest.raises(RateLimitedError):
        await model.apostprocess_nodes(found(), query_str=QUERY)
    assert [event for event in seen if isinstance(event, ReRankEndEvent)] == []


async def test_usage() -> None:
    model = simulated()
    assert (model.last_usage, model.total_usage) == (None, Usage())
    model.postprocess_nodes(found(), query_str=QUERY)
    assert model.last_usage is not None
    await model.apostprocess_nodes(found(), query_str=QUERY)
    assert model.total_usage.input == 2 * (model.last_usage.input or 0) > 0
    assert copy.deepcopy(model).last_usage is None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"topn": 2}, ArgumentError, "AIProtocolRerank has no argument 'topn', did you mean `top_n`"),
        ({"top_n": 0}, ValidationError, "top_n"),
        ({"model": "simulatr/any"}, ManifestError, "simulator"),
        ({"model": "openai/any"}, ArgumentError, "OpenAI is not there to rerank"),
        ({"protocol": "openai-embeddings"}, ArgumentError, "cohere-rerank"),
    ],
)
def test_an_argument_that_does_not_fit(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        simulated(**arguments)


def test_keeping(unpicklable: CallbackManager) -> None:
    model = simulated(api_key=KEY, top_n=1, headers={"x-token": KEY})
    shown = [repr(model), str(model), repr(model.model_dump()), model.model_dump_json(), repr(pickle.dumps(model))]
    shown += [repr(model.to_dict()), model.to_json()]
    assert [text for text in shown if KEY in text] == []
    assert repr(simulated(top_n=1)) == "AIProtocolRerank(model='simulator/any', top_n=1)"
    assert model.api_key == SecretStr(KEY)
    assert copy.deepcopy(model) == model == copy.copy(model)
    assert AIProtocolRerank.from_dict(model.to_dict()).to_dict() == model.to_dict()
    model.callback_manager = unpicklable
    with pytest.warns(UserWarning, match="leaves out callback_manager"):
        thawed = pickle.loads(pickle.dumps(model))
    assert (thawed.top_n, thawed.api_key) == (1, None)
    assert model.callback_manager is copy.deepcopy(model).callback_manager is unpicklable
    best = model.postprocess_nodes(found(), query_str=QUERY)
    assert thawed.postprocess_nodes(found(), query_str=QUERY) == best
    assert ai_protocol_integrations.AIProtocolRerank is AIProtocolRerank


# retrieval, without a key

FACTS = [
    "The Danube flows through Vienna, Budapest and Belgrade.",
    "Honey bees dance to tell each other where flowers are.",
    "The first public library in Boston opened in 1854.",
    "A marathon is 42.195 kilometres long.",
    "The violin has four strings, tuned in fifths.",
    "Chess was played in Persia in the seventh century.",
]
QUESTIONS = {
    "Which cities does the Danube flow through?": 0,
    "Why do honey bees dance?": 1,
    "How many kilometres has a marathon?": 3,
    "Who played chess in Persia?": 5,
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_in_a_query_engine(there: dict[str, Any], told: Simulated, question: str) -> None:
    index = VectorStoreIndex([TextNode(text=fact) for fact in FACTS], embed_model=AIProtocolEmbedding(**there))
    ranking = AIProtocolRerank(**there, top_n=1)
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=4, node_postprocessors=[ranking])
    before = len(told.received)
    for answer in (engine.query(question), await engine.aquery(question)):
        assert [one.text for one in answer.source_nodes] == [FACTS[QUESTIONS[question]]]
    paths = [received.path for received in told.received[before:]]
    assert paths == ["/v2/embed", "/v2/rerank"] * 2
    assert [len(received.body["documents"]) for received in told.received[before + 1 :: 2]] == [4, 4]
