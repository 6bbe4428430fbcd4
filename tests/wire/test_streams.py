"""Streams, in every packaged format: written, framed, cut anywhere, read; by generated source and by closures alone."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_protocol_runtime.simulator.events import events_of
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Message,
    Reasoning,
    StreamEnd,
    StreamingEvent,
    Text,
    ToolCall,
    ToolCallEnded,
    Usage,
)
from ai_protocol_runtime.types.errors import MalformedResponseError, StreamInterruptedError
from ai_protocol_runtime.wire import WireFormat, jsontext
from ai_protocol_runtime.wire.framing import frame_encoder

from .formats import NAMES, PACKAGED

names = st.text("abcdefghij_", min_size=1, max_size=8)
texts = st.text(min_size=1, max_size=30)
objects = st.dictionaries(names, st.integers() | texts | st.lists(texts, max_size=2), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    parts: list[Any] = []
    if draw(st.booleans()):
        parts.append(Reasoning(draw(texts)))
    if draw(st.booleans()):
        parts.append(Text(draw(texts)))
    count = draw(st.integers(0, 3))
    parts += [ToolCall(f"id_{number}", draw(names), json.dumps(draw(objects))) for number in range(count)]
    if not parts:
        parts.append(Text(draw(texts)))
    calls = any(isinstance(p, ToolCall) for p in parts)
    reason = "tool_calls" if calls else draw(st.sampled_from(["stop", "length"]))
    return Answer("id", "model", candidates=[Candidate(Message("assistant", parts), reason)], usage=Usage(7, 5))


def body_of(fmt: WireFormat, answer: Answer, pieces: int | None = None) -> bytes:
    """The bytes of a stream of this answer."""
    encoder, frames = fmt.stream_encoder(), frame_encoder(fmt.framings[0])
    body = b""
    for event in events_of(answer, pieces):
        for name, value in encoder.feed(event):
            body += frames.encode(name, jsontext.dumps(value))
    return body + (frames.encode(None, encoder.closing) if encoder.closing else b"") + frames.end()


def essence(answer: Answer) -> Any:
    parts = []
    for part in answer.message.parts:
        if isinstance(part, ToolCall):
            parts.append(("tool_call", part.name, json.loads(part.arguments or "{}")))
        else:
            parts.append((part.kind, part.text))  # type: ignore[union-attr]
    usage = answer.usage
    return parts, answer.finish_reason, usage and (usage.input, usage.output)


def read(fmt: WireFormat, pieces: list[bytes], generated: bool = True) -> list[StreamingEvent]:
    reader = fmt.stream_reader(generated=generated)
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


def cuts(body: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, *(p % (len(body) + 1) for p in places), len(body)})
    return [body[a:b] for a, b in pairwise(at)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(answer=answers(), places=st.lists(st.integers(0, 10**6), max_size=12), size=st.integers(1, 9))
def test_any_cut_of_any_stream_is_the_same_answer(name: str, answer: Answer, places: list[int], size: int) -> None:
    fmt = PACKAGED[name]
    body = body_of(fmt, answer, size)
    whole = read(fmt, [body])
    end = whole[-1]
    assert isinstance(end, StreamEnd)
    assert essence(end.answer) == essence(answer)
    assert read(fmt, cuts(body, places)) == whole
    assert read(fmt, [body], generated=False) == whole


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(answer=answers())
def test_streamed_is_whole(name: str, answer: Answer) -> None:
    fmt = PACKAGED[name]
    whole = fmt.decode_answer(json.loads(json.dumps(fmt.encode_answer(answer))))
    streamed = read(fmt, [body_of(fmt, answer)])[-1]
    assert isinstance(streamed, StreamEnd)
    assert essence(streamed.answer) == essence(whole) == essence(answer)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(answer=answers(), data=st.data())
def test_a_stream_cut_short_is_never_an_answer(name: str, answer: Answer, data: st.DataObject) -> None:
    fmt = PACKAGED[name]
    body = body_of(fmt, answer, 3)
    reader = fmt.stream_reader()
    end = data.draw(st.integers(1, len(body) - 1))
    events = reader.feed(body[:end])
    try:
        events += reader.close()
    except StreamInterruptedError as interrupted:
        partial = interrupted.partial
        assert isinstance(partial, Answer)
        calls = [p for p in partial.message.parts if isinstance(p, ToolCall)]
        assert not any(isinstance(e, StreamEnd) for e in events)
        whole = [(p.name, json.loads(p.arguments)) for p in answer.message.parts if isinstance(p, ToolCall)]
        assert all((call.name, json.loads(call.arguments)) in whole for call in calls)
        ended = [e.part for e in events if isinstance(e, ToolCallEnded)]
        assert ended == calls[: len(ended)]  # one more may have ended with the last line, whose end did not come
        assert len(calls) <= len(ended) + 1
    except MalformedResponseError:
        assert not events  # so little came that nobody can tell what it was to be
    else:
        assert essence(events[-1].answer)[0] == essence(answer)[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502</body></html>",
        b'{"id": "whole"}',
        b"data: {\n\n",
        b"data: [1]\n\n",
        b'data: {"x": 1}\n\n',
    ],
    ids=["empty", "html", "whole", "broken", "list", "strange"],
)
def test_what_is_no_stream_is_an_error_of_the_tree(name: str, body: bytes) -> None:
    with pytest.raises((MalformedResponseError, StreamInterruptedError)):
        read(PACKAGED[name], [body])


def _words(value: Any) -> set[str]:
    """Every key and word of a format's shapes."""
    if isinstance(value, dict):
        keys = {name for key in value for name in str(key).removesuffix("~").split("|")}
        return keys.union(*(_words(v) for v in value.values()))
    if isinstance(value, list):
        return set().union(*(_words(v) for v in value))
    return {value} if isinstance(value, str) and len(value) < 40 else set()


