"""Requests and whole answers, read and written on one wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any

from ai_protocol_runtime.types import Answer, Loss, Message, Raw, Reasoning, Request, Text, ToolCall, Usage
from ai_protocol_runtime.types.errors import AIProtocolError

from .recordings import PATH_SAYS, Exchange, canonical_arguments, format_of, read_by_oracle
from .sameness import Difference, canonical, differences, normalised


@dataclass(slots=True)
class Outcome:
    """One thing tried. `label` is the row it is counted in, `reasons` the sorts of failure, `detail` all about it;
    `excused` says why it does not count."""

    label: str
    id: str
    ok: bool
    reasons: list[str] = field(default_factory=list)
    detail: list[str] = field(default_factory=list)
    excused: str = ""


PROBLEMS = (AIProtocolError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What code that is being tried may raise; all of it is a failure like another."""


def tried(label: str, exchange: Exchange, test: Callable[..., Outcome], *rest: Any) -> Outcome:
    """The outcome of ``test(label, exchange, *rest)``."""
    try:
        return test(label, exchange, *rest)
    except PROBLEMS as error:
        return raised(label, exchange, error)


def raised(label: str, exchange: Exchange, error: Exception) -> Outcome:
    text = f"raised {type(error).__name__}: {error}"
    return Outcome(label, exchange.id, False, [text[:100]], [text])


def compared(label: str, exchange: Exchange, want: Any, got: Any) -> Outcome:
    if canonical(want) == canonical(got):
        return Outcome(label, exchange.id, True)
    return differing(label, exchange, differences(want, got))


def differing(label: str, exchange: Exchange, found: Iterator[Difference] | list[Difference]) -> Outcome:
    found = list(found)
    reasons = list(dict.fromkeys(d.kind for d in found)) or ["equal, but for the order or type of something"]
    return Outcome(label, exchange.id, False, reasons, [str(d) for d in found])


def _lossless(outcome: Outcome, losses: list[Loss]) -> Outcome:
    """Nothing may be reported lost on the way back to the wire that it came from."""
    if losses:
        outcome.ok = False
        outcome.reasons += dict.fromkeys(f"reported lost: {loss.what}" for loss in losses)
        outcome.detail += [f"reported lost: {loss}" for loss in losses]
    return outcome


# the round trip


def roundtrip(e: Exchange) -> Iterator[Outcome]:
    """Read and written again on the same wire, it is equal JSON."""
    if e.request is not None:
        yield tried(f"{e.wire} requests", e, _request_trip)
    if e.answer is not None:
        yield tried(f"{e.wire} answers", e, _answer_trip)


def _request_trip(label: str, e: Exchange) -> Outcome:
    assert e.request is not None
    losses: list[Loss] = []
    before = canonical(e.request)
    request = format_of(e.wire).decode_request(e.request, e.path)
    got = format_of(e.wire).encode_request(request, losses)
    outcome = _lossless(compared(label, e, e.request, got), losses)
    if canonical(e.request) != before or canonical(format_of(e.wire).encode_request(request)) != canonical(got):
        outcome.ok = False
        outcome.reasons.append("reading or writing it changed it")
    return outcome


def _answer_trip(label: str, e: Exchange) -> Outcome:
    losses: list[Loss] = []
    before = canonical(e.answer)
    answer = format_of(e.wire).decode_answer(e.answer)
    got = format_of(e.wire).encode_answer(answer, losses)
    outcome = _lossless(compared(label, e, e.answer, got), losses)
    if canonical(e.answer) != before or canonical(format_of(e.wire).encode_answer(answer)) != canonical(got):
        outcome.ok = False
        outcome.reasons.append("reading or writing it changed it")
    return outcome


# without the complement


@cache
def _names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def bare(thing: Any) -> Any:
    """The thing and all within without what only its own wire can read: their `extra`, and the raw object of a
    usage."""
    if isinstance(thing, list):
        return [bare(v) for v in thing]
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    inner: dict[str, Any] = {}
    for name in _names(type(thing)):
        value = getattr(thing, name)
        if name == "extra" or (name == "raw" and isinstance(thing, Usage)):
            inner[name] = None
        elif isinstance(value, list) or is_dataclass(value):
            inner[name] = bare(value)
    return replace(thing, **inner)


