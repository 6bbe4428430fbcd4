"""What providers refuse, and a simulator that took it would teach wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai_protocol_runtime.types import (
    EmbeddingInput,
    EmbeddingRequest,
    Message,
    RankRequest,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)

from .brain import OURS, signature

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_RANGES = {"temperature": (0, 2), "top_p": (0, 1), "top_k": (0, None), "max_tokens": (1, None), "n": (1, 128)}


def problem(request: Request) -> str | None:
    """Why a provider would refuse this request, or None."""
    return next(_problems(request), None)


def service_problem(request: EmbeddingRequest | RankRequest) -> str | None:
    """Why a provider would refuse this request for embeddings or a ranking, or None."""
    if not request.model:
        return "model: it must be named"
    if isinstance(request, EmbeddingRequest):
        if not request.inputs:
            return "input: there must be something to embed"
        if any(_empty(one) for one in request.inputs):
            return "input: it must not be empty"
        return None
    if not request.query or not request.documents:
        return "query, documents: there must be something to rank, and something to rank it by"
    return None


def _empty(one: EmbeddingInput) -> bool:
    return not one.tokens and not any(not isinstance(part, Text) or part.text for part in one.parts)


def _problems(request: Request) -> Iterator[str]:
    if not request.model:
        yield "model: it must be named"
    if not any(message.role != "system" for message in request.messages):
        yield "messages: there must be one from the user"
    for name, (low, high) in _RANGES.items():
        value = getattr(request, name)
        if value is None:
            continue
        if not isinstance(value, int | float) or value < low or (high is not None and value > high):
            yield f"{name}: must be {f'from {low} to {high}' if high is not None else f'at least {low}'}, not {value!r}"
    yield from _tools(request)
    if request.previous_id is None:  # else the beginning of the conversation is elsewhere
        yield from _calls(request.messages)
    for message in request.messages:
        for part in message.parts:
            # Only a thought of ours can be judged; those of other models come here when a call falls back.
            if not isinstance(part, Reasoning) or not part.text:
                continue
            marks = [mark for mark in (part.signature, part.encrypted) if mark and mark.startswith(OURS)]
            if any(mark != signature(part.text) for mark in marks):
                yield "a thought was sent back with another text than its signature is for"


def _tools(request: Request) -> Iterator[str]:
    names = [tool.name for tool in request.tools if isinstance(tool, Tool)]
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"tools: {name!r} is no name for a tool"
        if names.count(name) > 1:
            yield f"tools: there are two named {name!r}"
    choice = request.tool_choice
    if isinstance(choice, ToolChoice) and choice.kind == "named" and choice.name not in names:
        yield f"tool_choice: there is no tool named {choice.name!r}"
    if choice is not None and choice.kind in ("any", "named") and not request.tools:
        yield "tool_choice: a call is demanded, and no tools are offered"


def _calls(messages: list[Message]) -> Iterator[str]:
    """Every call has to be followed by its result, and every result to follow its call, before anybody else speaks."""
    open_calls: list[str] = []
    before = ""
    for message in messages:
        going_on = before == message.role == "assistant"  # some wires give each call of a turn as a message of its own
        before = message.role
        results = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        for call_id in results:
            if call_id and call_id not in open_calls:
                yield f"messages: a tool result answers the call {call_id!r}, which was not made just before"
        open_calls = [call for call in open_calls if call not in results]
        if open_calls and message.role in ("user", "assistant") and not results and not going_on:
            yield f"messages: the tool call {open_calls[0]!r} has no result"
        open_calls += [part.id for part in message.parts if isinstance(part, ToolCall) and part.id]
    if open_calls:
        yield f"messages: the tool call {open_calls[0]!r} has no result"
