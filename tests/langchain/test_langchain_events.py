"""Our events as LangChain's: a stream by its rules, from which it puts together what `invoke` gives in v1."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.tracers._streaming import _V2StreamingCallbackHandler
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Media,
    Message,
    Part,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    Raw,
    RawEvent,
    Reasoning,
    ResponseStarted,
    ServerToolCall,
    StreamEnd,
    StreamingEvent,
    Text,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)
from ai_protocol_runtime.types.errors import RateLimitedError, StreamInterruptedError

from .answers import CALL, answers, events_of
from .sameness import assembled, comparable, told, whole

WIRES = sorted(manifests().provider("simulator").protocols)
everywhere = pytest.mark.parametrize("wire", WIRES)
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")


def answer(*parts: Part) -> Answer:
    return Answer(candidates=[Candidate(Message("assistant", list(parts)), "stop")], call=CALL)


@given(answers(), st.integers(0, 10**6))
def test_they_are_the_whole(said: Answer, seed: int) -> None:
    events = told(events_of(said, random.Random(seed)))
    assert_valid_event_stream(events)
    message = assembled(events)
    if said.message.citations is None:
        assert comparable(message) == comparable(whole(said, "v1"))
    assert to_messages([message]) == [said.message], "what it cites as a whole, too, if it comes after the text"


def test_what_they_are() -> None:
    call, image = ToolCall("1", "f", '{"a":1}'), Media("image", "AA==")
    search = ServerToolCall("s", "search", '{"q":"x"}')
    said = answer(Text("ab", signature="s"), call, search, image)
    said.usage = Usage(1, 2)
    assert told(
        [
            ResponseStarted("i", "m-1"),
            PartialContentDelta(0, "a"),
            PartialContentDelta(0, "b"),
            PartEnded(0, said.message.parts[0]),
            ToolCallStarted(1, "1", "f"),
            PartStarted(2, ServerToolCall("s", "search")),
            PartialToolCall(1, '{"a"'),
            PartialToolCall(1, ":1}"),
            ToolCallEnded(1, call),
            PartEnded(2, search),
            PartStarted(3, image),
            PartEnded(3, image),
            StreamEnd(said),
        ]
    ) == [
        {
            "event": "message-start",
            "role": "ai",
            "id": "lc_run--1",
            "metadata": {"provider": "acme", "model": "m-1"},
        },
        begun(0, type="text", text="", index=0),
        delta(0, type="text-delta", text="a"),
        delta(0, type="text-delta", text="b"),
        ended(0, type="text", text="ab", extras={"signature": "s"}),
        begun(1, type="tool_call_chunk", id="1", name="f", args="", index=1),
        begun(2, type="server_tool_call", id="s", name="search", args={}, index=2),
        delta(1, type="tool-call-delta", args='{"a"'),
        delta(1, type="tool-call-delta", args=":1}"),
        ended(1, type="tool_call", id="1", name="f", args={"a": 1}),
        ended(2, type="server_tool_call", id="s", name="search", args={"q": "x"}),
        begun(3, type="image", index=3),
        ended(3, type="image", base64="AA=="),
        {
            "event": "message-finish",
            "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
            "metadata": whole(said, "v1").response_metadata,
        },
    ]


def begun(at: int, /, **content: Any) -> dict[str, Any]:
    return {"event": "content-block-start", "index": at, "content": content}


def delta(at: int, /, **said: Any) -> dict[str, Any]:
    return {"event": "content-block-delta", "index": at, "delta": said}


def ended(at: int, /, **content: Any) -> dict[str, Any]:
    return {"event": "content-block-finish", "index": at, "content": content}


GROUPED = {"wire": "w", "group": {"n": 0, "rest": {"status": "done"}}}


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (Raw({"type": "search", "status": "searching"}), Raw({"type": "search", "status": "done"})),
        (Reasoning(encrypted="xx"), Reasoning(encrypted="yy")),
        (Text("t", extra={"wire": "w", "group": {"n": 0}}), Text("t", extra=GROUPED)),
    ],
)
def test_what_may_change_ends_last(early: Part, late: Part) -> None:
    said = answer(late, Text("u"))
    events: list[StreamingEvent] = [PartStarted(0, early)] if isinstance(early, Raw) else []
    events += [PartEnded(0, early), PartialContentDelta(1, "u"), PartEnded(1, Text("u")), StreamEnd(said)]
    made = told(events)
    assert_valid_event_stream(made)
    assert comparable(assembled(made)) == comparable(whole(said, "v1"))


def test_half_a_call_is_none() -> None:
    cut = ToolCall("1", "rm", '{"path": "/home/fo')
    said = answer(cut)
    message = assembled(told(events_of(said, random.Random(1))))
    assert message.tool_calls == []
    assert message.invalid_tool_calls == whole(said, "v1").invalid_tool_calls
    assert to_messages([message])[0].parts == [cut]


def test_what_is_not_part_of_the_answer() -> None:
    said = Answer(candidates=[Candidate(Message("assistant", [Text(text)])) for text in "ab"], call=CALL)
    events = told(
        [RawEvent({"type": "odd"}), PartialContentDelta(0, "a"), PartialContentDelta(0, "b", 1), StreamEnd(said)]
    )
    assert_valid_event_stream(events)
    message = assembled(events)
    assert message.text == "a"
    assert message.response_metadata["raw_events"] == [{"type": "odd"}]


# through the model

SAID: list[Part] = [Reasoning("Hm.", signature="c2ln"), Text("Let me see."), ToolCall("c-1", "f", '{"a":1}')]


class Graph(BaseCallbackHandler, _V2StreamingCallbackHandler):
    """What a graph attaches: `invoke` then goes by these events."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_stream_event(self, event: Any, **_: Any) -> None:
        self.events.append(event)


