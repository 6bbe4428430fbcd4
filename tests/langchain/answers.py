"""Answers of every sort, and the streams that say them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

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
        extra=st.just(EXTRA),
    ),
    st.builds(Text, TEXTS),
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


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    parts = draw(st.lists(PARTS, max_size=5))
    citations = draw(st.none() | st.just([Citation("w", extra=EXTRA)]))
    message = Message("assistant", parts, None, citations, {"wire": "some-wire", "rest": {"deep": [1.5]}})
    candidate = Candidate(message, "stop", "END", logprobs={"content": [1.5]}, extra={"wire": "w", "rest": {"x": 1}})
    usage = draw(st.sampled_from([None, Usage(5, 6, reasoning=1, raw={"cost": 0.25})]))
    return Answer("i", "m-1", 1.5, [candidate], usage, extra={"wire": "w", "rest": {"y": True}}, call=CALL)
