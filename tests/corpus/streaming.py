"""Streams: read however they are cut, and broken off anywhere."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from ai_protocol_runtime.types import Answer, StreamEnd, StreamError, StreamingEvent, ToolCall, ToolCallEnded
from ai_protocol_runtime.types.errors import MalformedResponseError, StreamInterruptedError

from .recordings import Exchange, format_of, read_by_oracle, stream_events
from .sameness import canonical
from .trips import Outcome, agreeing, tried


@dataclass(slots=True)
class Reading:
    """What came of reading a stream: `error` is what `close` raised."""

    events: list[StreamingEvent]
    answer: Answer
    error: Exception | None = None

    @property
    def ended(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], StreamEnd)

    @property
    def failed(self) -> bool:
        return any(isinstance(event, StreamError) for event in self.events)


def read(wire: str, framing: str, pieces: Iterable[bytes]) -> Reading:
    reader = format_of(wire).stream_reader(framing)
    events: list[StreamingEvent] = []
    for piece in pieces:
        events += reader.feed(piece)
    try:
        events += reader.close()
    except (StreamInterruptedError, MalformedResponseError) as error:
        return Reading(events, reader.answer, error)
    return Reading(events, reader.answer)


def in_pieces(data: bytes, rng: random.Random, largest: int = 64) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = rng.randint(1, largest)
        yield data[at : at + size]
        at += size


# decoding


def stream_oracle(e: Exchange) -> Iterator[Outcome]:
    """A streamed answer means what an independent reader says."""
    if e.stream is not None and read_by_oracle(e) is not None:
        yield tried(f"{e.wire} streams", e, _oracle)


def _oracle(label: str, e: Exchange) -> Outcome:
    reading = read(e.wire, e.framing, [(e.stream or "").encode()])
    if not reading.ended:
        return Outcome(label, e.id, False, [f"it did not end: {reading.error!r}"[:100]], [repr(reading.error)])
    return agreeing(label, e, reading.answer)


def cuts(e: Exchange) -> Iterator[Outcome]:
    """A stream fed byte by byte, or in random pieces, gives the same events and the same answer; and an event given
    out does not change."""
    if e.stream is not None:
        yield tried(f"{e.wire} streams", e, _cut)


def _cut(label: str, e: Exchange) -> Outcome:
    data = (e.stream or "").encode()
    reader = format_of(e.wire).stream_reader(e.framing)
    given = [(event, repr(event)) for event in reader.feed(data)]
    reasons = ["an event changed after it was given out"] if any(repr(x) != said for x, said in given) else []
    whole = read(e.wire, e.framing, [data])
    ways: dict[str, Iterator[bytes]] = {"byte by byte": (data[n : n + 1] for n in range(len(data)))}
    ways["in random pieces"] = in_pieces(data, random.Random(e.id))
    for way, pieces in ways.items():
        reading = read(e.wire, e.framing, pieces)
        reasons += [f"{way}: {what}" for what in _unlike(whole, reading)]
    return Outcome(label, e.id, not reasons, reasons, reasons)


def _unlike(one: Reading, other: Reading) -> Iterator[str]:
    if one.answer != other.answer:
        yield "another answer"
    if one.events != other.events:
        yield "other events"
    if repr(one.error) != repr(other.error):
        yield f"another end: {other.error!r}"


def cut_in_two(e: Exchange) -> Iterator[Outcome]:
    """Some streams of each format, cut in two at every single position, give the same answer."""
    if e.stream is not None and e.id in _chosen():
        yield tried(f"{e.wire} streams", e, _cut_in_two)


def _chosen() -> set[str]:
    """Of each format and framing the shortest stream, the shortest that is not all ASCII and the shortest with
    CRLF."""
    from .recordings import exchanges

    best: dict[Any, Exchange] = {}
    for e in exchanges():
        if e.stream is None or len(e.stream) > 20_000:
            continue
        traits = {"any": True, "unicode": not e.stream.isascii(), "crlf": "\r\n" in e.stream}
        for key in [(e.wire, e.framing, trait) for trait, has in traits.items() if has]:
            if key not in best or len(e.stream) < len(best[key].stream or ""):
                best[key] = e
    return {e.id for e in best.values()}


def _cut_in_two(label: str, e: Exchange) -> Outcome:
    data = (e.stream or "").encode()
    whole = read(e.wire, e.framing, [data])
    for at in range(1, len(data)):
        for what in _unlike(whole, read(e.wire, e.framing, [data[:at], data[at:]])):
            return Outcome(label, e.id, False, [what], [f"cut at byte {at} of {len(data)}: {what}"])
    return Outcome(label, e.id, True)


def generated(e: Exchange) -> Iterator[Outcome]:
    """The generated code gives the events that the closures give."""
    if e.stream is not None:
        yield tried(f"{e.wire} streams", e, _generated)


def _generated(label: str, e: Exchange) -> Outcome:
    fast, slow = (format_of(e.wire).stream_decoder(generated=way) for way in (True, False))
    for number, value in enumerate(stream_events(e)):
        got, want = fast.feed(deepcopy(value)), slow.feed(value)
        if got != want:
            detail = [f"event {number}: {canonical(value)[:800]}", f"closures  {want}", f"generated {got}"]
            return Outcome(label, e.id, False, [f"other events for {_sort(e.wire, value)}"], detail)
    if fast.partial != slow.partial:
        return Outcome(
            label, e.id, False, ["another answer"], [f"closures  {slow.partial}", f"generated {fast.partial}"]
        )
    return Outcome(label, e.id, True)


def _sort(wire: str, value: Any) -> str:
    return str(value.get("type") or wire) if isinstance(value, dict) else type(value).__name__


# streams that break off

BOUNDARIES = 40
"""So many places to break a stream off at, at most: a random choice, and the last three."""


def broken(e: Exchange) -> Iterator[Outcome]:
    """A stream that breaks off, between two events or within one, raises StreamInterruptedError unless its last word
    was said; what had arrived is the beginning of the answer, and no half call is a call."""
    if e.stream is not None:
        yield tried(f"{e.wire} between events", e, _broken, False)
        yield tried(f"{e.wire} within an event", e, _broken, True)


def frames(e: Exchange) -> list[bytes]:
    """The stream's bytes, cut where one event ends; joined they are all of it."""
    text = e.stream or ""
    if e.framing == "sse":
        pieces = re.split(r"(?<=\n\n)|(?<=\r\n\r\n)", text)
    else:
        ends = [0]
        at = text.index("[") + 1
        while (found := re.compile(r"[\s,]*(?=\{)").match(text, at)) is not None:
            at = json.JSONDecoder().raw_decode(text, found.end())[1]
            ends.append(at)
        pieces = [text[a:b] for a, b in pairwise([*ends, len(text)])]
    return [piece.encode() for piece in pieces if piece]