@everywhere
async def test_every_way_brings_the_same(wire: str) -> None:
    graph = Graph()
    with simulate(f"events-{wire}", lambda request: SAID) as simulated:
        model = ChatAIProtocol(model=f"simulator/{simulated.name}", protocol=wire, output_version="v1")
        stream, later = model.stream_events("hi", version="v3"), await model.astream_events("hi", version="v3")
        assert_valid_event_stream(list(stream))
        messages = [
            stream.output,
            await later.output,
            model.invoke("hi", {"callbacks": [graph]}),
            await model.ainvoke("hi", {"callbacks": [graph]}),
            *[first + others for first, *others in [list(model.stream("hi"))]],
        ]
    said = [comparable(message) for message in messages]
    for about in (one["response_metadata"] for one in said):
        for name in ("id", "request_id", "created", "ai_protocol"):  # the simulator makes them anew
            about.pop(name, None)
    for block in (block for one in said for block in one["content"]):
        block.get("extras", {}).pop("ai_protocol", None)
    assert said == [said[0]] * len(said)
    assert str(stream.text) == "Let me see."
    assert [call["name"] for call in stream.tool_calls.get()] == ["f"]
    assert isinstance(messages[2], AIMessage)
    assert str(messages[0].id).startswith("lc_run--")
    starts = [event for event in graph.events if event["event"] == "message-start"]
    assert [start["id"] for start in starts] == [message.id for message in messages[2:4]]
    assert starts[0]["metadata"] == {"provider": "simulator", "model": simulated.name}


def test_another_model_is_named() -> None:
    first, *_ = ChatAIProtocol(model="simulator/any").stream_events("hi", version="v3", model="other")
    assert first["metadata"] == {"provider": "simulator", "model": "other"}


async def test_errors_are_raised() -> None:
    limited = ChatAIProtocol(model="simulator/error-429", max_retries=0)
    with pytest.raises(RateLimitedError):
        _ = limited.stream_events("hi", version="v3").output
    with pytest.raises(RateLimitedError):
        await (await limited.astream_events("hi", version="v3")).output
    with pytest.raises(RateLimitedError):
        limited.invoke("hi", {"callbacks": [Graph()]})
    with pytest.raises(StreamInterruptedError):
        list(ChatAIProtocol(model="simulator/cut", max_retries=0).stream_events("Tell me a story.", version="v3").text)
