"""`create_agent`: tools, structured output in both manners, and streams of it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel

from ai_protocol_runtime.types import Text, ToolCall, ToolResult

from .conftest import EXPECTED, Stage, Way

pytestmark = EXPECTED


def weather(city: str) -> str:
    """The weather of a city."""
    return f"7 degrees in {city}"


def people(city: str) -> int:
    """How many people live in a city."""
    return 700_000


class Report(BaseModel):
    """What was found out."""

    city: str
    degrees: int


QUESTION = {"messages": [{"role": "user", "content": "How warm is it in Oslo, and for how many?"}]}
CALLS = [ToolCall("c1", "weather", '{"city": "Oslo"}'), ToolCall("c2", "people", '{"city": "Oslo"}')]
SAID = "It is seven degrees there, in the shade of the castle, and falling towards the evening; so take a coat along."
FOUND = '{"city": "Oslo", "degrees": 7}'


def texts(result: ToolResult) -> str:
    return "".join(part.text for part in result.parts if isinstance(part, Text))


async def test_two_tools(stage: Stage, way: Way) -> None:
    agent = create_agent(stage.play([CALLS, "7 degrees, for 700000."]), [weather, people])
    answer = await way.invoke(agent, QUESTION)
    assert answer["messages"][-1].text == "7 degrees, for 700000."
    assert [message.type for message in answer["messages"]] == ["human", "ai", "tool", "tool", "ai"]
    first, second = stage.asked.requests
    assert [tool.name for tool in first.tools] == ["weather", "people"]
    parts = [part for message in second.messages for part in message.parts]
    results = [part for part in parts if isinstance(part, ToolResult)]
    assert [texts(result) for result in results] == ["7 degrees in Oslo", "700000"]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [(call.name, call.id) for call in calls] == [
        (call.name, result.call_id) for call, result in zip(CALLS, results, strict=True)
    ]


async def test_structured_by_a_tool(stage: Stage, way: Way) -> None:
    """The first try is no report: the agent says so, and the model tries again."""
    wrong, right = ToolCall("c3", "Report", '{"city": "Oslo", "degrees": "mild"}'), ToolCall("c4", "Report", FOUND)
    model = stage.play([CALLS[:1], [wrong], [right]])
    answer = await way.invoke(create_agent(model, [weather], response_format=ToolStrategy(Report)), QUESTION)
    assert answer["structured_response"] == Report(city="Oslo", degrees=7)
    assert len(stage.asked.requests) == 3
    if "tool_choice" not in stage.format.lacks:
        assert {request.tool_choice.kind for request in stage.asked.requests if request.tool_choice} == {"any"}


async def test_structured_by_the_provider(stage: Stage, way: Way) -> None:
    model = stage.play([CALLS[:1], FOUND])
    answer = await way.invoke(create_agent(model, [weather], response_format=ProviderStrategy(Report)), QUESTION)
    assert answer["structured_response"] == Report(city="Oslo", degrees=7)
    for request in stage.asked.requests:
        assert request.format
        assert request.format.schema["required"] == ["city", "degrees"]


async def test_structured_by_what_the_profile_says(stage: Stage, way: Way) -> None:
    model = stage.play([FOUND])
    assert model.profile
    assert model.profile["structured_output"]
    answer = await way.invoke(create_agent(model, [], response_format=Report), QUESTION)
    assert answer["structured_response"] == Report(city="Oslo", degrees=7)
    (asked,) = stage.asked.requests
    assert asked.format
    assert asked.format.schema


@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy])
async def test_streams(stage: Stage, way: Way, strategy: type[Any]) -> None:
    """Tokens come when they are written, and make the messages that the updates bring."""
    last: Any = [Text(SAID), ToolCall("c3", "Report", FOUND)] if strategy is ToolStrategy else FOUND
    model = stage.play([[Text(SAID), *CALLS], last], pace=0.002)
    agent = create_agent(model, [weather, people], response_format=strategy(Report))
    tokens: list[tuple[float, AIMessageChunk]] = []
    updates: list[dict[str, Any]] = []

    def see(piece: tuple[str, Any]) -> None:
        mode, value = piece
        if mode == "updates":
            updates.append(value)
        elif isinstance(value[0], AIMessageChunk):
            tokens.append((time.monotonic(), value[0]))

    await way.stream(agent, QUESTION, see, stream_mode=["messages", "updates"])
    told = [message for update in updates for node in update.values() for message in node["messages"]]
    answers = [message for message in told if isinstance(message, AIMessage)]
    assert len(answers) == 2
    for answer in answers:
        came = [(at, chunk) for at, chunk in tokens if chunk.id == answer.id]
        assert "".join(chunk.text for _, chunk in came) == answer.text
        if len(answer.text) > len(FOUND):
            written = [at for at, chunk in came if chunk.text]
            assert len(written) > 5
            assert written[-1] - written[0] > 0.005  # of 0.02 that the server takes for it
    assert answers[0].text == SAID
    assert [call["name"] for call in answers[0].tool_calls] == ["weather", "people"]
    assert updates[-1].popitem()[1]["structured_response"] == Report(city="Oslo", degrees=7)
