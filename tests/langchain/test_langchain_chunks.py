"""Events as LangChain's chunks: their sum is the whole message, and each is one that LangChain would have made."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from ai_protocol_integrations.langchain._blocks import parse_arguments
from ai_protocol_integrations.langchain._chunks import fragment, unreadable_ending
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_integrations.langchain._outputs import V1
from ai_protocol_runtime.types import (
    Answer,
    Call,
    Candidate,
    Citation,
    Media,
    Message,
    Metadata,
    Part,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    Raw,
    RawEvent,
    Reasoning,
    Refusal,
    RefusalDelta,
    ResponseStarted,
    ServerToolCall,
    ServerToolResult,
    StreamEnd,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)

from .sameness import chunks_of, comparable, summed, whole

EXTRA = {"wire": "some-wire", "alt": ["part", "text", 0], "rest": {"odd": [1, None]}}
CALL = Call("acme", "some-wire", "m", request_id="r")
DELTAS: dict[str, Any] = {"text": PartialContentDelta, "reasoning": ThinkingDelta, "refusal": RefusalDelta}


def pieces(text: str, dice: random.Random) -> list[str]:
    cuts = sorted(dice.randint(0, len(text)) for _ in range(3))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a != b]


def events_of(answer: Answer, dice: random.Random) -> list[StreamingEvent]:
    """A stream that says this answer, its texts cut anywhere."""
    events: list[StreamingEvent] = [ResponseStarted(answer.id, answer.model)]
    for index, part in enumerate(answer.message.parts):
        if isinstance(part, ToolCall):
            events.append(ToolCallStarted(index, part.id, part.name))
            events += [PartialToolCall(index, piece) for piece in pieces(part.arguments, dice)]
            events.append(ToolCallEnded(index, part))
            continue
        if isinstance(part, Text | Reasoning | Refusal):
            events += [DELTAS[part.kind](index, piece) for piece in pieces(part.text, dice)]
        else:
            events.append(PartStarted(index, part))
        events.append(PartEnded(index, part))
    if answer.usage is not None:
        events += [Metadata(Usage(1)), Metadata(answer.usage)]
    return [*events, StreamEnd(answer)]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
EXTRAS = st.none() | st.just(EXTRA)
ARGUMENTS = st.sampled_from(
    [
        "",
        "{}",
        '{"a":1}',
        '{ "a": {"b": [1, {"c": "d"}]} }',
        '{"a": "line\nbreak"}',
        '{"a',
        '{"a": "\\',
        "[1]",
        "nonsense",
        "}{",
    ]
)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(
        Text,
        TEXTS,
        st.none() | st.just([Citation("u"), Raw({"x": 1}, EXTRA)]),
        st.none(),
        st.none() | TEXTS,
        extra=EXTRAS,
    ),
    st.builds(Reasoning, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none() | st.just("rs_1"), extra=EXTRAS),
    st.builds(Refusal, TEXTS, extra=EXTRAS),
    st.builds(ToolCall, st.sampled_from([None, "c1", "c2"]), st.sampled_from(["f", "g"]), ARGUMENTS, extra=EXTRAS),
    st.builds(ServerToolCall, st.none() | st.just("s1"), st.just("search"), ARGUMENTS | st.none(), extra=EXTRAS),
    st.builds(
        ServerToolResult,
        st.just("s1"),
        st.just("search"),
        st.just([{"type": "x"}]),
        st.none() | st.booleans(),
        extra=EXTRAS,
    ),
    st.builds(Media, st.just("image"), st.just("AA=="), mime_type=st.just("image/png"), extra=EXTRAS),
    st.builds(Raw, st.sampled_from([{"type": "odd", "id": "i"}, {"odd": {"type": "x"}}, "odd", None]), st.just(EXTRA)),
)


@given(
    st.lists(PARTS, max_size=5),
    st.none() | st.just([Citation("w", extra=EXTRA)]),
    st.sampled_from([None, Usage(5, 6, reasoning=1, raw={"cost": 0.25})]),
    st.integers(0, 10**6),
)
def test_the_sum_is_the_whole(parts: list[Part], citations: Any, usage: Usage | None, seed: int) -> None:
    message = Message("assistant", parts, None, citations, {"wire": "some-wire", "rest": {"deep": [1.5]}})
    candidate = Candidate(message, "stop", "END", logprobs={"content": [1.5]}, extra={"wire": "w", "rest": {"x": 1}})
    answer = Answer("i", "m-1", 1.5, [candidate], usage, extra={"wire": "w", "rest": {"y": True}}, call=CALL)
    chunks = chunks_of(events_of(answer, random.Random(seed)))
    at_once = summed(chunks)
    step_by_step = chunks[0].message
    for chunk in chunks[1:]:
        step_by_step = step_by_step + chunk.message
    assert comparable(at_once) == comparable(whole(answer))
    assert comparable(step_by_step) == comparable(at_once)  # type: ignore[arg-type]
    assert at_once.text == answer.text
    assert [chunk.message.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]  # type: ignore[attr-defined]
    assert all(chunk.message.response_metadata["output_version"] == "v1" for chunk in chunks)
    for seen in (at_once, message_chunk_to_message(at_once), whole(answer)):
        assert to_messages([seen]) == [message], "as history it is what it was"


@given(st.text(alphabet='{}[]",:\\ \nab1', max_size=20))
def test_a_fragment_is_what_langchain_makes_of_it(text: str) -> None:
    block = {"type": "tool_call_chunk", "id": None, "name": None, "args": text, "index": 3}
    ours = fragment(block)
    theirs = AIMessageChunk(
        content=[block],
        tool_call_chunks=[tool_call_chunk(name=None, args=text, id=None, index=3)],
        response_metadata=V1,
    )
    assert ours == theirs
    assert ours.model_dump() == theirs.model_dump()


@given(st.text(alphabet='{}[]",:\\ \nab1', max_size=20))
def test_what_is_no_object_cannot_be_repaired(text: str) -> None:
    args, error = parse_arguments(text)
    assert (args is None) == (error is not None)
    if error is not None:
        with contextlib.suppress(ValueError):
            assert not isinstance(parse_partial_json(text + unreadable_ending(text)), dict)


def test_half_a_call_is_not_run() -> None:
    """LangChain alone would close the string and the object, and call ``rm`` with half a path."""
    cut = ToolCall("1", "rm", '{"path": "/home/fo')
    answer = Answer(candidates=[Candidate(Message("assistant", [cut]), "length")])
    message = summed(chunks_of(events_of(answer, random.Random(1))))
    for seen in (message, message_chunk_to_message(message), whole(answer)):
        assert isinstance(seen, AIMessage)
        assert seen.tool_calls == []
        assert [call["name"] for call in seen.invalid_tool_calls] == ["rm"]
        assert to_messages([seen])[0].parts == [cut]


def test_blocks_have_one_rising_index() -> None:
    parts: list[Part] = [Reasoning("r"), Text("t"), ToolCall("1", "f", '{"a":1}'), ToolCall("2", "g", "{}"), Text("u")]
    answer = Answer(candidates=[Candidate(Message("assistant", parts))])
    chunks = chunks_of(events_of(answer, random.Random(2)))
    seen = [block["index"] for chunk in chunks for block in chunk.message.content_blocks]  # type: ignore[typeddict-item]
    assert sorted(set(seen)) == [0, 1, 2, 3, 4]
    calls = [call["index"] for chunk in chunks for call in chunk.message.tool_call_chunks]  # type: ignore[attr-defined]
    assert set(calls) == {2, 3}
    assert [block["type"] for block in summed(chunks).content_blocks] == [
        "reasoning",
        "text",
        "tool_call",
        "tool_call",
        "text",
    ]


def test_a_part_that_no_shape_knows_is_announced() -> None:
    early, late = Raw({"type": "search", "status": "searching"}), Raw({"type": "search", "status": "done"}, EXTRA)
    answer = Answer(candidates=[Candidate(Message("assistant", [late, Text("t")]))])
    events = [
        PartStarted(0, early),
        PartEnded(0, early),
        PartialContentDelta(1, "t"),
        PartEnded(1, answer.message.parts[1]),
        StreamEnd(answer),
    ]
    chunks = chunks_of(events)
    assert chunks[0].message.content_blocks == [{"type": "non_standard", "value": {"type": "search"}, "index": 0}]
    assert comparable(summed(chunks)) == comparable(whole(answer))


def test_a_name_or_id_that_comes_late() -> None:
    call = ToolCall("1", "f", '{"a":1}')
    answer = Answer(candidates=[Candidate(Message("assistant", [call]))])
    events = [ToolCallStarted(0, None, ""), PartialToolCall(0, '{"a":1}'), ToolCallEnded(0, call), StreamEnd(answer)]
    message = summed(chunks_of(events))
    assert [(c["name"], c["args"]) for c in message.tool_calls] == [("f", {"a": 1})]
    assert to_messages([message])[0].parts == [call]


def test_what_is_not_part_of_the_answer() -> None:
    """An event that no shape knows is kept; of several candidates only the first is streamed."""
    answer = Answer(
        candidates=[Candidate(Message("assistant", [Text("a")])), Candidate(Message("assistant", [Text("b")]))]
    )
    events = [
        RawEvent({"type": "odd"}),
        PartialContentDelta(0, "a"),
        PartialContentDelta(0, "b", 1),
        StreamEnd(answer),
    ]
    message = summed(chunks_of(events))
    assert message.text == "a"
    assert message.response_metadata["raw_events"] == [{"type": "odd"}]


def test_a_silent_stream_is_one_chunk() -> None:
    (chunk,) = chunks_of([ResponseStarted(), StreamEnd(Answer(blocked="SAFETY"))])
    assert chunk.message.content == []
    assert comparable(chunk.message) == comparable(whole(Answer(blocked="SAFETY")))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "{}", ' {"a": 1}\n', '{"a": "\n"}'])
def test_arguments(text: str) -> None:
    assert parse_arguments(text)[1] is None


EVENTS = [
    PartialContentDelta(0, "a"),
    ThinkingDelta(1, "b"),
    RefusalDelta(2, "c"),
    ToolCallStarted(3, "id", "f"),
    PartialToolCall(3, "{"),
    PartialToolCall(3, "x"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_a_chunk_is_as_if_validated(event: StreamingEvent) -> None:
    """The usual chunks are copies; they are what the constructors make, and share nothing with each other."""
    (one,), (two,) = chunks_of([event]), chunks_of([event])
    fields = {name: getattr(one.message, name) for name in one.message.model_fields_set}
    fields = {name: fields[name] for name in ("content", "response_metadata", "tool_call_chunks") if name in fields}
    made = ChatGenerationChunk(message=AIMessageChunk(**fields))
    assert one == made
    assert one.model_dump() == made.model_dump()
    assert one.message.model_fields_set == made.message.model_fields_set
    assert one.model_fields_set == made.model_fields_set
    for name, value in vars(one.message).items():
        assert not isinstance(value, dict | list) or value is not getattr(two.message, name), name
