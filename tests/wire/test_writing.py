"""Streams as they are written: ids that hold, numbers that rise, blocks that end in their order, and nothing untold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_protocol_runtime.simulator.events import events_of
from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Message,
    Part,
    PartEnded,
    PartialContentDelta,
    PartStarted,
    RawEvent,
    Reasoning,
    ResponseStarted,
    StreamEnd,
    StreamError,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
    Usage,
)
from ai_protocol_runtime.wire import WireFormat
from tests.corpus.order import out_of_order

from .formats import PACKAGED, made_up
from .test_streams import answers, essence

ITEMS = PACKAGED["openai-responses"]
"""The format whose items have ids of their own, and whose events have numbers."""
ORDERED = ["openai-chat", "openai-responses", "anthropic-messages", "gemini-generate"]

texts = st.text(min_size=1, max_size=9)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, texts), st.builds(Reasoning, texts), st.builds(ToolCall, texts, texts, st.just('{"a": 1}'))
)


def answer_of(said: list[Any]) -> Answer:
    return Answer("id", "model", 1, [Candidate(Message("assistant", said), "stop", index=0)], Usage(1, 1))


def written(fmt: WireFormat, events: Iterable[StreamingEvent]) -> list[Any]:
    encoder = fmt.stream_encoder()
    return [value for event in events for _, value in encoder.feed(event)]


def read(fmt: WireFormat, values: Iterable[Any]) -> list[StreamingEvent]:
    decoder = fmt.stream_decoder()
    return [event for value in values for event in decoder.feed(value)] + decoder.finish()


def ids(values: list[Any]) -> dict[int, str]:
    """The ids of a stream's items, each of which has one."""
    found: dict[int, set[str]] = {}
    for value in values:
        if "output_index" in value:
            said = [value["item_id"]] if "item_id" in value else [value["item"]["id"]]
            found.setdefault(value["output_index"], set()).update(said)
    for number, item in enumerate(values[-1]["response"]["output"]):
        found[number].add(item["id"])
    assert all(len(names) == 1 for names in found.values())
    assert len(values[-1]["response"]["output"]) == len(found)
    return {number: name for number, (name,) in found.items()}


@settings(max_examples=60)
@given(st.lists(parts, min_size=1, max_size=5))
def test_an_item_ends_under_the_id_it_began_with(said: list[Part]) -> None:
    values = written(ITEMS, events_of(answer_of(said), 2))
    found = ids(values)
    assert len(set(found.values())) == len(found)
    assert [value["sequence_number"] for value in values] == list(range(len(values)))


@settings(max_examples=60)
@given(st.lists(parts, min_size=1, max_size=5), st.data())
def test_ids_are_passed_on(said: list[Part], data: st.DataObject) -> None:
    values = written(ITEMS, events_of(answer_of(said), 2))
    names = data.draw(st.lists(texts, min_size=len(ids(values)), max_size=len(ids(values)), unique=True))
    for value in values:
        for owner, key in [(value, "item_id"), (value.get("item"), "id")]:
            if owner and key in owner:
                owner[key] = names[value["output_index"]]
        for number, item in enumerate(value.get("response", {}).get("output", ())):
            item["id"] = names[number]
    events = read(ITEMS, values)
    assert ids(written(ITEMS, events)) == dict(enumerate(names))
    end = events[-1]
    assert isinstance(end, StreamEnd)
    assert ids(written(ITEMS, events_of(end.answer))) == dict(enumerate(names))


@given(st.lists(parts, min_size=1, max_size=5))
def test_the_ids_of_a_whole_answer_are_different(said: list[Part]) -> None:
    output = ITEMS.encode_answer(answer_of(said))["output"]
    assert len({item["id"] for item in output}) == len(output)


@settings(max_examples=40)
@given(answers(), st.lists(st.integers(0, 99), min_size=1, max_size=5))
def test_events_that_are_passed_on_are_numbered_with_the_others(answer: Answer, places: list[int]) -> None:
    values = written(ITEMS, events_of(answer, 3))
    for place in places:
        values.insert(1 + place % (len(values) - 1), {"type": "response.odd", "sequence_number": 0, "place": place})
    again = written(ITEMS, read(ITEMS, values))
    assert [value["sequence_number"] for value in again] == list(range(len(again)))
    assert sorted(value["place"] for value in again if "place" in value) == sorted(places)


def test_an_error_is_numbered_with_the_others() -> None:
    values = written(ITEMS, [ResponseStarted("id"), PartialContentDelta(0, "a"), StreamError({"message": "no"})])
    assert [value["sequence_number"] for value in values] == list(range(len(values)))


def test_what_has_no_number_gets_none() -> None:
    odd = {"type": "odd", "sequence_number": 7}
    for value in (odd, {"type": "odd"}, ["odd"]):
        fmt = PACKAGED["anthropic-messages"] if value is odd else ITEMS
        assert value in written(fmt, [ResponseStarted("id"), RawEvent(value, fmt.id)])


