"""What a message is made of.

Plain dataclasses with slots, because they are built on the hot path. Every one carries `extra`, the *complement* of
the shape that read it: what the wire said and no field has a place for (see docs/wire-language.md). It is JSON, goes
back out when the part returns to the wire it came from, and is ignored by every other wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

Extra: TypeAlias = dict[str, Any]
"""``{"wire": format id, "alt": [table, variant], "rest": unread JSON, "group": ...}``; all JSON, all optional."""


@dataclass(slots=True)
class Citation:
    """Where a stretch of text comes from. Offsets count characters of the part's text."""

    url: str | None = None
    title: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None
    id: str | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "citation"


@dataclass(slots=True)
class Text:
    text: str = ""
    citations: list[Citation | Raw] | None = None
    logprobs: Any = None
    signature: str | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "text"


@dataclass(slots=True)
class Reasoning:
    """What a model thought. `text` is what may be shown; `full` the unabridged text where a provider gives both;
    `signature` and `encrypted` are opaque and must go back to the provider unchanged."""

    text: str = ""
    signature: str | None = None
    encrypted: str | None = None
    id: str | None = None
    full: str | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "reasoning"


@dataclass(slots=True)
class ToolCall:
    """A function the model wants called. `arguments` is JSON text, exactly as the model wrote it."""

    id: str | None = None
    name: str = ""
    arguments: str = ""
    signature: str | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    slot: int | None = field(
        default=None, compare=False, repr=False
    )  # in a piece of a stream: which call it belongs to
    kind: ClassVar[str] = "tool_call"


@dataclass(slots=True)
class ToolResult:
    """What a called function gave back. `name` is only known where a wire says it."""

    call_id: str | None = None
    parts: list[Part] = field(default_factory=list)
    name: str | None = None
    is_error: bool | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "tool_result"


@dataclass(slots=True)
class Media:
    """An image, sound, video or file (`kind`): by `data` (standard base64), `url`, `file_id`, or plain `text`.

    A `citable` file is one that the answer may cite; `context` is what the model is told of it beside its content.
    """

    kind: str = "file"
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    text: str | None = None
    mime_type: str | None = None
    filename: str | None = None
    detail: str | None = None
    citable: bool | None = None
    context: str | None = None
    signature: str | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None


@dataclass(slots=True)
class ServerToolCall:
    """A tool that the provider runs by itself (search, code execution ...). `arguments` is JSON text."""

    id: str | None = None
    name: str = ""
    arguments: str | None = None
    signature: str | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "server_tool_call"


@dataclass(slots=True)
class ServerToolResult:
    call_id: str | None = None
    name: str = ""
    content: Any = None
    is_error: bool | None = None
    signature: str | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "server_tool_result"


@dataclass(slots=True)
class Refusal:
    text: str = ""
    extra: Extra | None = None
    kind: ClassVar[str] = "refusal"


@dataclass(slots=True)
class Raw:
    """Something no shape knows: kept as it was, shown, and sent back to the wire it came from."""

    value: Any = None
    extra: Extra | None = None
    kind: ClassVar[str] = "raw"


Part: TypeAlias = Text | Reasoning | ToolCall | ToolResult | Media | ServerToolCall | ServerToolResult | Refusal | Raw


@dataclass(slots=True)
class Message:
    """One turn. `role` is ``system``, ``user``, ``assistant`` or ``tool``. `citations` are those that a wire gives
    for the message as a whole, not for one of its texts."""

    role: str = ""
    parts: list[Part] = field(default_factory=list)
    name: str | None = None
    citations: list[Citation | Raw] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "message"
