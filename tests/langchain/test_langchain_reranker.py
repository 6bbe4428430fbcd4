"""Reranking in LangChain, by itself and in a chain that retrieves, ranks and answers without a key."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_core import exceptions as theirs
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import SecretStr, ValidationError

import ai_protocol_integrations
from ai_protocol_integrations.langchain import AIProtocolEmbeddings, AIProtocolReranker, ChatAIProtocol
from ai_protocol_integrations.langchain.errors import ArgumentError, ManifestError, RateLimitedError
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import Ranked, Usage

KEY = "made-up-0123456789abcdef"
QUERY = "What is the capital of France?"
TEXTS = ["The cat sleeps.", "Paris is the capital of France.", "France has a capital."]
DOCUMENTS = [Document(text, id=f"d{number}", metadata={"page": number}) for number, text in enumerate(TEXTS)]


def simulated(**arguments: Any) -> AIProtocolReranker:
    return AIProtocolReranker(**{"model": "simulator/any", **arguments})


async def test_documents_come_back_best_first() -> None:
    before = copy.deepcopy(DOCUMENTS)
    model = simulated()
    best = model.compress_documents(DOCUMENTS, QUERY)
    assert best == await model.acompress_documents(DOCUMENTS, QUERY)
    assert before == DOCUMENTS
    assert [document.page_content for document in best] == [TEXTS[1], TEXTS[2], TEXTS[0]]
    assert [document.id for document in best] == ["d1", "d2", "d0"]
    scores = [document.metadata.pop("relevance_score") for document in best]
    assert scores == sorted(scores, reverse=True)
    assert [document.metadata for document in best] == [{"page": 1}, {"page": 2}, {"page": 0}]
    assert isinstance(model, BaseDocumentCompressor)


async def test_the_best_of_many() -> None:
    model = simulated(top_n=2)
    assert [document.id for document in model.compress_documents(DOCUMENTS, QUERY)] == ["d1", "d2"]
    assert [one.index for one in model.rerank(QUERY, TEXTS, top_n=1)] == [1]
    (best,) = await model.arerank(QUERY, [*DOCUMENTS[:1], TEXTS[1]], top_n=1)
    assert isinstance(best, Ranked)
    assert (best.index, best.score > 0.5) == (1, True)


async def test_nothing_is_no_request() -> None:
    with simulate("told", lambda request: "") as told:
        model = simulated(model="simulator/told")
        assert model.compress_documents([], QUERY) == await model.acompress_documents([], QUERY) == []
        assert model.rerank(QUERY, []) == await model.arerank(QUERY, []) == []
        assert told.received == []
        model = simulated(model="simulator/told", top_n=2, max_tokens=9, truncate=True, extra_body={"more": 1})
        model.compress_documents(DOCUMENTS, QUERY)
        body = told.received[0].body
    said = {"model": "told", "query": QUERY, "documents": TEXTS}
    assert body == {**said, "top_n": 2, "max_tokens_per_doc": 9, "truncation": True, "more": 1}


async def test_usage() -> None:
    model = simulated()
    assert (model.last_usage, model.total_usage) == (None, Usage())
    model.rerank(QUERY, TEXTS)
    assert model.last_usage is not None
    await model.acompress_documents(DOCUMENTS, QUERY)
    assert model.total_usage.input == 2 * (model.last_usage.input or 0) > 0
    assert copy.deepcopy(model).last_usage is None


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"topn": 2}, ArgumentError, "did you mean `top_n`"),
        ({"top_n": 0}, ValidationError, "top_n"),
        ({"model": "simulatr/any"}, ManifestError, "simulator"),
        ({"model": "openai/any"}, ArgumentError, "OpenAI is not there to rerank"),
        ({"protocol": "openai-embeddings"}, ArgumentError, "cohere-rerank"),
    ],
)
def test_an_argument_that_does_not_fit(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        simulated(**arguments)


async def test_errors_are_those_of_langchain() -> None:
    model = simulated(model="simulator/error-429", max_retries=0)
    with pytest.raises(RateLimitedError) as caught:
        model.compress_documents(DOCUMENTS, QUERY)
    assert isinstance(caught.value, theirs.ModelRateLimitError)
    with pytest.raises(theirs.ModelRateLimitError):
        await model.acompress_documents(DOCUMENTS, QUERY)


def test_keeping() -> None:
    model = simulated(api_key=KEY, top_n=1, headers={"x-token": KEY})
    shown = [repr(model), str(model), repr(model.model_dump()), model.model_dump_json(), repr(pickle.dumps(model))]
    assert [text for text in shown if KEY in text] == []
    assert model.api_key == SecretStr(KEY)
    assert copy.deepcopy(model) == model == copy.copy(model)
    thawed = pickle.loads(pickle.dumps(model))
    assert (thawed.top_n, thawed.api_key) == (1, None)
    assert thawed.rerank(QUERY, TEXTS) == model.rerank(QUERY, TEXTS)
    assert ai_protocol_integrations.AIProtocolReranker is AIProtocolReranker


# retrieval, without a key

FACTS = [
    "The Danube flows through Vienna, Budapest and Belgrade.",
    "Honey bees dance to tell each other where flowers are.",
    "The first public library in Boston opened in 1854.",
    "Sourdough bread rises by wild yeast instead of baker's yeast.",
    "A marathon is 42.195 kilometres long.",
    "Saturn's rings consist mostly of water ice.",
    "The violin has four strings, tuned in fifths.",
    "Octopuses have three hearts and blue blood.",
    "The Sahara was green six thousand years ago.",
    "Glass is made from molten sand, soda and lime.",
    "Iceland heats most of its homes with geothermal water.",
    "Chess was played in Persia in the seventh century.",
]
QUESTIONS = {
    "Which cities does the Danube flow through?": 0,
    "Why do honey bees dance?": 1,
    "How does sourdough bread rise?": 3,
    "How many kilometres has a marathon?": 4,
    "What are the rings of Saturn made of?": 5,
    "How many strings does a violin have?": 6,
    "How many hearts do octopuses have?": 7,
    "Who played chess in Persia?": 11,
}


@pytest.fixture(scope="module")
def store() -> InMemoryVectorStore:
    store = InMemoryVectorStore(AIProtocolEmbeddings(model="simulator/any"))
    store.add_texts(FACTS)
    return store


def chain(store: InMemoryVectorStore) -> Runnable[str, str]:
    """Four documents by their vectors, the best of them by the reranker, and a model that says its prompt back."""
    reranker = AIProtocolReranker(model="simulator/any", top_n=1)

    def ranked(asked: dict[str, Any]) -> str:
        (best,) = reranker.compress_documents(asked["found"], asked["question"])
        return best.page_content

    async def aranked(asked: dict[str, Any]) -> str:
        (best,) = await reranker.acompress_documents(asked["found"], asked["question"])
        return best.page_content

    found = {"found": store.as_retriever(search_kwargs={"k": 4}), "question": RunnablePassthrough()}
    prompt = ChatPromptTemplate.from_messages([("human", "{context}")])
    said = {"context": RunnableLambda(ranked, aranked)}
    return (
        found | RunnablePassthrough.assign(**said) | prompt | ChatAIProtocol(model="simulator/echo") | StrOutputParser()
    )


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_right_document_is_found(store: InMemoryVectorStore, question: str) -> None:
    right = FACTS[QUESTIONS[question]]
    assert store.similarity_search(question, k=1)[0].page_content == right
    assert chain(store).invoke(question) == right
    assert await chain(store).ainvoke(question) == right
