"""Query engines: every way of answering from an index, each with as many requests as it needs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex, get_response_synthesizer
from llama_index.core.postprocessor import LLMRerank

from .conftest import Shelf, Stage, Way
from .material import SAID, TEXTS, given

QUESTION = "How is the weather in Oslo?"
NEEDED = {
    "compact": 1,
    "refine": 2,
    "tree_summarize": 1,
    "simple_summarize": 1,
    "accumulate": 2,
    "compact_accumulate": 1,
}
"""How many requests two texts need, by the mode of the answer."""


@pytest.mark.parametrize("mode", NEEDED)
async def test_a_query(stage: Stage, way: Way, shelf: Shelf, mode: str) -> None:
    said = [f"{number} degrees." for number in range(NEEDED[mode])]
    engine = shelf.index.as_query_engine(llm=stage.play(said), response_mode=mode, similarity_top_k=2)
    response = await way(engine, "query", QUESTION)
    assert said[-1] in str(response)
    assert {node.text for node in response.source_nodes} == set(TEXTS[:2])
    assert (stage.sent, shelf.asked) == (NEEDED[mode], 1)
    prompts = "".join(stage.prompts)
    assert all(text in prompts for text in (QUESTION, *TEXTS[:2]))
    assert TEXTS[2] not in prompts


@pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "simple_summarize"])
async def test_a_streamed_query(stage: Stage, way: Way, shelf: Shelf, mode: str) -> None:
    llm = stage.play(["Seven.", SAID] if NEEDED[mode] == 2 else [SAID])
    engine = shelf.index.as_query_engine(llm=llm, response_mode=mode, similarity_top_k=2, streaming=True)
    response = await way(engine, "query", QUESTION)
    tokens = await way.taken(response.async_response_gen() if way.asynchronous else response.response_gen)
    assert len(tokens) > 5
    assert "".join(tokens) == SAID
    assert (stage.sent, shelf.asked) == (NEEDED[mode], 1)


@pytest.mark.usefixtures("swept")
async def test_queries_of_an_index_that_was_built_asynchronously(stage: Stage, shelf: Shelf) -> None:
    """LlamaIndex builds it in a loop of its own, which is closed when the queries come."""
    documents = [Document(text=text) for text in TEXTS]
    index = VectorStoreIndex.from_documents(documents, embed_model=shelf.embedding, use_async=True)
    llm = stage.play(["Seven degrees.", SAID])
    assert str(await index.as_query_engine(llm=llm).aquery(QUESTION)) == "Seven degrees."
    streamed = await index.as_query_engine(llm=llm, streaming=True).aquery(QUESTION)
    assert "".join([token async for token in streamed.async_response_gen()]) == SAID
    assert (stage.sent, shelf.asked) == (2, 3)


@pytest.mark.usefixtures("swept")
async def test_a_notebook(stage: Stage, shelf: Shelf) -> None:
    """Synchronous calls, which run loops in threads and close them; then one that is awaited; and that again."""
    llm = stage.play([SAID] * 8)
    engine = shelf.index.as_query_engine(llm=llm, response_mode="accumulate", similarity_top_k=2, use_async=True)
    for _ in range(2):
        assert SAID in str(engine.query(QUESTION))
        assert SAID in str(await engine.aquery(QUESTION))
    assert (stage.sent, shelf.asked) == (8, 4)


async def test_queries_at_the_same_time(stage: Stage, shelf: Shelf) -> None:
    engine = shelf.index.as_query_engine(llm=stage.play(lambda request: SAID), similarity_top_k=1)
    responses = await asyncio.gather(*(engine.aquery(QUESTION) for _ in range(8)))
    assert [str(response) for response in responses] == [SAID] * 8
    assert (stage.sent, shelf.asked) == (8, 8)


async def test_refined_answers_are_filtered_by_structured_output(stage: Stage, way: Way, shelf: Shelf) -> None:
    """An answer that does not satisfy the query is left out."""
    answers: list[dict[str, Any]] = [
        {"answer": "Seven degrees.", "query_satisfied": True},
        {"answer": "I do not know.", "query_satisfied": False},
    ]
    llm = stage.play([given(answer) for answer in answers])
    synthesizer = get_response_synthesizer(llm=llm, response_mode="refine", structured_answer_filtering=True)
    engine = shelf.index.as_query_engine(llm=llm, response_synthesizer=synthesizer, similarity_top_k=2)
    assert str(await way(engine, "query", QUESTION)) == "Seven degrees."
    assert (stage.sent, shelf.asked) == (2, 1)


async def test_an_llm_reranks_what_was_found(stage: Stage, way: Way, shelf: Shelf) -> None:
    llm = stage.play(["Doc: 2, Relevance: 9\nDoc: 1, Relevance: 4", SAID])
    rerank = LLMRerank(llm=llm, top_n=1)
    engine = shelf.index.as_query_engine(llm=llm, similarity_top_k=3, node_postprocessors=[rerank])
    response = await way(engine, "query", QUESTION)
    assert [(node.text, node.score) for node in response.source_nodes] == [(TEXTS[1], 9.0)]
    assert str(response) == SAID
    assert (stage.sent, shelf.asked) == (2, 1)