def without_complement(e: Exchange) -> Iterator[Outcome]:
    """The same trip on the shapes alone: what they say is what comes back. Counted twice, exact and normalised."""
    for what, body, trip in (("requests", e.request, _bare_request), ("answers", e.answer, _bare_answer)):
        if body is not None:
            yield tried(f"{e.wire} {what} exact", e, _bare_trip, body, trip, False)
            yield tried(f"{e.wire} {what} normalised", e, _bare_trip, body, trip, True)


def _bare_trip(label: str, e: Exchange, body: Any, trip: Callable[[Exchange], Any], mildly: bool) -> Outcome:
    got = trip(e)
    if mildly:
        camel = e.wire == "gemini-generate"
        body, got = normalised(body, camel), normalised(got, camel)
    return compared(label, e, body, got)


def _bare_request(e: Exchange) -> Any:
    assert e.request is not None
    return format_of(e.wire).encode_request(bare(format_of(e.wire).decode_request(e.request, e.path)))


def _bare_answer(e: Exchange) -> Any:
    return format_of(e.wire).encode_answer(bare(format_of(e.wire).decode_answer(e.answer)))


# the echo

NOT_SENT_BACK = {
    "openai-chat": {
        "annotations": "the request's assistant message has no such key",
        "audio": "a request takes its id only",
    },
    "openai-responses": {},
    "anthropic-messages": {},
    "gemini-generate": {},
}
"""Keys of an answer's message that the wire's requests do not take, and why."""


def turns(wire: str, body: dict[str, Any]) -> list[Any]:
    """An answer's own assistant turns, one a candidate, as they stand in its JSON."""
    if wire == "openai-chat":
        return [c.get("message") for c in body.get("choices") or []]
    if wire == "gemini-generate":
        return [c.get("content") for c in body.get("candidates") or []]
    if wire == "anthropic-messages":
        return [{"role": body.get("role"), "content": body.get("content")}] if body.get("type") == "message" else []
    return [body["output"]] if isinstance(body.get("output"), list) and not body.get("error") else []


def sent_turn(wire: str, body: dict[str, Any]) -> Any:
    """The assistant turn of a request that holds one user turn and then it."""
    if wire == "openai-responses":
        return body["input"][1:]
    turn = body["contents" if wire == "gemini-generate" else "messages"][1:]
    return turn[0] if len(turn) == 1 else turn


def saying(value: Any) -> Any:
    """What is left of JSON without nulls and empties, which say nothing."""
    if isinstance(value, list):
        return [saying(v) for v in value]
    if isinstance(value, dict):
        inner = {k: saying(v) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v not in (None, "", [], {})}
    return value


def echo(e: Exchange) -> Iterator[Outcome]:
    """An answer's message, put into the next request as history, is the answer's own."""
    for number, turn in enumerate(turns(e.wire, e.answer) if e.answer is not None else ()):
        kept = saying(turn)
        if kept and (not isinstance(kept, dict) or kept.keys() != {"role"}):  # else there is nothing to send back
            yield tried(e.wire, e, _echoed, number, kept)


def _echoed(label: str, e: Exchange, number: int, kept: Any) -> Outcome:
    answer = format_of(e.wire).decode_answer(e.answer)
    request = Request(
        model="m", max_tokens=9, messages=[Message("user", [Text("hi")]), answer.candidates[number].message]
    )
    got = saying(sent_turn(e.wire, format_of(e.wire).encode_request(request, echo="always")))
    if isinstance(kept, dict) and isinstance(got, dict):
        for key in NOT_SENT_BACK[e.wire]:
            if key in kept and key not in got:
                kept = {k: v for k, v in kept.items() if k != key}
    return compared(label, e, kept, got)


# edited, then written


def edit(e: Exchange) -> Iterator[Outcome]:
    """What is changed after reading is what is written: the complement never overrules it."""
    if e.request is not None:
        yield tried(f"{e.wire} requests", e, _edited_request)
    if e.answer is not None:
        yield tried(f"{e.wire} answers", e, _edited_answer)


def spoken(thing: Any) -> Iterator[Any]:
    """Every part with a text of its own and every call, in order, those within results too."""
    for part in thing.parts:
        if part.kind == "tool_result":
            yield from spoken(part)
        elif part.kind in ("text", "reasoning", "refusal", "tool_call"):
            yield part


def _said(messages: list[Message]) -> list[tuple[str, str]]:
    return [
        (p.kind, canonical_arguments(p.arguments) if isinstance(p, ToolCall) else p.text)
        for m in messages
        for p in spoken(m)
    ]