@pytest.mark.parametrize("name", ORDERED)
@settings(max_examples=60)
@given(data=st.data(), said=st.lists(parts, min_size=1, max_size=4))
def test_blocks_that_grow_in_turns_are_written_in_order(name: str, data: st.DataObject, said: list[Part]) -> None:
    """They begin one after the other; how they go on, and when they end, is another matter."""
    whole = answer_of(said)
    waiting = [[e for e in events_of(whole, 3) if getattr(e, "index", None) == n] for n in range(len(said))]
    events: list[StreamingEvent] = [ResponseStarted("id", "model", 1)]
    begun = 0
    while any(waiting):
        ready = [n for n, left in enumerate(waiting) if left and n <= begun]
        chosen = data.draw(st.sampled_from(ready))
        events.append(waiting[chosen].pop(0))
        begun = max(begun, chosen + 1)
    values = written(PACKAGED[name], [*events, StreamEnd(whole)])
    assert out_of_order(name, values) == []
    end = read(PACKAGED[name], values)[-1]
    assert isinstance(end, StreamEnd)
    if PACKAGED[name].stream["manner"] == "events":
        assert essence(end.answer)[0] == essence(whole)[0]


def test_what_a_wire_has_no_words_for_opens_nothing() -> None:
    """A block of a kind that is private to another wire."""
    foreign = PACKAGED["gemini-generate"].decode_answer(
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"text": "a"}, {"executableCode": {"code": "1", "language": "PYTHON"}}, {"text": "b"}]
                    },
                    "finishReason": "STOP",
                }
            ]
        }
    )
    for name in ("anthropic-messages", "openai-responses"):
        assert out_of_order(name, written(PACKAGED[name], events_of(foreign))) == []


def test_what_no_delta_has_said_is_told_when_the_part_ends() -> None:
    fmt = PACKAGED["gemini-generate"]
    signed = Text("a", signature="c2ln")
    events = [ResponseStarted("id"), PartialContentDelta(0, "a"), PartEnded(0, signed), StreamEnd(answer_of([signed]))]
    end = read(fmt, written(fmt, events))[-1]
    assert isinstance(end, StreamEnd)
    assert [part.signature for part in end.answer.message.parts if isinstance(part, Text)][-1] == "c2ln"
    assert "".join(part.text for part in end.answer.message.parts if isinstance(part, Text)) == "a"


def test_the_last_piece_has_the_complement_of_its_candidate() -> None:
    fmt = PACKAGED["gemini-generate"]
    odd = {"index": 0, "content": {"role": "model", "parts": [{"text": "a"}]}, "finishReason": "STOP", "odd": {"x": 1}}
    values = written(fmt, events_of(fmt.decode_answer({"candidates": [odd]})))
    assert values[-1]["candidates"][0]["odd"] == {"x": 1}
    assert all("odd" not in value["candidates"][0] for value in values[:-1])


def test_what_the_end_says_otherwise_is_named() -> None:
    fmt = PACKAGED["anthropic-messages"]
    encoder = fmt.stream_encoder()
    early, final = Reasoning(encrypted="early"), Reasoning(encrypted="final")
    for event in [ResponseStarted("id"), PartEnded(0, early), StreamEnd(answer_of([final]))]:
        encoder.feed(event)
    assert ("reasoning.encrypted", "final") in [(loss.what, loss.value) for loss in encoder.losses]


def test_the_beginning_of_a_block_says_its_id() -> None:
    """And that of one without an id says nothing that its deltas do not say."""
    fmt = ITEMS
    events = read(fmt, written(fmt, events_of(answer_of([Reasoning("r"), Text("t"), ToolCall("c", "f", "{}")]))))
    begun = [e for e in events if isinstance(e, PartStarted)]
    assert [type(e.part) for e in begun] == [Reasoning, Text]
    assert (begun[0].part.id, begun[0].part.text, begun[1].part.text) == ("rs_0", "", "")  # type: ignore[union-attr]
    (call,) = [e for e in events if isinstance(e, ToolCallStarted)]
    assert call.extra is not None
    assert call.extra["rest"] == {"id": {"$id": "fc_2"}}
    kinds = [type(e) for e in read(PACKAGED["anthropic-messages"], written(PACKAGED["anthropic-messages"], events))]
    assert PartStarted not in kinds
    assert {ThinkingDelta, PartialContentDelta, ToolCallEnded} <= set(kinds)


def test_numbers_in_the_defaults_of_a_made_up_format() -> None:
    fmt = made_up(
        tables="{part: {text: {type: text, id: '$=t#x', key: '$~=k#', text: $text}}}",
        request="{model: $model~}",
    )
    body = fmt.encode_answer(answer_of([Text("a"), Text("b")]))
    assert [(part["id"], part["key"]) for part in body["content"]] == [("t0x", "k0"), ("t1x", "k1")]
