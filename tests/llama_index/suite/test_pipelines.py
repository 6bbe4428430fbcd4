"""Routers, questions in parts, rerankers, extractors and ingestion."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.extractors import KeywordExtractor, QuestionsAnsweredExtractor, SummaryExtractor, TitleExtractor
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.schema import TextNode
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool

from .conftest import Shelf, Stage, Way
from .material import SAID, TEXTS, given

QUESTION = "Where is it warmer, in Oslo or in Bergen?"


def engines(shelf: Shelf, llm: Any) -> list[QueryEngineTool]:
    engine = shelf.index.as_query_engine(llm=llm, similarity_top_k=1)
    described = {"library": "About the library.", "weather": "About the weather."}
    return [QueryEngineTool.from_defaults(engine, name=name, description=text) for name, text in described.items()]


SELECTORS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "default": (lambda llm: None, given({"index": 2, "reason": "weather"})),
    "pydantic": (lambda llm: PydanticSingleSelector.from_defaults(llm=llm), given({"index": 2, "reason": "weather"})),
    "text": (lambda llm: LLMSingleSelector.from_defaults(llm=llm), '[{"choice": 2, "reason": "weather"}]'),
}
"""How a router chooses, and what the model says then."""


@pytest.mark.parametrize("kind", SELECTORS)
async def test_a_router(stage: Stage, way: Way, shelf: Shelf, kind: str) -> None:
    make, chosen = SELECTORS[kind]
    llm = stage.play([chosen, SAID])
    router = RouterQueryEngine.from_defaults(engines(shelf, llm), llm=llm, selector=make(llm))
    response = await way(router, "query", QUESTION)
    assert str(response) == SAID
    assert response.metadata["selector_result"].ind == 1
    assert "About the weather." in stage.prompts[0]
    assert (stage.sent, shelf.asked) == (2, 1)


@pytest.mark.usefixtures("swept")
async def test_a_question_in_parts(stage: Stage, way: Way, shelf: Shelf) -> None:
    """One request for the parts, one for each, at the same time, and one for the whole."""
    parts = [{"sub_question": f"How warm is it in {city}?", "tool_name": "weather"} for city in ("Oslo", "Bergen")]
    llm = stage.play([json.dumps({"items": parts}), "It is warm.", "It is warm.", SAID])
    engine = SubQuestionQueryEngine.from_defaults(
        engines(shelf, llm), llm=llm, question_gen=LLMQuestionGenerator.from_defaults(llm=llm), verbose=False
    )
    assert str(await way(engine, "query", QUESTION)) == SAID
    assert (stage.sent, shelf.asked) == (4, 2)


async def test_a_reranker(stage: Stage, way: Way, shelf: Shelf) -> None:
    """A model that ranks, before the one that answers."""
    engine = shelf.index.as_query_engine(
        llm=stage.play([SAID]), similarity_top_k=3, node_postprocessors=[shelf.reranker]
    )
    response = await way(engine, "query", "Does the library of the university lend books?")
    assert [node.text for node in response.source_nodes] == TEXTS[2:]
    assert str(response) == SAID
    assert (stage.sent, shelf.asked, shelf.ranked) == (1, 1, 1)


EXTRACTORS: dict[str, tuple[Callable[[Any], Any], int, str]] = {
    "title": (lambda llm: TitleExtractor(llm=llm, nodes=2), 3, "document_title"),
    "questions": (lambda llm: QuestionsAnsweredExtractor(llm=llm), 2, "questions_this_excerpt_can_answer"),
    "summary": (lambda llm: SummaryExtractor(llm=llm, summaries=["self"]), 2, "section_summary"),
    "keywords": (lambda llm: KeywordExtractor(llm=llm), 2, "excerpt_keywords"),
}
"""How often each asks of two texts, and what it finds."""


@pytest.mark.usefixtures("swept")
@pytest.mark.parametrize("kind", EXTRACTORS)
async def test_an_extractor(stage: Stage, way: Way, kind: str) -> None:
    make, asked, key = EXTRACTORS[kind]
    extractor = make(stage.play(["weather, degrees"] * asked))
    found = await way(extractor, "extract", [TextNode(text=text) for text in TEXTS[:2]])
    assert [one[key] for one in found] == ["weather, degrees"] * 2
    assert stage.sent == asked


@pytest.mark.usefixtures("swept")
async def test_ingestion(stage: Stage, way: Way, shelf: Shelf) -> None:
    """What has been asked once is known: the same LLM is the same to the pipeline's cache."""
    llm = stage.play(["weather, degrees"] * 2)
    pipeline = IngestionPipeline(transformations=[KeywordExtractor(llm=llm), shelf.embedding])
    for _ in range(2):
        nodes = [TextNode(id_=text, text=text) for text in TEXTS[:2]]
        made = await pipeline.arun(nodes=nodes) if way.asynchronous else pipeline.run(nodes=nodes)
        assert [node.metadata["excerpt_keywords"] for node in made] == ["weather, degrees"] * 2
        assert all(node.embedding for node in made)
        assert (stage.sent, shelf.asked) == (2, 1)
