"""Agents: tools, thoughts, hand-over and structured answers, streaming and not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer

from ai_protocol_runtime.types import Part, Reasoning, Text, ToolCall, ToolChoice, ToolResult

from .conftest import Stage
from .factories import KEY
from .material import CALLED, CALLS, FOUND, MARK, SAID, THOUGHT, Report, Tools, given, thought

QUESTION = "How warm is it in Oslo, and for how many?"
RESULTS = ["7 degrees in Oslo", "228000 in Oslo in 1900"]

STREAMING = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])


async def run(agent: Any, question: str = QUESTION, **more: Any) -> tuple[str, list[AgentStream]]:
    """What the agent answers, and the pieces of it."""
    handler = agent.run(user_msg=question, **more)
    pieces = [event async for event in handler.stream_events() if isinstance(event, AgentStream)]
    return str(await handler), pieces


def parts(stage: Stage) -> list[Part]:
    """All that the model was told at last."""
    return [part for message in stage.requests[-1].messages for part in message.parts]


def results(stage: Stage) -> list[str]:
    """What the tools gave, as the model was told at last; each after the call that it belongs to."""
    told = [part for part in parts(stage) if isinstance(part, ToolResult)]
    assert [result.call_id for result in told] == [part.id for part in parts(stage) if isinstance(part, ToolCall)]
    return ["".join(part.text for part in result.parts if isinstance(part, Text)) for result in told]


@STREAMING
async def test_two_tools_one_after_the_other(stage: Stage, streaming: bool) -> None:
    tools = Tools()
    llm = stage.play([[Text("I shall see."), CALLS[0]], CALLS[1:], SAID])
    said, pieces = await run(FunctionAgent(tools=tools.all, llm=llm, streaming=streaming))
    assert said == SAID
    assert tools.ran == CALLED
    assert results(stage) == RESULTS
    assert "".join(piece.delta for piece in pieces) == ("I shall see." + SAID if streaming else "")
    assert [tool.name for tool in stage.requests[0].tools] == ["weather", "people"]
    assert stage.sent == 3


@STREAMING
async def test_two_tools_at_once(stage: Stage, streaming: bool) -> None:
    tools = Tools()
    said, pieces = await run(FunctionAgent(tools=tools.all, llm=stage.play([CALLS, SAID]), streaming=streaming))
    assert said == SAID
    assert sorted(tools.ran, key=str) == sorted(CALLED, key=str)
    assert sorted(results(stage)) == sorted(RESULTS)
    calls = [[(call.tool_name, call.tool_kwargs) for call in piece.tool_calls] for piece in pieces]
    assert (CALLED in calls) == streaming
    assert stage.sent == 2


async def test_half_a_call_is_not_made(stage: Stage) -> None:
    """Though the tool would do without its argument. Whether the run ends with that depends on the class."""
    ran: list[int] = []

    def delete(only: int = 0) -> str:
        """Delete what is old."""
        ran.append(only)
        return "deleted"

    llm = stage.play([[ToolCall("c1", "delete", '{"only": 12')], SAID])
    with suppress(Exception):
        await run(FunctionAgent(tools=[delete], llm=llm))
    assert ran == ([0] if stage.subject.lacks("half calls") else []), f"the tool was run, with {ran}"
    assert stage.sent > 0


@STREAMING
async def test_a_tool_to_begin_with(stage: Stage, streaming: bool) -> None:
    llm = stage.play([CALLS[:1], SAID])
    agent = FunctionAgent(tools=Tools().all, llm=llm, streaming=streaming, initial_tool_choice="weather")
    assert (await run(agent))[0] == SAID
    first, second = stage.requests
    assert second.tool_choice is None or second.tool_choice.kind == "auto"
    if stage.subject.lacks("tool_choice"):
        assert first.tool_choice is None
    else:
        forced = ToolChoice("any") if stage.subject.lacks("named") else ToolChoice("named", "weather")
        assert replace(first.tool_choice, extra=None) == forced


async def test_thoughts_are_streamed(stage: Stage) -> None:
    """With every piece, apart from what is said; and each piece can be written down."""
    llm = stage.play([[thought(stage.subject), CALLS[0]], [Text(SAID)]])
    said, pieces = await run(FunctionAgent(tools=Tools().all, llm=llm))
    assert said == SAID
    assert "".join(piece.thinking_delta or "" for piece in pieces) == THOUGHT
    assert "".join(piece.delta for piece in pieces) == SAID
    assert all(piece.model_dump_json() for piece in pieces)
    assert stage.sent == 2


@STREAMING
async def test_thoughts_go_back_as_they_came(stage: Stage, streaming: bool) -> None:
    """Signed, and before the call; where a wire format has no place for that, the call goes back by itself."""
    llm = stage.play([[thought(stage.subject), CALLS[0]], SAID])
    assert (await run(FunctionAgent(tools=Tools().all, llm=llm, streaming=streaming)))[0] == SAID
    said = [part for part in parts(stage) if isinstance(part, Reasoning | ToolCall)]
    if stage.subject.lacks("thoughts back"):
        assert [type(part) for part in said] == [ToolCall]
        return
    sent, call = said
    assert isinstance(sent, Reasoning)
    assert sent.text == THOUGHT
    assert (sent.signature or sent.encrypted) == (None if stage.subject.lacks("signature") else MARK)
    assert isinstance(call, ToolCall)
    assert stage.sent == 2


@STREAMING
async def test_a_conversation(stage: Stage, streaming: bool) -> None:
    """The second run knows what was said, called and found in the first."""
    llm = stage.play([CALLS[:1], SAID, "As I said."])
    agent = FunctionAgent(tools=Tools().all, llm=llm, streaming=streaming)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    assert (await run(agent, memory=memory))[0] == SAID
    assert (await run(agent, "Are you sure?", memory=memory))[0] == "As I said."
    assert results(stage) == RESULTS[:1]
    assert [text in stage.prompts[-1] for text in (QUESTION, SAID, "Are you sure?")] == [True] * 3
    assert stage.sent == 3


async def test_a_conversation_that_was_kept(stage: Stage) -> None:
    """As JSON, between two runs: what was said, called, found and thought is known in the second."""
    llm = stage.play([[thought(stage.subject), CALLS[0]], SAID, "As I said."])
    agent = FunctionAgent(tools=Tools().all, llm=llm)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    assert (await run(agent, memory=memory))[0] == SAID
    kept = [message.model_dump_json() for message in memory.get_all()]
    assert KEY not in "".join(kept)
    again = ChatMemoryBuffer.from_defaults([ChatMessage.model_validate_json(message) for message in kept])
    assert (await run(agent, "Are you sure?", memory=again))[0] == "As I said."
    assert results(stage) == RESULTS[:1]
    assert [text in stage.prompts[-1] for text in (QUESTION, SAID, "Are you sure?")] == [True] * 3
    sent = [(part.text, part.signature or part.encrypted) for part in parts(stage) if isinstance(part, Reasoning)]
    mark = None if stage.subject.lacks("signature") else MARK
    assert sent == ([] if stage.subject.lacks("thoughts back") else [(THOUGHT, mark)])
    assert stage.sent == 3


@STREAMING
async def test_an_agent_hands_over_to_another(stage: Stage, streaming: bool) -> None:
    tools = Tools()
    over = ToolCall("c0", "handoff", '{"to_agent": "counter", "reason": "It is about people."}')
    llm = stage.play([[over], CALLS[1:], SAID])
    weather, people = tools.all
    porter = FunctionAgent(
        name="porter",
        description="Says who knows.",
        tools=[weather],
        llm=llm,
        streaming=streaming,
        can_handoff_to=["counter"],
    )
    counter = FunctionAgent(name="counter", description="Counts people.", tools=[people], llm=llm, streaming=streaming)
    workflow = AgentWorkflow(agents=[porter, counter], root_agent="porter")
    assert (await run(workflow))[0] == SAID
    assert tools.ran == CALLED[1:]
    assert [[tool.name for tool in request.tools] for request in stage.requests] == [
        ["weather", "handoff"],
        ["people", "handoff"],
        ["people", "handoff"],
    ]
    assert stage.sent == 3


@STREAMING
async def test_react(stage: Stage, streaming: bool) -> None:
    """The call is in the text, which has to be whole with every piece."""
    tools = Tools()
    call = 'Thought: I need a tool.\nAction: weather\nAction Input: {"city": "Oslo"}'
    llm = stage.play([call, f"Thought: I can answer.\nAnswer: {SAID}"])
    said, pieces = await run(ReActAgent(tools=tools.all, llm=llm, streaming=streaming))
    assert said == SAID
    assert tools.ran == CALLED[:1]
    assert (call in [piece.response for piece in pieces]) == streaming
    assert f"Observation: {RESULTS[0]}" in stage.prompts[-1]
    assert stage.sent == 2


@STREAMING
async def test_a_structured_answer(stage: Stage, streaming: bool) -> None:
    llm = stage.play([CALLS[:1], SAID, given(FOUND)])
    agent = FunctionAgent(tools=Tools().all, llm=llm, streaming=streaming, output_cls=Report)
    output = await agent.run(user_msg=QUESTION)
    assert str(output) == SAID
    assert output.get_pydantic_model(Report) == Report(**FOUND)
    assert SAID in stage.prompts[-1]
    assert stage.sent == 3
