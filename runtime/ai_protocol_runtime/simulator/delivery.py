"""An answer on its way: as one body, or as the frames of a stream, complete or broken off as the model's name says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, TypeAlias

from ai_protocol_runtime.types import (
    Answer,
    FinalCandidate,
    Loss,
    Part,
    PartEnded,
    StreamError,
    StreamingEvent,
    ToolCallEnded,
)
from ai_protocol_runtime.wire import WireFormat
from ai_protocol_runtime.wire.framing import frame_encoder

from .events import events_of

Step: TypeAlias = bytes | float
"""A piece of a body, or seconds to wait before the next; for ever when infinite."""

CONTENT_TYPES = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "json-array": "application/json"}
GARBAGE = '{"this is": no JSON'


@dataclass(slots=True)
class Delivery:
    """How an answer is sent.

    `pace` is the seconds before each event. `ending` is ``complete``, or what happens instead of the end: ``cut``,
    ``drop``, ``stall``, ``garbled`` or ``error`` (a stream then ends with `error`, an error object). It happens in the
    middle, or with `all_said` after all that the answer holds.
    """

    answer: Answer
    pace: float = 0.0
    ending: str = "complete"
    error: dict[str, Any] | None = None
    all_said: bool = False

    def whole(self, wire: WireFormat) -> tuple[int, Iterator[Step]]:
        """The length to announce, and the steps of the body."""
        body = json.dumps(wire.encode_answer(self.answer), ensure_ascii=False).encode()
        if self.ending == "garbled":
            body = GARBAGE.encode()
        said = body if self.ending in ("complete", "garbled") else body[: len(body) // 2]
        return len(said) if self.ending == "cut" else len(body), self._steps([said])

    def stream(self, wire: WireFormat, framing: str) -> Iterator[Step]:
        """The steps of the body of a stream."""
        encoder, frames = wire.stream_encoder(), frame_encoder(framing)
        sent = [
            frames.encode(name, json.dumps(value, ensure_ascii=False))
            for event in self._events(wire)
            for name, value in encoder.feed(event)
        ]
        if self.ending == "garbled":
            sent.append(frames.encode(None, GARBAGE))
        elif self.ending in ("complete", "error"):
            if encoder.closing is not None and self.ending == "complete":
                sent.append(frames.encode(None, encoder.closing))
            sent.append(frames.end())
        return self._steps([piece for piece in sent if piece])

    def _events(self, wire: WireFormat) -> list[StreamingEvent]:
        # What was sent in pieces cannot be signed afterwards, where pieces are answers of their own.
        events = list(events_of(_sayable(self.answer, wire), sign_whole=wire.stream["manner"] == "pieces"))
        if self.ending == "complete":
            return events
        said = list(takewhile(lambda event: not isinstance(event, FinalCandidate), events[:-1]))
        if not self.all_said:
            said = said[: (len(said) + 1) // 2]
        elif isinstance(said[-1], PartEnded | ToolCallEnded):
            # What is broken off is not finished either.
            said.pop()
        return said if self.error is None else [*said, StreamError(self.error)]

    def _steps(self, pieces: list[bytes]) -> Iterator[Step]:
        for piece in pieces:
            if self.pace:
                yield self.pace
            yield piece
        if self.ending == "stall":
            yield math.inf
        if self.ending in ("drop", "stall"):
            raise ConnectionResetError("it was broken off by the other side")


def _sayable(answer: Answer, wire: WireFormat) -> Answer:
    """`answer` without what the format has no place for, so that a stream leaves out what a whole answer does."""
    losses: list[Loss] = []
    wire.encode_answer(answer, losses)
    lost = {loss.what for loss in losses}

    def kept(part: Part) -> Part:
        absent: Any = {name: None for name in ("signature", "logprobs") if f"{part.kind}.{name}" in lost}
        return replace(part, **absent) if absent else part

    candidates = []
    for candidate in answer.candidates:
        parts = [kept(part) for part in candidate.message.parts if part.kind not in lost]
        candidates.append(replace(candidate, message=replace(candidate.message, parts=parts)))
    return replace(answer, candidates=candidates)