def _rewrite(messages: list[Message]) -> None:
    for number, part in enumerate(p for m in messages for p in spoken(m)):
        if isinstance(part, ToolCall):
            part.arguments = f'{{"edited": {number}}}'
        elif part.text or part.kind == "text":  # reasoning without text is a signature, or encrypted
            part.text = f"edit {number}: {part.text[::-1]}"


def _edited_request(label: str, e: Exchange) -> Outcome:
    assert e.request is not None
    fmt = format_of(e.wire)
    request = fmt.decode_request(e.request, e.path)
    _rewrite(request.messages)
    request.temperature = 0.125
    if e.wire not in PATH_SAYS:
        request.model = "another-model"
    again = fmt.decode_request(fmt.encode_request(request), e.path)
    want = [_said(request.messages), request.model, request.temperature]
    return compared(label, e, want, [_said(again.messages), again.model, again.temperature])


def _edited_answer(label: str, e: Exchange) -> Outcome:
    fmt = format_of(e.wire)
    answer = fmt.decode_answer(e.answer)
    messages = [c.message for c in answer.candidates]
    _rewrite(messages)
    answer.model = "another-model" if answer.model else answer.model
    again = fmt.decode_answer(fmt.encode_answer(answer))
    want = [_said(messages), answer.model]
    return compared(label, e, want, [_said([c.message for c in again.candidates]), again.model])


# against the oracle


def essence(answer: Answer) -> dict[str, Any]:
    """What an answer says, in the oracle's words."""
    parts = answer.message.parts
    first = answer.candidates[0] if answer.candidates else None
    return {
        "text": answer.text,
        "reasoning": "".join(p.text for p in parts if isinstance(p, Reasoning)),
        "tools": [[p.name, canonical_arguments(p.arguments)] for p in parts if isinstance(p, ToolCall)],
        "finish": first.finish_word if first else None,
        "usage_in": answer.usage.input if answer.usage else None,
        "usage_out": answer.usage.output if answer.usage else None,
    }


def agreeing(label: str, e: Exchange, answer: Answer) -> Outcome:
    """Whether an answer means what the oracle reads in its recording."""
    want = read_by_oracle(e) or {}
    got = essence(answer)
    want = {**want, "tools": [list(t) for t in want["tools"]], "finish": want["finish"] or None}
    return compared(label, e, want, {**got, "finish": got["finish"] or None})


def oracle(e: Exchange) -> Iterator[Outcome]:
    """Whole answers mean what an independent reader says."""
    if e.answer is not None and read_by_oracle(e) is not None:
        outcome = tried(f"{e.wire} whole", e, _oracle_whole)
        if not outcome.ok and any("delta" in c for c in e.answer.get("choices") or ()):
            outcome.excused = "the oracle reads a whole answer's empty `delta`, and not the `message` beside it"
        yield outcome


def _oracle_whole(label: str, e: Exchange) -> Outcome:
    return agreeing(label, e, format_of(e.wire).decode_answer(e.answer))


# what no shape knows


def known(e: Exchange) -> Iterator[Outcome]:
    """Nothing in a request or an answer is raw: every part, tool and citation has a shape that reads it."""
    if e.request is not None:
        yield tried(f"{e.wire} requests", e, _known_request)
    if e.answer is not None:
        yield tried(f"{e.wire} answers", e, _known_answer)


def _known_request(label: str, e: Exchange) -> Outcome:
    assert e.request is not None
    return _without_raw(label, e, format_of(e.wire).decode_request(e.request, e.path))


def _known_answer(label: str, e: Exchange) -> Outcome:
    return _without_raw(label, e, format_of(e.wire).decode_answer(e.answer))


def _without_raw(label: str, e: Exchange, thing: Any) -> Outcome:
    found = [raw.value for raw in _raws(thing)]
    reasons = [f"raw: {v.get('type') or sorted(v) if isinstance(v, dict) else type(v).__name__}"[:100] for v in found]
    return Outcome(label, e.id, not found, list(dict.fromkeys(reasons)), [canonical(v)[:1000] for v in found])


def _raws(thing: Any) -> Iterator[Raw]:
    if isinstance(thing, Raw):
        yield thing
    elif isinstance(thing, list):
        for inner in thing:
            yield from _raws(inner)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for name in _names(type(thing)):
            yield from _raws(getattr(thing, name))
