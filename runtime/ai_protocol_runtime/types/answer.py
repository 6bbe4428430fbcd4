"""What a model gave back: whole, or put together from a stream; the two are equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from .parts import Citation, Extra, Message, Raw, Text
from .request import Loss
from .usage import Usage


@dataclass(slots=True)
class Candidate:
    """One of the answers of a call (`n` > 1 gives several).

    `finish_reason` is ours: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ``pause``, ``error``, or the
    provider's own word where no map knows it. `tool_calls` is said whenever the message holds one, whatever the
    provider called it; `finish_word` and `finish_detail` are what the provider wrote.
    """

    message: Message = field(default_factory=Message)
    finish_reason: str | None = None
    finish_word: str | int | None = None  # a number where enums are sent as numbers
    finish_detail: str | None = None
    citations: list[Citation | Raw] | None = None  # while it is read; they come to rest with the texts they are for
    index: int | None = None
    stop_sequence: str | None = None
    logprobs: Any = None
    extra: Extra | None = None
    kind: ClassVar[str] = "candidate"


@dataclass(slots=True)
class Call:
    """What is known of the call that brought an answer, apart from what the answer says.

    `provider` and `protocol` are manifest ids, `attempts` how often it was sent, `rate_limits` the provider's own
    figures (by the names of its manifest), `losses` what the wire format had no place for, `headers` the answer's
    headers in lower case.
    """

    provider: str
    protocol: str
    model: str
    status: int | None = None
    request_id: str | None = None
    attempts: int = 1
    rate_limits: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Answer:
    """`id` and `model` as the provider says them, `created` in Unix seconds. `error` is the provider's own error
    object, where it sits inside an answer; `blocked` why it would not even read the prompt (then there is no
    candidate)."""

    id: str | None = None
    model: str | None = None
    created: float | None = None
    candidates: list[Candidate] = field(default_factory=list)
    usage: Usage | None = None
    service_tier: str | None = None
    fingerprint: str | None = None
    error: Any = None
    blocked: str | None = None
    extra: Extra | None = None
    call: Call | None = field(default=None, compare=False)
    kind: ClassVar[str] = "answer"

    @property
    def message(self) -> Message:
        """The first candidate's message; an empty assistant message where there is none."""
        return self.candidates[0].message if self.candidates else Message("assistant")

    @property
    def finish_reason(self) -> str | None:
        if not self.candidates and self.blocked:
            return "content_filter"
        return self.candidates[0].finish_reason if self.candidates else None

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.message.parts if isinstance(part, Text))