def last_word(wire: str, frame: bytes) -> bool:
    """Whether after this event the answer is complete, by the service's own documentation."""
    text = frame.decode()
    said: Any = json.loads(payload) if (payload := _payload(text)) else None
    if wire == "openai-chat":
        return "data: [DONE]" in text or (bool(said) and any(c.get("finish_reason") for c in said.get("choices") or []))
    if not isinstance(said, dict):
        return False
    if wire == "gemini-generate":
        blocked = (said.get("promptFeedback") or {}).get("blockReason")
        return bool(blocked) or any(c.get("finishReason") for c in said.get("candidates") or [])
    return said.get("type") in ("message_stop", "response.completed", "response.incomplete")


def _payload(text: str) -> str:
    lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    payload = "\n".join(lines) if lines else text.strip().strip("[],").strip()
    return payload if payload.startswith("{") else ""


def _broken(label: str, e: Exchange, within: bool) -> Outcome:
    pieces = frames(e)
    data = b"".join(pieces)
    ends = list(accumulate(len(piece) for piece in pieces))
    said: list[bool] = list(accumulate((last_word(e.wire, piece) for piece in pieces), lambda a, b: a or b))
    told: list[bool] = list(accumulate((bool(_payload(piece.decode())) for piece in pieces), lambda a, b: a or b))
    whole = read(e.wire, e.framing, [data])
    places = range(len(pieces) - 1)
    if len(places) > BOUNDARIES:
        places = sorted({*random.Random(e.id).sample(places, BOUNDARIES), *places[-3:]})  # type: ignore[assignment]
    reasons: Counter[str] = Counter()
    detail = []
    for n in places:
        if not told[n]:
            continue
        at = ends[n] + (len(pieces[n + 1]) // 2 if within else 0)
        reading = read(e.wire, e.framing, [data[:at]])
        for what in _wrong_end(whole, reading, said[n], within):
            reasons[what] += 1
            detail.append(f"after event {n} of {len(pieces)}, byte {at}: {what}")
    return Outcome(label, e.id, not reasons, list(reasons), detail)


def _wrong_end(whole: Reading, reading: Reading, complete: bool, within: bool) -> Iterator[str]:
    if reading.failed:
        return  # the service itself said that it failed
    torn = within and isinstance(reading.error, StreamInterruptedError)  # complete, and yet something is missing
    if complete and not reading.ended and whole.ended and not torn:
        yield f"its last word was said, and yet it raised {type(reading.error).__name__}"
    if complete:
        return
    if reading.error is None:
        yield "taken for complete"
    elif not isinstance(reading.error, StreamInterruptedError):
        yield f"raised {type(reading.error).__name__}"
    elif not isinstance(reading.error.partial, Answer):
        yield "no partial answer in the error"
    if not whole.answer.text.startswith(reading.answer.text):
        yield "the text so far is not the beginning of the text"
    done = [call.arguments for call in calls(whole.answer)]
    if any(call.arguments not in done for call in calls(reading.answer)):
        yield "half a call is in the partial answer"
    if any(event.part.arguments not in done for event in reading.events if isinstance(event, ToolCallEnded)):
        yield "half a call was told as complete"


def calls(answer: Answer) -> Iterator[ToolCall]:
    return (p for c in answer.candidates for p in c.message.parts if isinstance(p, ToolCall))
