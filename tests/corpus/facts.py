"""What requests and answers say, as facts to be counted: so that what was lost on a way is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from math import inf
from typing import Any

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    Loss,
    Media,
    Message,
    Raw,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from ai_protocol_runtime.wire.kinds import DERIVED
from ai_protocol_runtime.wire.operators import Operator, find

from .recordings import Exchange, canonical_arguments, format_of
from .sameness import canonical
from .trips import Outcome

Names = tuple[str, ...]
Fact = tuple[Names, str]
"""What a thing says in one of its fields: the names by which a loss report may speak of it (``kind.field``, the kind,
and what it stands in), and the value as JSON."""


def unnamed(
    label: str, e: Exchange, said: Counter[Fact], heard: Counter[Fact], reported: list[Loss], body: Any
) -> Outcome:
    """Good if what was said and not heard is what was reported lost: nothing silently, nothing without need."""
    missing = Counter(names for names, _ in (said - heard).elements())
    silent = {names for names, n in missing.items() if sum(_spoken_of(loss, names) for loss in reported) < n}
    needless = {loss.what for loss in reported if not any(_spoken_of(loss, names) for names in missing)}
    if not silent and not needless:
        return Outcome(label, e.id, True)
    reasons = [f"silently lost: {names[0]}" for names in sorted(silent)]
    reasons += [f"reported, but not lost: {what}" for what in sorted(needless)]
    detail = [f"lost: {names[0]}={value[:300]}" for names, value in said - heard if names in silent]
    detail += [f"reported: {loss}" for loss in reported]
    return Outcome(label, e.id, False, reasons, [*detail, canonical(body)[:3000]])


def _spoken_of(loss: Loss, names: Names) -> float:
    """How many facts of these names a report may account for: by the field or the kind (or the kind within a role, as
    in ``assistant.reasoning``) as many as its value holds, by what they stand in all of them."""
    if loss.what in names[:2] or loss.what.split(".")[-1] in names[:2]:
        return len(loss.value) if isinstance(loss.value, list) else 1
    return inf if loss.what in names or loss.what.split(".")[-1] in names else 0


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
            for tool in _offered(request):
                found.update(facts_of(tool, ("tools",)))
        elif f.name == "tool_choice" and value is not None and value.kind in ("any", "allowed"):
            names = sorted(tool.name for tool in _offered(request) if isinstance(tool, Tool))
            found[(f"{f.name}.names", f.name), canonical(names)] += 1
        elif f.name in ("tool_choice", "format"):
            if value is not None:
                found.update(facts_of(value, (f.name,)))
                found[(f"{f.name}.kind", value.kind, f.name), canonical(value.kind)] += 1
        elif f.name not in ("messages", "extra") and not nothing(value):
            found[(f.name,), canonical(value)] += 1
    names: dict[str | None, str] = {}
    for message in request.messages:
        names.update({p.id: p.name for p in message.parts if isinstance(p, ToolCall)})
        found.update(fact for fact in _message(message) if fact[0][0] != "tool_result.name")
        for part in message.parts:  # a result without a name has that of its call
            if isinstance(part, ToolResult) and (name := part.name or names.get(part.call_id)):
                found[("tool_result.name", "tool_result"), name] += 1
    return _joined(found, request.messages)


def _offered(request: Request) -> list[Tool | Raw]:
    """The tools that may be called: one must be called of those that are allowed, or of all that there are."""
    choice = request.tool_choice
    if not isinstance(choice, ToolChoice) or choice.kind != "allowed":
        return request.tools
    return [tool for tool in request.tools if isinstance(tool, Tool) and tool.name in (choice.names or ())]


def _message(message: Message) -> Iterator[Fact]:
    if message.name:
        yield ("message.name",), message.name
    for citation in message.citations or ():
        yield from facts_of(citation, ("message.citations",))
    for part in message.parts:
        yield from facts_of(part)


def nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def facts_of(thing: Any, around: Names = ()) -> Iterator[Fact]:
    """What a part, a tool, a citation ... says. `around`: other names a loss of it may go by."""
    kind: str = thing.kind
    for f in fields(thing):
        value = getattr(thing, f.name)
        names = (f"{kind}.{f.name}", kind, *around)
        if f.name in ("extra", "kind", "slot") or names[0] in DERIVED or nothing(value):
            continue
        for operator in _RESTATED.get(names[0], ()):
            value = operator.encode(value)
        if isinstance(thing, ToolCall) and f.name == "arguments":
            yield names, canonical_arguments(value)
        elif isinstance(thing, ToolResult) and f.name == "parts":
            if texts := "".join(p.text for p in value if p.kind == "text"):
                yield ("tool_result.text", "text", *names), _tidy(texts)
            for part in value:
                yield from (fact for fact in facts_of(part, names) if fact[0][0] != "text.text")
        elif isinstance(value, list) and is_dataclass(value[0]):
            for inner in value:
                yield from facts_of(inner, names)
        else:
            yield names, _tidy(value)


def _restated(table: str, kind: str, key: str) -> list[Operator]:
    """The operators of a hole that says things in other words."""
    written: str = format_of("anthropic-messages").data["tables"][table][kind][key]
    found = [find(name) for name in written.split(" | ")[1:]]
    return [operator for operator in reversed(found) if operator is not None and operator.restated]


_RESTATED = {
    "schema.schema": _restated("format", "schema", "schema"),
    "tool_call.id": _restated("part", "tool_call", "id"),
    "tool_result.call_id": _restated("part", "tool_result", "tool_use_id"),
}
"""What one wire says in other words is compared in those."""


def _joined(found: Counter[Fact], messages: list[Message]) -> Counter[Fact]:
    """Neighbouring texts may be joined on the way, documents of text among them: all that one voice says, or thinks, is
    one fact."""
    for fact in [fact for fact in found if fact[0][0] in ("text.text", "file.text", "reasoning.text")]:
        del found[fact]
    for role in ("system", "user", "assistant"):
        parts = [p for m in messages if m.role in (role, _VOICE.get(role)) for p in m.parts]
        texts = [p.text or "" for p in parts if isinstance(p, Text | Media)]
        thoughts = [p.text for p in parts if isinstance(p, Reasoning)]
        for kind, pieces in (("text", texts), ("reasoning", thoughts)):
            if said := "".join("".join(pieces).split()):
                found[(f"{kind}.text", kind, role), said] += 1
    return found


_VOICE = {"user": "tool"}


def answer_facts(answer: Answer) -> Counter[Fact]:
    """What an answer says: of the first candidate everything, of the others that they are there."""
    found: Counter[Fact] = Counter()
    for name in ("id", "model", "created", "service_tier", "fingerprint", "blocked", "error"):
        value = getattr(answer, name)
        if not nothing(value):
            found[(f"answer.{name}",), canonical(value)] += 1
    for name in ("input", "output", "cache_read", "cache_write", "reasoning", "audio_input", "audio_output"):
        count = getattr(answer.usage, name) if answer.usage is not None else None
        if count:
            found[(f"usage.{name}", "answer.usage"), canonical(count)] += 1
    for number in range(len(answer.candidates)):
        found[("candidate.index", "candidate", "candidates"), str(number)] += 1
    for candidate in answer.candidates[:1]:
        found.update(_candidate(candidate))
    return found


def _candidate(candidate: Candidate) -> Iterator[Fact]:
    for name in ("finish_reason", "stop_sequence", "logprobs"):
        value = getattr(candidate, name)
        if not nothing(value):
            yield (f"candidate.{name}", "candidate"), canonical(value)
    message = candidate.message
    for cls in (Text, Reasoning):
        if said := "".join(p.text for p in message.parts if isinstance(p, cls)):
            yield (f"{cls.kind}.text", cls.kind), said
    yield from (fact for fact in _message(message) if fact[0][0] not in ("text.text", "reasoning.text"))
