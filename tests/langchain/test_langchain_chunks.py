"""Events as LangChain's chunks: their sum is the whole message, and each is one that LangChain would have made."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from ai_protocol_integrations._blocks import parse_arguments
from ai_protocol_integrations.langchain._chunks import in_block, in_text, unreadable_ending
from ai_protocol_integrations.langchain._inputs import to_messages
from ai_protocol_integrations.langchain._versions import V1, Version
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Citation,
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
    Refusal,
    RefusalDelta,
    ResponseStarted,
    StreamEnd,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
)

from .answers import CALL, EXTRA, answers, events_of
from .sameness import VERSIONS, chunks_of, comparable, plain, summed, unnumbered, whole

both = pytest.mark.parametrize("version", VERSIONS)


@both
@given(answers(), st.integers(0, 10**6))
def test_the_sum_is_the_whole(version: Version, answer: Answer, seed: int) -> None:
    chunks = chunks_of(events_of(answer, random.Random(seed)), version)
    at_once = summed(chunks)
    step_by_step = chunks[0].message
    for chunk in chunks[1:]:
        step_by_step = step_by_step + chunk.message
    expected = whole(answer, version)
    assert comparable(at_once) == comparable(expected)
    assert comparable(step_by_step) == comparable(at_once)  # type: ignore[arg-type]
    assert at_once.text == answer.text
    assert [chunk.message.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]  # type: ignore[attr-defined]
    for seen in (at_once, message_chunk_to_message(at_once), expected):
        assert isinstance(seen, AIMessage)
        assert plain(unnumbered(seen.content_blocks)) == plain(unnumbered(whole(answer, "v1").content))
        assert to_messages([seen]) == [answer.message], "as history it is what it was"


@both
@given(st.text(alphabet='{}[]",:\\ \nab1', max_size=20))
def test_a_fragment_is_what_langchain_makes_of_it(version: Version, text: str) -> None:
    block = {"type": "tool_call_chunk", "id": None, "name": None, "args": text, "index": 3}
    ours = in_block(block) if version == "v1" else in_text(block)
    assert ours is not None
    theirs = AIMessageChunk(
        content=[block] if version == "v1" else "",
        additional_kwargs={},
        tool_call_chunks=[tool_call_chunk(name=None, args=text, id=None, index=3)],
        response_metadata=V1 if version == "v1" else {},
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


@both
def test_half_a_call_is_not_run(version: Version) -> None:
    """LangChain alone would close the string and the object, and call ``rm`` with half a path."""
    cut = ToolCall("1", "rm", '{"path": "/home/fo')
    answer = Answer(candidates=[Candidate(Message("assistant", [cut]), "length")])
    message = summed(chunks_of(events_of(answer, random.Random(1)), version))
    for seen in (message, message_chunk_to_message(message), whole(answer, version)):
        assert isinstance(seen, AIMessage)
        assert seen.tool_calls == []
        assert [call["name"] for call in seen.invalid_tool_calls] == ["rm"]
        assert to_messages([seen])[0].parts == [cut]


def test_blocks_have_one_rising_index() -> None:
    parts: list[Part] = [Reasoning("r"), Text("t"), ToolCall("1", "f", '{"a":1}'), ToolCall("2", "g", "{}"), Text("u")]
    answer = Answer(candidates=[Candidate(Message("assistant", parts))])
    chunks = chunks_of(events_of(answer, random.Random(2)), "v1")
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
    chunks = chunks_of(events, "v1")
    assert chunks[0].message.content_blocks == [{"type": "non_standard", "value": {"type": "search"}, "index": 0}]
    assert comparable(summed(chunks)) == comparable(whole(answer, "v1"))


@both
def test_a_name_or_id_that_comes_late(version: Version) -> None:
    call = ToolCall("1", "f", '{"a":1}')
    answer = Answer(candidates=[Candidate(Message("assistant", [call]))])
    events = [ToolCallStarted(0, None, ""), PartialToolCall(0, '{"a":1}'), ToolCallEnded(0, call), StreamEnd(answer)]
    message = summed(chunks_of(events, version))
    assert [(c["name"], c["args"]) for c in message.tool_calls] == [("f", {"a": 1})]
    assert to_messages([message])[0].parts == [call]


@both
def test_what_is_not_part_of_the_answer(version: Version) -> None:
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
    message = summed(chunks_of(events, version))
    assert message.text == "a"
    assert message.response_metadata["raw_events"] == [{"type": "odd"}]


@both
def test_a_silent_stream_is_one_chunk(version: Version) -> None:
    said = Answer(blocked="SAFETY")
    (chunk,) = chunks_of([ResponseStarted(), StreamEnd(said)], version)
    assert not chunk.message.content
    assert comparable(chunk.message) == comparable(whole(said, version))  # type: ignore[arg-type]


def test_chunks_of_text_say_what_they_are() -> None:
    """Every chunk in v0 has the blocks that are new in it, the last one with what was left to say."""
    parts: list[Part] = [
        Reasoning("r", signature="s"),
        Text("t", citations=[Citation("u")]),
        Refusal("n"),
        ToolCall("1", "f", '{"a":1}'),
        ToolCall("2", "g", '{"a": 1'),
        Media("image", "AA=="),
    ]
    answer = Answer(candidates=[Candidate(Message("assistant", parts))], call=CALL)
    said = [chunk.message for chunk in chunks_of(events_of(answer, random.Random(3)), "v0")]
    assert [(m.content, m.additional_kwargs) for m in said[:3]] == [
        ("", {"reasoning_content": "r"}),
        ("t", {}),
        ("", {"refusal": "n"}),
    ]
    blocks = [dict(block) for m in said[:-1] for block in m.content_blocks]
    assert blocks[:2] == [{"type": "reasoning", "reasoning": "r"}, {"type": "text", "text": "t"}]
    assert {(block["type"], block["index"]) for block in blocks[2:]} == {("tool_call_chunk", 3), ("tool_call_chunk", 4)}
    assert said[-1].content_blocks == [
        {"type": "reasoning", "reasoning": "", "extras": {"signature": "s"}, "index": 0},
        {"type": "text", "text": "", "annotations": [{"type": "citation", "url": "u"}], "index": 1},
        {"type": "non_standard", "value": {"type": "refusal", "refusal": ""}, "index": 2},
        {"type": "tool_call_chunk", "id": "1", "name": None, "args": "", "index": 3},
        {"type": "tool_call_chunk", "id": "2", "name": None, "args": "]", "index": 4},
        {"type": "image", "base64": "AA==", "index": 5},
    ]


@pytest.mark.parametrize("text", ["", "{}", ' {"a": 1}\n', '{"a": "\n"}'])
def test_arguments(text: str) -> None:
    assert parse_arguments(text)[1] is None


_SAID = ("content", "additional_kwargs", "response_metadata", "tool_call_chunks")
EVENTS = [
    PartialContentDelta(0, "a"),
    ThinkingDelta(1, "b"),
    RefusalDelta(2, "c"),
    ToolCallStarted(3, "id", "f"),
    PartialToolCall(3, "{"),
    PartialToolCall(3, "x"),
]


@both
@pytest.mark.parametrize("event", EVENTS)
def test_a_chunk_is_as_if_validated(event: StreamingEvent, version: Version) -> None:
    """The usual chunks are copies; they are what the constructors make, and share nothing with each other."""
    (one,), (two,) = chunks_of([event], version), chunks_of([event], version)
    fields = {name: getattr(one.message, name) for name in one.message.model_fields_set}
    fields = {name: fields[name] for name in _SAID if name in fields}
    made = ChatGenerationChunk(message=AIMessageChunk(**fields))
    assert one == made
    assert one.model_dump() == made.model_dump()
    assert one.message.model_fields_set == made.message.model_fields_set
    assert one.model_fields_set == made.model_fields_set
    for name, value in vars(one.message).items():
        assert not isinstance(value, dict | list) or value is not getattr(two.message, name), name
