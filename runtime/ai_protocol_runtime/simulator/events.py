"""A whole answer as the events of a stream: the inverse of putting a stream together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

from ai_protocol_runtime.types import (
    Answer,
    Candidate,
    CitationDelta,
    FinalCandidate,
    LogprobsDelta,
    Metadata,
    PartEnded,
    PartialContentDelta,
    PartialToolCall,
    PartStarted,
    Reasoning,
    Refusal,
    RefusalDelta,
    ResponseStarted,
    SignatureDelta,
    StreamEnd,
    StreamError,
    StreamingEvent,
    Text,
    ThinkingDelta,
    ToolCall,
    ToolCallEnded,
    ToolCallStarted,
)
from ai_protocol_runtime.wire.assembly import announcement

from .tokens import tokens

TOKENS_A_PIECE = 3


def events_of(answer: Answer, pieces: int | None = None, *, sign_whole: bool = False) -> Iterator[StreamingEvent]:
    """The events that make `answer`, text in pieces of `pieces` characters (default: of three tokens).

    With `sign_whole`, a part that is signed comes as a whole. Several candidates come in turns. An answer with an error
    ends with it, as a stream does.
    """
    yield ResponseStarted(answer.id, answer.model, answer.created)
    if answer.usage is not None:
        # What was read is known before anything is written.
        yield Metadata(replace(answer.usage, output=0, reasoning=0, audio_output=None, raw=None))
    by_candidate = [_candidate(one, number, pieces, sign_whole) for number, one in enumerate(answer.candidates)]
    for turn in zip_longest(*by_candidate):
        yield from (event for event in turn if event is not None)
    if answer.error is not None:
        yield StreamError(answer.error)
        return
    for number, candidate in enumerate(answer.candidates):
        yield FinalCandidate(number, candidate.finish_reason)
    if answer.usage is not None:
        yield Metadata(answer.usage)
    yield StreamEnd(answer)


def _candidate(candidate: Candidate, number: int, pieces: int | None, sign_whole: bool) -> Iterator[StreamingEvent]:
    for index, part in enumerate(candidate.message.parts):
        signature = getattr(part, "signature", None)
        if sign_whole and signature is not None and not isinstance(part, ToolCall):
            yield PartEnded(index, part, number)
            continue
        if isinstance(part, Text | Reasoning | Refusal) and (announced := announcement(part)) is not None:
            yield PartStarted(index, announced, number)
        if isinstance(part, Text):
            yield from (PartialContentDelta(index, piece, number) for piece in cut(part.text, pieces))
            if part.logprobs is not None:
                yield LogprobsDelta(index, part.logprobs, number)
            for citation in part.citations or ():
                yield CitationDelta(index, citation, number)
        elif isinstance(part, Reasoning):
            yield from (ThinkingDelta(index, piece, number) for piece in cut(part.text, pieces))
        elif isinstance(part, Refusal):
            yield from (RefusalDelta(index, piece, number) for piece in cut(part.text, pieces))
        elif isinstance(part, ToolCall):
            yield ToolCallStarted(index, part.id, part.name, number, part.extra)
            yield from (PartialToolCall(index, piece, number) for piece in cut(part.arguments, pieces))
        else:
            yield PartStarted(index, part, number)
        if signature is not None:
            yield SignatureDelta(index, signature, number)
        yield ToolCallEnded(index, part, number) if isinstance(part, ToolCall) else PartEnded(index, part, number)
    if candidate.logprobs is not None:
        yield LogprobsDelta(max(0, len(candidate.message.parts) - 1), candidate.logprobs, number)


def cut(text: str, pieces: int | None) -> Iterator[str]:
    """`text` in pieces of so many characters; by default of `TOKENS_A_PIECE` tokens."""
    units = tokens(text) if pieces is None else list(text)
    size = TOKENS_A_PIECE if pieces is None else pieces
    for start in range(0, len(units), size):
        yield "".join(units[start : start + size])
