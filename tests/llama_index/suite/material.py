"""What the scripts say, and the tools and types that the tests offer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ThinkingBlock
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    ToolCall,
    Usage,
)

from .factories import Subject

QUESTION = [ChatMessage(role="user", content="How warm is it in Oslo?")]
SAID = "It is seven degrees there, in the shade of the castle, and falling towards the evening; so take a coat along."
TEXTS = [
    "The weather in Oslo: seven degrees, and clear.",
    "The weather in Bergen: nine degrees, and rain.",
    "The library of the university lends no books in July.",
]
"""What stands on the shelf."""
THOUGHT = "Oslo lies by the sea, so it is mild; but it is late in the year."
MARK = "c2lnbmVkIGluIGZ1bGw="
CALLS = [ToolCall("c1", "weather", '{"city": "Oslo"}'), ToolCall("c2", "people", '{"city": "Oslo", "year": 1900}')]
CALLED = [("weather", {"city": "Oslo"}), ("people", {"city": "Oslo", "year": 1900})]
"""What `CALLS` are when they are read."""


def thought(subject: Subject) -> Reasoning:
    """A signed thought: in one of the formats it is not signed but encrypted."""
    if subject.format.protocol == "openai-responses":
        return Reasoning(THOUGHT, id="rs_7", encrypted=MARK)
    return Reasoning(THOUGHT, signature=MARK)


def answer(*parts: Part, usage: Usage | None = None) -> Answer:
    return Answer(candidates=[Candidate(Message("assistant", list(parts)))], usage=usage)


COUNTED = answer(Text(SAID), usage=Usage(input=11, output=5))
"""An answer of which the provider says what it took."""


def texts(message: Message) -> str:
    """The texts of a message as the provider read it."""
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))


def given(value: dict[str, Any]) -> Callable[[Request], Part]:
    """Structured output, in the manner in which it is asked for: as the call of the one tool, or as JSON text."""

    def said(request: Request) -> Part:
        text = json.dumps(value)
        return ToolCall("c1", request.tools[0].name, text) if request.tools else Text(text)

    return said


def seen(llm: FunctionCallingLLM, response: ChatResponse) -> dict[str, Any]:
    """What a response says, wherever it does."""
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    thoughts = [block for block in response.message.blocks if isinstance(block, ThinkingBlock)]
    counts = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {
        "role": response.message.role,
        "text": response.message.content,
        "calls": [(call.tool_name, call.tool_kwargs) for call in calls],
        "thoughts": [(block.content, block.additional_information) for block in thoughts],
        "usage": [response.additional_kwargs.get(count) for count in counts],
    }


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two things that were seen are not the same."""
    return [key for key in one if one[key] != other[key]]


class Tools:
    """Two tools, which note their calls."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, Any]] = []

    def weather(self, city: str) -> str:
        """The weather of a city."""
        self.ran.append(("weather", {"city": city}))
        return f"7 degrees in {city}"

    def people(self, city: str, year: int = 2025) -> str:
        """How many people lived in a city."""
        self.ran.append(("people", {"city": city, "year": year}))
        return f"228000 in {city} in {year}"

    @property
    def all(self) -> list[FunctionTool]:
        return [FunctionTool.from_defaults(self.weather), FunctionTool.from_defaults(self.people)]


class Place(BaseModel):
    """A place."""

    name: str
    people: int


class Report(BaseModel):
    """What was found out."""

    title: str
    degrees: float
    capital: Place
    places: list[Place]


FOUND = {
    "title": "Norway in the autumn",
    "degrees": 7.5,
    "capital": {"name": "Oslo", "people": 700000},
    "places": [{"name": "Bergen", "people": 290000}, {"name": "Røros, in the hills", "people": 5600}],
}
