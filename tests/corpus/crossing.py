"""Requests and whole answers read on one wire and written on another, judged by the other side's SDK."""

from __future__ import annotations

from collections.abc import Iterator

from ai_protocol_runtime.types import Loss, Request

from .facts import answer_facts, facts, facts_of, unnamed
from .judges import answer_problems, broken_rules, event_problems, request_problems, strays, type_problems
from .order import out_of_order
from .recordings import PATH_SAYS, WIRES, Exchange, format_of, stream_events
from .sameness import canonical
from .trips import PROBLEMS, Outcome, raised, tried


def others(wire: str) -> Iterator[str]:
    return (other for other in WIRES if other != wire)


def recordings(e: Exchange) -> Iterator[Outcome]:
    """The judges take what was recorded: their types refuse what the SDK does not know or was broken when sent, their
    rules nothing that the service took."""
    if e.request is not None:
        found = type_problems(e.wire, e.request)
        yield _judged(f"{e.wire} requests", e, found)
        if not found and e.line["response"]["status"] < 400:
            yield _judged(f"{e.wire} rules", e, broken_rules(e.wire, e.request))
    if e.answer is not None:
        yield _judged(f"{e.wire} answers", e, answer_problems(e.wire, e.answer))
    if e.stream is not None:
        found = [problem for event in stream_events(e) for problem in event_problems(e.wire, event)]
        yield _judged(f"{e.wire} streams", e, list(dict.fromkeys(found)))
        if e.provider in FIRST[e.wire]:
            yield _judged(f"{e.wire} order rules", e, out_of_order(e.wire, stream_events(e)))


FIRST = {
    "openai-chat": ("openai",),
    "openai-responses": ("openai",),
    "anthropic-messages": ("anthropic",),
    "gemini-generate": ("google", "vertex"),
}
"""Whose format it is: the dialects of others have an order of their own."""


def _judged(label: str, e: Exchange, problems: list[str]) -> Outcome:
    return Outcome(label, e.id, not problems, problems, problems)


# requests


def cross(e: Exchange) -> Iterator[Outcome]:
    """A request written for another wire is one that its SDK's types take, and breaks none of its rules."""
    if e.request is not None:
        for other in others(e.wire):
            yield tried(f"{e.wire} -> {other}", e, _crossed, other)


def _crossed(label: str, e: Exchange, other: str) -> Outcome:
    assert e.request is not None
    request = format_of(e.wire).decode_request(e.request, e.path)
    body = format_of(other).encode_request(request, [])
    problems = request_problems(other, body)
    if not problems:
        return Outcome(label, e.id, True)
    return Outcome(label, e.id, False, problems, [*problems, canonical(body)[:4000]], excuse(e, request, problems))


def excuse(e: Exchange, request: Request, problems: list[str]) -> str:
    """Why a request that came out wrong could not come out right: told by the recording itself, or by the SDK of the
    wire that it came from."""
    assert e.request is not None
    if e.line["request"].get("cut") and all("base64" in problem for problem in problems):
        return "the recorder cut its base64"
    if request.model is None:
        return "it names no model"
    if any(e.request.get(key) for key in ("previous_response_id", "conversation", "prompt")):
        return "the service keeps a part of the conversation"
    if all(not any(facts_of(p)) for m in request.messages if m.role != "system" for p in m.parts):
        return "nobody says anything in it"
    broken = [p for p in request_problems(e.wire, e.request) if not any(milder in p for milder in _MILDER)]
    return f"broken as it was sent ({broken[0]})" if broken else ""


_MILDER = ("Field required", "no alternative fits", "base64", "Input should be '")
"""Complaints about a source that excuse nothing: a default left out, a word that its SDK does not know, cut base64."""


# what was lost on the way


def losses(e: Exchange) -> Iterator[Outcome]:
    """What does not come back from another wire is named in the loss report."""
    if e.request is not None:
        for other in others(e.wire):
            yield tried(f"{e.wire} -> {other}", e, _losses, other)


def _losses(label: str, e: Exchange, other: str) -> Outcome:
    assert e.request is not None
    reported: list[Loss] = []
    request = format_of(e.wire).decode_request(e.request, e.path)
    if request.model is None:
        return Outcome(label, e.id, False, excused="it names no model")
    body = format_of(other).encode_request(request, reported)
    again = format_of(other).decode_request(body)
    if other in PATH_SAYS:
        again.model, again.stream = request.model, request.stream
    return unnamed(label, e, facts(request), facts(again), reported, body)


def known_keys(e: Exchange) -> Iterator[Outcome]:
    """A request written for another wire holds no key that its SDK does not know, but for those that are listed."""
    if e.request is not None:
        for other in others(e.wire):
            yield tried(f"{e.wire} -> {other}", e, _known_keys, other)


OTHERS_KNOW = {
    "openai-chat": {
        "top_k": "vLLM, OpenRouter, Together and others",
        "messages[].reasoning_content": "DeepSeek, and others that want reasoning back",
    },
    "openai-responses": {},
    "anthropic-messages": {
        "temperature": "all but the newest models",
        "top_p": "all but the newest models",
        "top_k": "all but the newest models",
    },
}
"""Keys that a wire's own SDK does not know, and who does."""


def _known_keys(label: str, e: Exchange, other: str) -> Outcome:
    assert e.request is not None
    body = format_of(other).encode_request(format_of(e.wire).decode_request(e.request, e.path))
    found = [key for key in strays(other, body) if key not in OTHERS_KNOW.get(other, ())]
    return Outcome(label, e.id, not found, found, found)


# answers


def cross_answers(e: Exchange) -> Iterator[Outcome]:
    """A whole answer written for another wire is one that its SDK's types take, and means the same when it is read
    again."""
    if e.answer is None or e.answer.get("status") in UNFINISHED or e.path.endswith("/compact"):
        return
    try:
        answer = format_of(e.wire).decode_answer(e.answer)
    except PROBLEMS as error:
        yield raised(f"{e.wire} unread meaning", e, error)
        return
    if not answer.candidates:
        return  # an error inside an answer
    for other in others(e.wire):
        yield tried(f"{e.wire} -> {other} valid", e, _answer_valid, other)
        yield tried(f"{e.wire} -> {other} meaning", e, _answer_meaning, other)


UNFINISHED = ("queued", "in_progress")
"""Of an answer that is to be asked for again: no other wire has the like, nor of a conversation made compact."""


def _answer_valid(label: str, e: Exchange, other: str) -> Outcome:
    body = format_of(other).encode_answer(format_of(e.wire).decode_answer(e.answer))
    problems = answer_problems(other, body)
    return Outcome(label, e.id, not problems, problems, [*problems, canonical(body)[:4000]] if problems else [])


def _answer_meaning(label: str, e: Exchange, other: str) -> Outcome:
    reported: list[Loss] = []
    answer = format_of(e.wire).decode_answer(e.answer)
    body = format_of(other).encode_answer(answer, reported)
    again = format_of(other).decode_answer(body)
    return unnamed(label, e, answer_facts(answer), answer_facts(again), reported, body)
