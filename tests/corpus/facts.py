"""What requests and answers say, as facts to be counted: so that what was lost on a way is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ai_protocol_runtime.types import Answer, Candidate, Loss, Message, Request, ToolCall, ToolResult

from .recordings import Exchange, canonical_arguments
from .sameness import canonical
from .trips import Outcome

Fact = tuple[str, str]
"""What a thing says in one of its fields: ``kind.field`` and the value as JSON."""


def unnamed(
    label: str, e: Exchange, said: Counter[Fact], heard: Counter[Fact], reported: list[Loss], body: Any
) -> Outcome:
    missing = Counter(what for what, _ in (said - heard).elements())
    named = Counter(loss.what for loss in reported)
    silent = {what: n - names for what, n in missing.items() if (names := _named(what, named)) < n}
    if not silent:
        return Outcome(label, e.id, True)
    detail = [f"{what}={value[:300]}" for what, value in (said - heard) if what in silent]
    detail += [f"named: {loss}" for loss in reported]
    return Outcome(label, e.id, False, [f"silently lost: {what}" for what in silent], [*detail, canonical(body)[:3000]])


def _named(what: str, named: Counter[str]) -> int:
    """How many losses speak of this field: by its own name, or by that of the thing it belongs to."""
    kind = what.split(".")[0]
    return sum(n for name, n in named.items() if name in (what, kind) or name.endswith(f".{kind}"))


def _tidy(value: Any) -> str:
    """A field's value as JSON; JSON within a text is compared as what it says."""
    if isinstance(value, str) and value[:1] in "{[":
        read = canonical_arguments(value)
        return value if read.startswith("!") else read
    return canonical(value)


def facts(request: Request) -> Counter[Fact]:
    """All that a request says, part by part."""
    found: Counter[Fact] = Counter()
    for f in fields(request):
        value = getattr(request, f.name)
        if f.name == "tools":
            for tool in value:
                found.update(facts_of(tool))
        elif f.name in ("tool_choice", "format"):
            if value is not None:
                found.update((what.replace(value.kind, f.name, 1), said) for what, said in facts_of(value))
                found[f"{f.name}.kind", canonical(value.kind)] += 1
        elif f.name not in ("messages", "extra") and not nothing(value):
            found[f.name, canonical(value)] += 1
    names: dict[str | None, str] = {}
    for message in request.messages:
        names.update({p.id: p.name for p in message.parts if isinstance(p, ToolCall)})
        found.update(fact for fact in _message(message) if fact[0] != "tool_result.name")
        for part in message.parts:  # a result without a name has that of its call
            if isinstance(part, ToolResult) and (name := part.name or names.get(part.call_id)):
                found["tool_result.name", name] += 1
    return _one_text(found, request.messages)


def _message(message: Message) -> Iterator[Fact]:
    if message.name:
        yield "message.name", message.name
    for citation in message.citations or ():
        yield from facts_of(citation)
    for part in message.parts:
        yield from facts_of(part)


def nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def facts_of(thing: Any) -> Iterator[Fact]:
    for f in fields(thing):
        value = getattr(thing, f.name)
        if f.name in ("extra", "kind", "slot") or nothing(value):
            continue
        if isinstance(thing, ToolCall) and f.name == "arguments":
            yield "tool_call.arguments", canonical_arguments(value)
        elif isinstance(thing, ToolResult) and f.name == "parts":
            texts = "".join(p.text for p in value if p.kind == "text")
            if texts:
                yield "tool_result.text", _tidy(texts)
            for part in value:
                yield from (fact for fact in facts_of(part) if fact[0] != "text.text")
        elif isinstance(value, list) and value and is_dataclass(value[0]):
            for inner in value:
                yield from facts_of(inner)
        else:
            yield f"{thing.kind}.{f.name}", _tidy(value)


def _one_text(found: Counter[Fact], messages: list[Message]) -> Counter[Fact]:
    """Neighbouring texts may be joined on the way: all that one voice says is one fact."""
    for fact in [fact for fact in found if fact[0] == "text.text"]:
        del found[fact]
    for role in ("system", "user", "assistant"):
        texts = [p.text for m in messages if m.role in (role, _VOICE.get(role)) for p in m.parts if p.kind == "text"]
        if said := "".join("".join(texts).split()):
            found["text.text", f"{role}: {said}"] += 1
    return found


_VOICE = {"user": "tool"}


def answer_facts(answer: Answer) -> Counter[Fact]:
    """What an answer says: of the first candidate everything, of the others that they are there."""
    found: Counter[Fact] = Counter()
    for name in ("id", "model", "created"):
        value = getattr(answer, name)
        if value:
            found[f"answer.{name}", canonical(value)] += 1
    for name in ("input", "output", "cache_read", "cache_write", "reasoning", "audio_input", "audio_output"):
        count = getattr(answer.usage, name) if answer.usage is not None else None
        if count:
            found[f"usage.{name}", canonical(count)] += 1
    for number, candidate in enumerate(answer.candidates):
        found["candidate.index", str(number)] += 1
    for candidate in answer.candidates[:1]:
        found.update(_candidate(candidate))
    return found


def _candidate(candidate: Candidate) -> Iterator[Fact]:
    if candidate.finish_reason is not None:
        yield "candidate.finish_reason", candidate.finish_reason
    if candidate.stop_sequence:
        yield "candidate.stop_sequence", candidate.stop_sequence
    if candidate.logprobs is not None:
        yield "candidate.logprobs", canonical(candidate.logprobs)
    message = candidate.message
    for kind in ("text", "reasoning"):
        if said := "".join(p.text for p in message.parts if p.kind == kind):  # type: ignore[union-attr]
            yield f"{kind}.text", said
    yield from (fact for fact in _message(message) if fact[0] not in ("text.text", "reasoning.text"))