def _hostile(name: str) -> st.SearchStrategy[Any]:
    """JSON made of the format's own words in the wrong places."""
    fmt = PACKAGED[name]
    words = st.sampled_from(sorted(_words({k: v for k, v in fmt.data.items() if k != "docs"})))
    scalars = st.none() | st.booleans() | st.integers(-1, 3) | words
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5), max_leaves=15
    )
    if not fmt.events:
        return values
    event = st.tuples(st.sampled_from(sorted(fmt.events)), st.dictionaries(words, values, max_size=5))
    return values | event.map(lambda e: {fmt.stream["dispatch"]: e[0], **e[1]})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(data=st.data())
def test_hostile_events_raise_nothing_and_both_readers_agree(name: str, data: st.DataObject) -> None:
    fmt = PACKAGED[name]
    fast, slow = fmt.stream_decoder(), fmt.stream_decoder(generated=False)
    for value in data.draw(st.lists(_hostile(name), max_size=4)):
        assert fast.feed(json.loads(json.dumps(value))) == slow.feed(json.loads(json.dumps(value)))
    assert fast.partial == slow.partial


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(data=st.data())
def test_a_hostile_body_is_read_or_refused(name: str, data: st.DataObject) -> None:
    fmt = PACKAGED[name]
    value = data.draw(_hostile(name))
    for read_body in (fmt.decode_answer, fmt.decode_request):
        try:
            read_body(value)
        except MalformedResponseError:
            continue


def test_a_broken_event_is_told_from_a_body_that_ends_in_one() -> None:
    """The one is malformed, the other cut: only of the second may more be hoped for."""
    fmt = next(f for f in PACKAGED.values() if f.framings[0] == "sse")
    with pytest.raises(MalformedResponseError, match="not JSON"):
        read(fmt, [b'data: {"id": 1,\n\n'])
    with pytest.raises(StreamInterruptedError):
        read(fmt, [b'data: {"id": 1,'])
