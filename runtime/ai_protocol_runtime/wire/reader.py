"""Bytes of a stream in, events out: framing, JSON and decoding in one object without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_protocol_runtime.types import Answer, StreamingEvent
from ai_protocol_runtime.types.errors import MalformedResponseError, StreamInterruptedError

from . import jsontext
from .framing import MAX_EVENT, frame_decoder

if TYPE_CHECKING:
    from .format import WireFormat


class StreamReader:
    """`feed` what arrives, cut anywhere; `close` when the body ends.

    `close` returns events that end with StreamEnd, or raises StreamInterruptedError (its `partial` is the Answer as
    far as it came) when the wire format's terminal event was not seen, and MalformedResponseError when there was no
    event at all. After a StreamError event nothing more is read.
    """

    def __init__(
        self, fmt: WireFormat, framing: str | None = None, *, max_event: int = MAX_EVENT, generated: bool = True
    ) -> None:
        self._frames = frame_decoder(framing or fmt.framings[0], max_event=max_event)
        self._decoder = fmt.stream_decoder(generated=generated)
        self._done: str | None = fmt.stream.get("done")
        self._seen = False

    @property
    def answer(self) -> Answer:
        """What has arrived so far; an unfinished tool call is not in it."""
        return self._decoder.partial

    def feed(self, data: bytes) -> list[StreamingEvent]:
        return self._events(self._frames.feed(data))

    def _events(self, frames: list[tuple[str | None, str]]) -> list[StreamingEvent]:
        decoder, done = self._decoder, self._done
        out: list[StreamingEvent] = []
        for name, data in frames:
            if decoder.failed:
                break
            self._seen = True
            if data == done:
                out += decoder.done()
            else:
                out += decoder.feed(jsontext.loads(data, what="event"), name)
        return out

    def close(self) -> list[StreamingEvent]:
        decoder = self._decoder
        try:
            out = self._events(self._frames.close())
        except MalformedResponseError as error:
            if self._frames.complete:
                raise
            out = []  # the body ended inside an event
            if not decoder.terminal:
                raise self._interrupted() from error
        if decoder.failed:
            return out
        if not self._seen:
            stray = self._frames.stray
            if stray.strip():
                jsontext.loads(stray, what="stream")  # says so if it is HTML, or no JSON at all
                raise MalformedResponseError("the answer is JSON where a stream was asked for", body=stray)
            raise MalformedResponseError("the stream was empty")
        if not decoder.terminal:
            raise self._interrupted()
        return out + decoder.finish()

    def _interrupted(self) -> StreamInterruptedError:
        return StreamInterruptedError(
            "the stream ended before the answer was complete; what had arrived is in `partial`", partial=self.answer
        )
