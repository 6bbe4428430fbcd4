"""Answers written as streams of every wire, judged by its SDK and read again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ai_protocol_runtime.simulator.events import events_of
from ai_protocol_runtime.types import Loss, ResponseStarted, StreamEnd, StreamingEvent
from ai_protocol_runtime.wire.framing import frame_encoder

from .crossing import UNFINISHED
from .facts import answer_facts, unnamed
from .judges import answer_problems, event_problems
from .order import out_of_order
from .recordings import WIRES, Exchange, format_of, stream_events
from .sameness import canonical
from .streaming import read
from .trips import PROBLEMS, Outcome, raised, tried

PIECE = 40
"""So many characters has a piece of a whole answer that is told as a stream."""
_SAME_SHAPE = 3
"""So many events of one stream that look alike are shown to the judge."""


@dataclass(slots=True)
class Written:
    values: list[Any]
    data: bytes
    losses: list[Loss]


def written(wire: str, events: Iterable[StreamingEvent]) -> Written:
    """The events as a stream of that wire."""
    encoder = format_of(wire).stream_encoder()
    framing = frame_encoder(format_of(wire).framings[0])
    values, data = [], b""
    for event in events:
        for name, value in encoder.feed(event):
            values.append(value)
            data += framing.encode(name, json.dumps(value, ensure_ascii=False))
    if encoder.closing is not None:
        data += framing.encode(None, encoder.closing)
    return Written(values, data + framing.end(), encoder.losses)


def _source(e: Exchange) -> list[StreamingEvent]:
    """The answer as events, from a stream or told anew; nothing for one that is an error or not finished."""
    if e.stream is not None:
        reading = read(e.wire, e.framing, [e.stream.encode()])
        return reading.events if reading.ended and reading.answer.candidates else []
    if e.answer is not None and e.answer.get("status") not in UNFINISHED and not e.path.endswith("/compact"):
        answer = format_of(e.wire).decode_answer(e.answer)
        return list(events_of(answer, PIECE)) if answer.candidates and answer.error is None else []
    return []


def writing(e: Exchange) -> Iterator[Outcome]:
    """The events of an answer, written as a stream of any wire, are events that its SDK takes, and read again they
    are the same answer."""
    label = f"{e.wire} {'answers' if e.stream is None else 'streams'}"
    try:
        events = _source(e)
    except PROBLEMS as error:
        yield raised(f"{label} unread meaning", e, error)
        return
    for other in WIRES if events else ():
        try:
            made = written(other, events)
        except PROBLEMS as error:
            yield raised(f"{label} -> {other} meaning", e, error)
            continue
        yield tried(f"{label} -> {other} meaning", e, _same_meaning, other, events, made)
        yield tried(f"{label} -> {other} events", e, _valid_events, other, made)


def _same_meaning(label: str, e: Exchange, other: str, events: list[StreamingEvent], made: Written) -> Outcome:
    reading = read(other, format_of(other).framings[0], [made.data])
    end = events[-1]
    assert isinstance(end, StreamEnd)
    if not reading.ended:
        text = f"it did not end: {reading.error!r}"
        return Outcome(label, e.id, False, [text[:100]], [text, made.data.decode()[:3000]])
    said, heard = answer_facts(end.answer), answer_facts(reading.answer)
    if isinstance(events[0], ResponseStarted) and not events[0].id:  # told when the first event is long sent
        for fact in [fact for fact in said if fact not in heard and fact[0][0] in _HEAD]:
            if not any(loss.what in fact[0] for loss in made.losses):
                del said[fact]
    return unnamed(label, e, said, heard, made.losses, made.values)


_HEAD = ("answer.id", "answer.model", "answer.created")


def _valid_events(label: str, e: Exchange, other: str, made: Written) -> Outcome:
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    for value in made.values:
        look = _look(value)
        seen[look] += 1
        if seen[look] <= _SAME_SHAPE:
            for problem in event_problems(other, value):
                name = value.get("type", "") if isinstance(value, dict) else ""
                found.setdefault(f"{name} {problem}".strip(), canonical(value)[:1500])
    found.update(dict.fromkeys(out_of_order(other, made.values), "the order of the events"))
    recorded = _refused(e) if found and other == e.wire else set()
    own = {problem: event for problem, event in found.items() if problem.split(".")[-1] not in recorded}
    outcome = Outcome(label, e.id, not own, list(own), [line for item in own.items() for line in item])
    if found and not own:
        outcome.excused = "its own SDK refuses the recording for the same"
    return outcome


def _refused(e: Exchange) -> set[str]:
    """What an SDK has against a recording of its own service, which may say more or less than the SDK knows: so it
    goes back out to its own wire."""
    problems = answer_problems(e.wire, e.answer) if e.answer is not None else []
    if e.stream is not None:
        recorded = stream_events(e)
        problems = [problem for event in recorded for problem in event_problems(e.wire, event)]
        problems += out_of_order(e.wire, recorded)
    return {problem.split(".")[-1] for problem in problems}


def _look(value: Any) -> str:
    """The form of an event: its keys, and its words of one kind."""
    if isinstance(value, dict):
        inner = (f"{k}:{v if k in ('type', 'object') else _look(v)}" for k, v in sorted(value.items()))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_look(v) for v in value})) + "]"
    return type(value).__name__
