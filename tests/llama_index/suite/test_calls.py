"""Rules: tools, calls and results."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.tools import ToolSelection

from ai_protocol_runtime.types import Request, Text, ToolCall, ToolChoice, ToolResult

from .conftest import Stage, Way
from .material import CALLED, CALLS, QUESTION, SAID, Tools, texts

ASKED = "How warm is it in Oslo, and for how many?"
NO_CALL = "Expected at least one tool call, but got 0 tool calls."

WAYS = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])


async def asked(stage: Stage, way: Way, streaming: bool, said: Any = CALLS, **more: Any) -> tuple[Any, ChatResponse]:
    """The model and its answer, or the last piece of it, to a question with two tools."""
    llm = stage.play([said])
    if streaming:
        return llm, (await way.all(llm, "stream_chat_with_tools", Tools().all, user_msg=ASKED, **more))[-1]
    return llm, await way(llm, "chat_with_tools", Tools().all, user_msg=ASKED, **more)


def choice(request: Request) -> str:
    """What the provider was told of calling tools; nothing said is ``auto``."""
    said = request.tool_choice
    if said is None:
        return "auto"
    return said.name or said.kind if isinstance(said, ToolChoice) else f"no choice at all: {said.value!r}"


def selected(llm: Any, response: ChatResponse) -> list[tuple[str, Any]]:
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    assert all(isinstance(call, ToolSelection) and call.tool_id for call in calls)
    return [(call.tool_name, call.tool_kwargs) for call in calls]


@WAYS
async def test_calls_are_blocks_and_additional_kwargs(stage: Stage, way: Way, streaming: bool) -> None:
    """Agents read the blocks, streamed structured output reads nothing but `additional_kwargs`."""
    llm, response = await asked(stage, way, streaming, [Text(SAID), *CALLS], allow_parallel_tool_calls=True)
    blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    assert [block.tool_name for block in blocks] == ["weather", "people"]
    listed = response.message.additional_kwargs.get("tool_calls")
    assert type(listed) is list
    assert len(listed) == 2
    assert selected(llm, response) == CALLED
    assert stage.sent == 1


async def test_calls_can_be_read_from_every_piece(stage: Stage, way: Way) -> None:
    """Agents do so: a call appears, its arguments grow, and nothing is raised."""
    llm = stage.play([[Text(SAID), *CALLS]])
    more = {"user_msg": ASKED, "allow_parallel_tool_calls": True}
    pieces = await way.all(llm, "stream_chat_with_tools", Tools().all, **more)
    reads = [selected(llm, piece) for piece in pieces]
    counts = [len(read) for read in reads]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert reads[-1] == CALLED
    names = [name for name, _ in CALLED]
    assert all([name for name, _ in read] == names[: len(read)] for read in reads)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"city": "Oslo", "year": 19', {"city": "Oslo"}),
        ('{"city": "Oslo"', {"city": "Oslo"}),
        ('{"city": "Os', {}),
        ("{", {}),
        ("", {}),
        ("no json at all", {}),
        ("[1, 2]", {}),
        ({"city": "Oslo"}, {"city": "Oslo"}),
    ],
    ids=["in a number", "before the end", "in a text", "begun", "nothing", "no JSON", "no object", "an object"],
)
def test_half_a_call_is_read_as_far_as_it_goes(stage: Stage, arguments: Any, read: dict[str, Any]) -> None:
    block = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs=arguments)
    response = ChatResponse(message=ChatMessage(role="assistant", blocks=[block]))
    calls = stage.play([]).get_tool_calls_from_response(response, error_on_no_tool_call=False)
    assert [(call.tool_id, call.tool_name) for call in calls] == [("c1", "weather")]
    assert read.items() <= calls[0].tool_kwargs.items()


async def test_no_call_is_an_error_only_where_one_is_asked_for(stage: Stage, way: Way) -> None:
    llm, response = await asked(stage, way, False, SAID)
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match=NO_CALL):
        llm.get_tool_calls_from_response(response)


@WAYS
async def test_a_required_call_is_demanded(stage: Stage, way: Way, streaming: bool) -> None:
    """Though `tool_choice=None` is said too: that is what LlamaIndex's own programs say."""
    await asked(stage, way, streaming, tool_choice=None, tool_required=True)
    (request,) = stage.requests
    assert [tool.name for tool in request.tools] == ["weather", "people"]
    assert choice(request) == ("auto" if stage.subject.lacks("tool_choice") else "any")


@WAYS
async def test_no_choice_leaves_it_to_the_model(stage: Stage, way: Way, streaming: bool) -> None:
    await asked(stage, way, streaming, tool_choice=None)
    assert choice(*stage.requests) == "auto"


@WAYS
async def test_a_call_of_one_tool_is_demanded(stage: Stage, way: Way, streaming: bool) -> None:
    await asked(stage, way, streaming, CALLS[:1], tool_choice="weather")
    (request,) = stage.requests
    if stage.subject.lacks("tool_choice"):
        assert choice(request) == "auto"
    elif stage.subject.lacks("named"):
        assert choice(request) == "any"
    else:
        assert choice(request) == "weather"


async def test_one_call_comes_unless_several_are_allowed(stage: Stage, way: Way) -> None:
    llm, response = await asked(stage, way, False, allow_parallel_tool_calls=False)
    assert selected(llm, response) == CALLED[:1]
    (request,) = stage.requests
    assert request.parallel_tool_calls is (None if stage.subject.lacks("parallel") else False)


async def test_several_calls_come_where_they_are_allowed(stage: Stage, way: Way) -> None:
    llm, response = await asked(stage, way, False, allow_parallel_tool_calls=True)
    assert selected(llm, response) == CALLED
    assert stage.requests[0].parallel_tool_calls is not False


@WAYS
async def test_history_is_left_as_it_was(stage: Stage, way: Way, streaming: bool) -> None:
    history = [*QUESTION, ChatMessage(role="assistant", content="Mild.")]
    before = deepcopy(history)
    await asked(stage, way, streaming, chat_history=history)
    assert history == before, "the list of the caller was changed"
    said = [texts(message) for message in stage.requests[0].messages]
    assert said == [*(message.content for message in before), ASKED]


async def test_calls_and_results_go_back_once(stage: Stage, way: Way) -> None:
    """As they came, from both places; or written by hand, with arguments as an object."""
    llm = stage.play([CALLS, SAID, SAID])
    came = await way(llm, "chat_with_tools", Tools().all, user_msg=ASKED, allow_parallel_tool_calls=True)
    ids = [call.tool_id for call in llm.get_tool_calls_from_response(came)]
    made = [
        ToolCallBlock(tool_call_id=id, tool_name=name, tool_kwargs=arguments)
        for id, (name, arguments) in zip(ids, CALLED, strict=True)
    ]
    results = [
        ChatMessage(role="tool", content=text, additional_kwargs={"tool_call_id": id})
        for id, text in zip(ids, ["7 degrees", "228000"], strict=True)
    ]
    for message in (came.message, ChatMessage(role="assistant", blocks=made)):
        await way(llm, "chat_with_tools", Tools().all, chat_history=[*QUESTION, message, *results])
        parts = [part for message in stage.requests[-1].messages for part in message.parts]
        calls = [part for part in parts if isinstance(part, ToolCall)]
        assert [call.name for call in calls] == ["weather", "people"]
        told = [part for part in parts if isinstance(part, ToolResult)]
        assert ["".join(getattr(part, "text", "") for part in result.parts) for result in told] == [
            "7 degrees",
            "228000",
        ]
        assert [result.call_id for result in told] == [call.id for call in calls]
    assert stage.sent == 3
