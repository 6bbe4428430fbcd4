"""Chat engines: two turns with each, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.memory import ChatMemoryBuffer

from .conftest import Shelf, Stage, Way

FIRST, SECOND = "How is the weather in Oslo?", "And the weather in Bergen?"
ALONE = "How is the weather in the city of Bergen?"
"""The second question, put so that it can be understood by itself."""
SAID = ["Seven degrees, and clear, says the book.", "Nine degrees, with rain, as ever."]

ENGINES: dict[str, tuple[list[str], list[int], int]] = {
    "simple": (SAID, [1, 2], 0),
    "context": (SAID, [1, 2], 2),
    "condense_question": ([SAID[0], ALONE, SAID[1]], [1, 3], 2),
    "condense_plus_context": ([SAID[0], ALONE, SAID[1]], [1, 3], 2),
}
"""What the model says, how often it was asked after each turn, and how often the embedding was, at the end."""


def engine_of(shelf: Shelf, llm: Any, mode: str) -> Any:
    memory = ChatMemoryBuffer.from_defaults(llm=llm)  # LlamaIndex's other one leaves its databases open
    return shelf.index.as_chat_engine(chat_mode=mode, llm=llm, similarity_top_k=1, memory=memory)


@pytest.mark.parametrize("mode", ENGINES)
async def test_two_turns(stage: Stage, way: Way, shelf: Shelf, mode: str) -> None:
    script, asked, embedded = ENGINES[mode]
    engine = engine_of(shelf, stage.play(script), mode)
    for question, said, count in zip((FIRST, SECOND), SAID, asked, strict=True):
        response = await way(engine, "chat", question)
        assert (str(response), stage.sent) == (said, count)
    _told(stage, shelf, mode, embedded)


@pytest.mark.parametrize("mode", ENGINES)
async def test_two_streamed_turns(stage: Stage, way: Way, shelf: Shelf, mode: str) -> None:
    script, asked, embedded = ENGINES[mode]
    engine = engine_of(shelf, stage.play(script), mode)
    for question, said, count in zip((FIRST, SECOND), SAID, asked, strict=True):
        response = await way(engine, "stream_chat", question)
        tokens = await way.taken(response.async_response_gen() if way.asynchronous else response.response_gen)
        assert len(tokens) > 1
        assert ("".join(tokens), stage.sent) == (said, count)
    _told(stage, shelf, mode, embedded)


def _told(stage: Stage, shelf: Shelf, mode: str, embedded: int) -> None:
    """The first turn is known in the second, in one way or another, and so is what the index found."""
    assert shelf.asked == embedded
    told = "\n".join(stage.prompts[1:])
    assert FIRST in told
    assert SAID[0] in told
    if embedded:
        assert "The weather in Bergen: nine degrees" in stage.prompts[-1]
    if mode == "condense_question":
        assert ALONE in stage.prompts[-1]
