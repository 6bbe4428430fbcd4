"""What is asked of a model, in no provider's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .parts import Extra, Message, Raw


@dataclass(slots=True)
class Tool:
    """A function offered to the model. `parameters` is a JSON Schema."""

    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    cache: dict[str, Any] | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "tool"


@dataclass(slots=True)
class ToolChoice:
    """`kind`: ``auto`` (the model decides), ``any`` (it must call one), ``none``, ``named`` (it must call `name`) or
    ``allowed`` (it may only call one of `names`)."""

    kind: str = "auto"
    name: str | None = None
    names: list[str] | None = None
    extra: Extra | None = None


@dataclass(slots=True)
class ResponseFormat:
    """`kind`: ``plain``, ``json`` (any JSON object) or ``schema`` (JSON that satisfies `schema`)."""

    kind: str = "plain"
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None
    extra: Extra | None = None


@dataclass(slots=True)
class Request:
    """One call of a chat model. None always means "not said"; the provider's default then holds.

    `thinking` is ``enabled``, ``adaptive`` or ``disabled``; `effort` a word of the provider's scale (``low``,
    ``medium``, ``high`` ...); `reasoning_budget` a number of tokens; `include_thoughts` asks for the reasoning to
    be shown and `reasoning_summary` how (``auto``, ``concise``, ``detailed``).
    """

    model: str | None = None
    messages: list[Message] = field(default_factory=list)
    tools: list[Tool | Raw] = field(default_factory=list)
    tool_choice: ToolChoice | Raw | None = None
    parallel_tool_calls: bool | None = None
    format: ResponseFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    stream_usage: bool | None = None
    thinking: str | None = None
    effort: str | None = None
    reasoning_budget: int | None = None
    include_thoughts: bool | None = None
    reasoning_summary: str | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    include: list[str] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    modalities: list[str] | None = None
    previous_id: str | None = None
    extra: Extra | None = None
    kind: ClassVar[str] = "request"


@dataclass(slots=True)
class Loss:
    """Something a wire format has no place for: `what` (``text.citations``, ``stop`` ...) and the value not sent."""

    what: str
    value: Any
    reason: str = "the wire format has no place for it"

    def __str__(self) -> str:
        shown = repr(self.value)
        return f"{self.what}={shown if len(shown) <= 60 else shown[:57] + '...'} ({self.reason})"
