"""How many tokens a simulated call takes."""

from __future__ import annotations

import json

from ai_protocol_runtime.types import Candidate, Media, Message, Part, Reasoning, Request, Tool, ToolResult, Usage

from .tokens import count

MESSAGE = 3
"""Tokens that a message costs beside its parts."""
MEDIA = 85
"""Tokens of a picture, sound, video or file."""
CACHED_FROM = 1024
"""Without cache marks, earlier turns of at least so many tokens count as read from a cache."""


def cost(part: Part) -> int:
    """The tokens of a part."""
    if isinstance(part, Media):
        return count(part.text) if part.text is not None else MEDIA
    if isinstance(part, ToolResult):
        return sum(map(cost, part.parts))
    fields = (getattr(part, name, None) for name in ("text", "name", "arguments"))
    return sum(count(field) for field in fields if isinstance(field, str))


def counted(request: Request, candidates: list[Candidate]) -> Usage:
    """The usage of a call.

    What stands before a cache mark is written to the cache when a conversation begins, and read from it when the
    assistant has spoken already.
    """
    tools = [tool for tool in request.tools if isinstance(tool, Tool)]
    sizes = [sum(count(f"{t.name} {t.description or ''} {json.dumps(t.parameters)}") for t in tools)]
    sizes += [_size(message) for message in request.messages]
    marked = [0] if any(tool.cache for tool in tools) else []
    marked += [i for i, m in enumerate(request.messages, 1) if any(getattr(part, "cache", None) for part in m.parts)]
    spoken = [i for i, message in enumerate(request.messages, 1) if message.role == "assistant"]
    cached = sum(sizes[: marked[-1] + 1]) if marked else sum(sizes[: spoken[-1]]) if spoken else 0
    if not marked and cached < CACHED_FROM:
        cached = 0
    written = [part for candidate in candidates for part in candidate.message.parts]
    read = [part for message in request.messages for part in message.parts]
    thought = sum(cost(part) for part in written if isinstance(part, Reasoning))
    return Usage(
        input=sum(sizes),
        output=sum(map(cost, written)),
        cache_read=cached if spoken else 0,
        cache_write=0 if spoken else cached,
        reasoning=thought,
        audio_input=_sound(read),
        audio_output=_sound(written),
    )


def _sound(parts: list[Part]) -> int:
    return sum(cost(part) for part in parts if isinstance(part, Media) and part.kind == "audio")


def _size(message: Message) -> int:
    return MESSAGE + sum(map(cost, message.parts))
