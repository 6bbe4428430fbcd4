"""Structured output: every form that LlamaIndex has for it."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.types import PydanticProgramMode

from ai_protocol_runtime.types import ToolCall, ToolChoice

from .conftest import Shelf, Stage, Way
from .material import FOUND, QUESTION, Place, Report, given

ASK = PromptTemplate("Report on {country}.")
REPORT = Report(**FOUND)
MODES = [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION, PydanticProgramMode.LLM]
"""In the class's own way, by LlamaIndex's function calls, and by its parser of texts."""


def left_free(stage: Stage) -> list[Any]:
    """What each request says of tools that leaves the model free to answer with something else."""
    return [
        request.tool_choice or "no choice"
        for request in stage.requests
        if not (request.format and request.format.schema)
        and not (isinstance(request.tool_choice, ToolChoice) and request.tool_choice.kind in ("any", "named"))
        and not (request.tools and stage.subject.lacks("tool_choice"))
    ]


@pytest.mark.parametrize("mode", MODES, ids=[mode.value for mode in MODES])
async def test_prediction(stage: Stage, way: Way, mode: PydanticProgramMode) -> None:
    llm = stage.play([given(FOUND)], pydantic_program_mode=mode)
    assert await way(llm, "structured_predict", Report, ASK, country="Norway") == REPORT
    assert "Report on Norway." in stage.prompts[0]
    if mode != PydanticProgramMode.LLM:
        assert left_free(stage) == []
    assert stage.sent == 1


@pytest.mark.parametrize("mode", MODES[:2], ids=[mode.value for mode in MODES[:2]])
async def test_streamed_prediction(stage: Stage, way: Way, mode: PydanticProgramMode) -> None:
    """The object grows, and is whole at the end. LlamaIndex's own program demands nothing when it streams."""
    llm = stage.play([given(FOUND)], pydantic_program_mode=mode)
    objects = await way.all(llm, "stream_structured_predict", Report, ASK, country="Norway")
    assert objects[-1] == REPORT
    grown = [len(getattr(made, "places", None) or ()) for made in objects]
    assert grown == sorted(grown)
    assert grown[-1] == 2
    if mode == PydanticProgramMode.DEFAULT:
        assert left_free(stage) == []
    assert stage.sent == 1


async def test_a_stream_of_objects_is_one(stage: Stage, way: Way) -> None:
    """It does not wait for the end, unless the wire format has calls in one piece only."""
    llm = stage.play([given(FOUND)])
    objects = await way.all(llm, "stream_structured_predict", Report, ASK, country="Norway")
    assert len(objects) > 5
    assert getattr(objects[0], "places", None) in (None, [])
    assert objects[-1] == REPORT


@pytest.mark.parametrize("name", ["chat", "complete", "stream_chat"])
async def test_a_structured_llm(stage: Stage, way: Way, name: str) -> None:
    llm = stage.play([given(FOUND)]).as_structured_llm(Report)
    asked = "Report on Norway." if name == "complete" else QUESTION
    response = (await way.all(llm, name, asked))[-1] if name == "stream_chat" else await way(llm, name, asked)
    text = response.text if name == "complete" else response.message.content
    assert response.raw == REPORT
    assert Report.model_validate_json(text) == REPORT
    assert left_free(stage) == []
    assert stage.sent == 1


async def test_a_structured_query(stage: Stage, way: Way, shelf: Shelf) -> None:
    engine = shelf.index.as_query_engine(llm=stage.play([given(FOUND)]), output_cls=Report, similarity_top_k=2)
    response = await way(engine, "query", "How is the weather in Oslo?")
    assert response.response == REPORT
    assert left_free(stage) == []
    assert (stage.sent, shelf.asked) == (1, 1)


async def test_a_query_of_a_structured_llm(stage: Stage, way: Way, shelf: Shelf) -> None:
    llm = stage.play([given(FOUND)]).as_structured_llm(Report)
    response = await way(shelf.index.as_query_engine(llm=llm), "query", "How is the weather in Oslo?")
    assert Report.model_validate_json(str(response)) == REPORT
    assert (stage.sent, shelf.asked) == (1, 1)


async def test_several_objects(stage: Stage, way: Way) -> None:
    """Each is a call of its own."""
    calls = [ToolCall(f"c{n}", "Place", Place(**place).model_dump_json()) for n, place in enumerate(FOUND["places"])]
    program: Any = FunctionCallingProgram.from_defaults(
        output_cls=Place, prompt=ASK, llm=stage.play([calls]), allow_parallel_tool_calls=True
    )
    made = await program.acall(country="Norway") if way.asynchronous else program(country="Norway")
    assert made == REPORT.places
    assert left_free(stage) == []
    assert stage.sent == 1


async def test_what_does_not_satisfy_the_class_is_an_error(stage: Stage, way: Way) -> None:
    llm = stage.play([given({**FOUND, "capital": "Oslo"})])
    with pytest.raises(ValueError, match="capital"):
        await way(llm, "structured_predict", Report, ASK, country="Norway")
    assert stage.sent == 1
