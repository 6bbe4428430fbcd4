"""Reranking through the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.notices import UnsupportedWarning
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import RankDocument, Ranking, RankRequest
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    InvalidRequestError,
    MalformedResponseError,
    RateLimitedError,
)

DOCUMENTS = ["The cat sleeps.", "Paris is the capital of France.", "France has a capital."]
QUERY = "What is the capital of France?"


@pytest.fixture
def reranker(connect: Callable[..., AIClient]) -> Callable[..., AIClient]:
    def make(model: str = "vectors/any", **arguments: Any) -> AIClient:
        return connect(model, **{"service": "rerank", **arguments})

    return make


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def rerank(request: pytest.FixtureRequest) -> Any:
    async def call(client: AIClient, *asked: Any, **params: Any) -> Ranking:
        if request.param:
            return await client.arerank(*asked, **params)
        return client.rerank(*asked, **params)

    return call


def results(*pairs: tuple[int, float]) -> dict[str, Any]:
    return {"id": "r1", "results": [{"index": place, "relevance_score": score} for place, score in pairs]}


async def test_the_request(server: Any, say: Any, reranker: Any, rerank: Any) -> None:
    server.play(say.answer(results((2, 0.1), (0, 0.9))))
    with pytest.warns(UnsupportedWarning, match="truncation"):
        answer = await rerank(reranker(), "q", ["a", RankDocument("b"), "c"], top_n=2, max_tokens=9, truncate=True)
    (request,) = server.requests
    assert request.path == "/v2/rerank"
    said = {"model": "any", "query": "q", "documents": ["a", "b", "c"], "top_n": 2, "max_tokens_per_doc": 9}
    assert request.json == said
    assert [(one.index, one.score) for one in answer.results] == [(0, 0.9), (2, 0.1)]  # best first, always
    assert (answer.id, answer.usage, answer.call.status) == ("r1", None, 200)


async def test_other_spellings_and_a_whole_request(server: Any, say: Any, reranker: Any, rerank: Any) -> None:
    body = {"model": "any-2", "data": [{"index": 0, "score": 0.5, "document": {"text": "a"}}]}
    server.play(say.answer({**body, "usage": {"total_tokens": 7}}))
    asked = RankRequest(query="q", documents=[RankDocument("a")])
    answer = await rerank(reranker(), asked, top_n=1)
    assert (answer.model, answer.results[0].document.text, answer.usage.input) == ("any-2", "a", 7)
    assert (asked.model, asked.top_n) == (None, None)


async def test_the_simulator_ranks_by_words(rerank: Any) -> None:
    client = AIClient("simulator/any", service="rerank")
    answer = await rerank(client, QUERY, DOCUMENTS)
    assert [one.index for one in answer.results] == [1, 2, 0]
    assert answer.results == (await rerank(client, QUERY, DOCUMENTS)).results
    assert [one.index for one in (await rerank(client, QUERY, DOCUMENTS, top_n=1)).results] == [1]


@pytest.mark.parametrize("pairs", [[(0, 0.5), (0, 0.4)], [(3, 0.5)], [(-1, 0.5)]], ids=["twice", "unknown", "before"])
async def test_a_ranking_of_other_things(server: Any, say: Any, reranker: Any, rerank: Any, pairs: Any) -> None:
    server.play(say.answer(results(*pairs)))
    with pytest.raises(MalformedResponseError, match="3 documents were sent"):
        await rerank(reranker(), "q", ["a", "b", "c"])


@pytest.mark.parametrize("body", [{}, {"results": [{"index": 0}]}, {"results": [{"relevance_score": 0.1}]}, []])
async def test_what_is_no_ranking(server: Any, say: Any, reranker: Any, rerank: Any, body: Any) -> None:
    server.play(say.answer(body))
    with pytest.raises(MalformedResponseError):
        await rerank(reranker(), "q", ["a"])


@pytest.mark.parametrize(
    ("asked", "params", "words"),
    [
        ((5, ["a"]), {}, "query must be"),
        (("q", "a"), {}, "documents must be"),
        (("q", [5]), {}, "documents must be"),
        (("q", ["a"]), {"topn": 1}, "did you mean `top_n`"),
        (("q", ["a"]), {"top_n": 0}, "top_n must be"),
    ],
)
async def test_wrong_arguments(server: Any, reranker: Any, rerank: Any, asked: Any, params: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        await rerank(reranker(), *asked, **params)
    assert server.requests == []


async def test_errors(server: Any, say: Any, reranker: Any, rerank: Any) -> None:
    with pytest.raises(ArgumentError, match="OpenAI is not there to rerank"):
        reranker("openai/any")
    with pytest.raises(InvalidRequestError, match="something to rank"):
        await rerank(AIClient("simulator/any", service="rerank"), "q", [])
    with simulate("moody-ranker", [RateLimitedError("wait", retry_after=0.01), ""]) as moody:
        await rerank(AIClient("simulator/moody-ranker", service="rerank"), QUERY, DOCUMENTS)
        assert len(moody.received) == 2
    server.play(say.answer({"message": "too many tokens"}, status=400))
    with pytest.raises(InvalidRequestError, match="too many tokens"):
        await rerank(reranker(), "q", ["a"])
