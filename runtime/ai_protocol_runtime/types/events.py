"""What a stream says, one small object at a time.

AI-Protocol's nine names, each with the `index` of the block it belongs to, and what they lack. Indices are ours: one
rising sequence over text, reasoning, tool and all other blocks of a candidate, in the order in which they began. A
block's events are: its deltas, then `PartEnded` (`ToolCallEnded` for a tool call) with the finished part,
complement and all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .answer import Answer
from .parts import Citation, Extra, Part, Raw, ToolCall
from .usage import Usage


@dataclass(slots=True)
class ResponseStarted:
    """First event of a stream. Any of them may be None where the provider says it late or never."""

    id: str | None = None
    model: str | None = None
    created: float | None = None


@dataclass(slots=True)
class PartialContentDelta:
    index: int
    content: str
    candidate: int = 0


@dataclass(slots=True)
class ThinkingDelta:
    index: int
    thinking: str
    candidate: int = 0


@dataclass(slots=True)
class RefusalDelta:
    index: int
    refusal: str
    candidate: int = 0


@dataclass(slots=True)
class ToolCallStarted:
    index: int
    id: str | None
    name: str
    candidate: int = 0
    extra: Extra | None = field(default=None, compare=False, repr=False)  # the call's, as far as it is known


@dataclass(slots=True)
class PartialToolCall:
    """A fragment of a tool call's JSON text."""

    index: int
    arguments: str
    candidate: int = 0


@dataclass(slots=True)
class PartStarted:
    """A block that is no tool call has begun (`part` as far as it is known): one without deltas, or one whose beginning
    says what they will not, such as an id."""

    index: int
    part: Part
    candidate: int = 0


@dataclass(slots=True)
class SignatureDelta:
    index: int
    signature: str
    candidate: int = 0


@dataclass(slots=True)
class CitationDelta:
    index: int
    citation: Citation | Raw
    candidate: int = 0


@dataclass(slots=True)
class LogprobsDelta:
    """Log-probabilities of the tokens just sent, in the provider's form."""

    index: int
    logprobs: Any
    candidate: int = 0


@dataclass(slots=True)
class PartEnded:
    """A block is complete."""

    index: int
    part: Part
    candidate: int = 0


@dataclass(slots=True)
class ToolCallEnded:
    """A tool call is complete: only now may it be acted on."""

    index: int
    part: ToolCall
    candidate: int = 0


@dataclass(slots=True)
class Metadata:
    """Usage as far as it is known: the latest replaces the one before, never add them up."""

    usage: Usage


@dataclass(slots=True)
class FinalCandidate:
    candidate: int
    finish_reason: str | None


@dataclass(slots=True)
class RawEvent:
    """An event the wire format (`wire`) does not know, as it came."""

    value: Any
    wire: str | None = None


@dataclass(slots=True)
class StreamError:
    """The provider reported an error inside the stream: its own object. Nothing follows."""

    error: Any


@dataclass(slots=True)
class StreamEnd:
    """Last event of a complete stream, with all of it put together."""

    answer: Answer


StreamingEvent: TypeAlias = (
    ResponseStarted
    | PartialContentDelta
    | ThinkingDelta
    | RefusalDelta
    | ToolCallStarted
    | PartialToolCall
    | PartStarted
    | SignatureDelta
    | CitationDelta
    | LogprobsDelta
    | PartEnded
    | ToolCallEnded
    | Metadata
    | FinalCandidate
    | RawEvent
    | StreamError
    | StreamEnd
)
