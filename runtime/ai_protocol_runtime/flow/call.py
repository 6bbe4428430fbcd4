"""The decisions of one call: send, follow, classify, retry, give up.

Everything here is pure: a generator of commands, driven by `transport.drivers`. The rules of this file:

- A failed attempt is made again only while nothing of the answer has been handed on, the error may pass by itself, and
  neither the number of retries nor the total timeout is used up.
- A provider that says how long to wait is obeyed; if it is too long to wait, its error is final.
- What a stream says first (id, model, usage) is held back until there is content, so that a retry is not seen.
- A stream that ends without its terminal event is an error, and so is an error inside a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from tenacity import RetryCallState, Retrying, wait_exponential, wait_random

from ai_protocol_runtime.transport.base import HTTPRequest, Timeouts
from ai_protocol_runtime.transport.drivers import READ, Head, Send, Steps, Wait
from ai_protocol_runtime.types import (
    Call,
    Metadata,
    RawEvent,
    ResponseStarted,
    StreamEnd,
    StreamError,
    StreamingEvent,
)
from ai_protocol_runtime.types.errors import (
    ConnectionFailedError,
    MalformedResponseError,
    ProviderError,
    StreamInterruptedError,
    UnknownProviderError,
)
from ai_protocol_runtime.wire.jsontext import loads

from .errors import error_from_event, error_from_response, rate_limits, request_id
from .masking import scrub

if TYPE_CHECKING:
    from ai_protocol_runtime.wire import StreamReader

    from .prepare import Prepared

MAX_BODY = 32 * 1024 * 1024
"""Bytes, decompressed, that a whole answer may have."""

MAX_ERROR_BODY = 1024 * 1024
"""Bytes of an error's body that are read."""

MAX_RETRY_AFTER = 60.0
"""Seconds: the longest a provider is waited for before the next attempt."""

MAX_REDIRECTS = 5

Backoff = Callable[[RetryCallState], float]
"""Seconds to wait after a failed attempt; a tenacity wait strategy."""

BACKOFF: Backoff = wait_exponential(multiplier=0.5, max=8.0) + wait_random(0.0, 0.5)

MAX_BLANK = 64 * 1024
"""Bytes of white space that are waited out at the beginning of a stream."""

_BOM = b"\xef\xbb\xbf"
_REDIRECTS = (301, 302, 307, 308)
_NO_CONTENT = (ResponseStarted, Metadata, RawEvent)


class Conversation:
    """One call, as `Decisions` to drive. `answer` is there when it is over; `now` is the time at which it begins."""

    def __init__(self, prepared: Prepared, timeouts: Timeouts, *, max_retries: int, now: float) -> None:
        self.answer: Any = None
        self.now = now
        self._prepared, self._provider, self._timeouts = prepared, prepared.target.provider, timeouts
        self._deadline = None if timeouts.total is None else now + timeouts.total
        self._max_retries = max_retries
        self._attempts = 0
        self._head = Head(0, {})
        self._delivered = False

    def outcome(self) -> Any:
        """The answer, when the call is over: an `Answer`, or that of another service."""
        assert self.answer is not None  # the steps end with an answer or an error
        return self.answer

    def steps(self) -> Steps:
        while True:
            self._attempts += 1
            try:
                yield from self._stream() if self._prepared.stream else self._whole()
                return
            except ProviderError as error:
                self._complete(error)
                pause = self._pause(error)
                if pause is None:
                    raise
            yield Wait(pause)

    def _complete(self, error: ProviderError) -> None:
        """Add to an error what the call knows, and take away what nobody may see."""
        target, head, secrets = self._prepared.target, self._head, self._prepared.request.secrets
        error.provider, error.model = target.provider.id, target.model
        error.headers = error.headers or head.headers
        error.request_id = error.request_id or request_id(target.provider, head.headers)
        if isinstance(error, MalformedResponseError):
            error.status = error.status or head.status or None
        error.message = scrub(error.message, secrets)
        error.args = (error.message,)
        error.body, error.headers = scrub(error.body, secrets), scrub(error.headers, secrets)

    def _pause(self, error: ProviderError) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        if not error.retryable or self._delivered or self._attempts > self._max_retries:
            return None
        if error.retry_after is not None:
            pause = error.retry_after
            if pause > MAX_RETRY_AFTER:
                return None
        else:
            state = RetryCallState(Retrying(), None, (), {})
            state.attempt_number = self._attempts
            pause = BACKOFF(state)
        if self._deadline is not None and self.now + pause >= self._deadline:
            return None
        return pause

    # one attempt

    def _whole(self) -> Steps:
        yield from self._send()
        body = yield from self._body(MAX_BODY)
        self.answer = self._read(body)

    def _stream(self) -> Steps:
        yield from self._send()
        first = yield from self._first()
        streaming = self._prepared.stream
        assert streaming is not None  # so it was asked for
        framing = _framing(first, streaming.framings)
        if framing is None:
            rest = yield from self._body(MAX_BODY)
            self._read(first + rest)
            raise MalformedResponseError("a stream was asked for, and a whole answer came", body=first + rest)
        reader = streaming.wire.stream_reader(framing)
        held: list[StreamingEvent] = []
        data: bytes | None = first
        try:
            while data is not None:
                events = reader.feed(data)
                if events:
                    held += events
                    if self._delivered or not all(isinstance(event, _NO_CONTENT) for event in events):
                        yield from self._deliver(held, reader)
                        held = []
                data = yield READ
            held += reader.close()
        except StreamInterruptedError:
            raise
        except ProviderError as error:
            held += _last_words(reader, error)
        yield from self._deliver(held, reader)

    def _deliver(self, events: list[StreamingEvent], reader: StreamReader) -> Steps:
        """Hand events on; an error among them is the last, and raised."""
        last = events[-1] if events else None
        if isinstance(last, StreamError):
            error = error_from_event(self._provider, last.error, headers=self._head.headers, partial=reader.answer)
            if self._delivered and len(events) > 1:
                yield events[:-1]
            raise error
        if isinstance(last, StreamEnd):
            self.answer = last.answer
            self.answer.call = self._call()
        self._delivered = True
        yield events

    def _send(self) -> Generator[Any, Any, None]:
        """Send, follow redirects, and stop at whatever is no success."""
        request = self._prepared.request
        for _ in range(MAX_REDIRECTS):
            timeouts = self._timeouts
            if self._deadline is not None:
                timeouts = replace(timeouts, total=max(self._deadline - self.now, 0.001))
            self._head = Head(0, {})
            self._head = yield Send(request, timeouts)
            if self._head.status not in _REDIRECTS or "location" not in self._head.headers:
                break
            request = _followed(request, self._head)
        else:
            raise UnknownProviderError(f"more than {MAX_REDIRECTS} redirects, the last to {request.url}")
        if not 200 <= self._head.status < 300:
            body = yield from self._body(MAX_ERROR_BODY, cut=True)
            raise error_from_response(self._provider, status=self._head.status, headers=self._head.headers, body=body)

    def _body(self, limit: int, *, cut: bool = False) -> Generator[Any, bytes | None, bytes]:
        """The whole body. Beyond `limit` bytes it is an error, or is cut off: as it is if it breaks off by itself."""
        pieces: list[bytes] = []
        size = 0
        try:
            while (data := (yield READ)) is not None:
                pieces.append(data)
                size += len(data)
                if size > limit:
                    if cut:
                        break
                    raise MalformedResponseError(f"the answer is larger than {limit} bytes")
        except ProviderError:
            if not cut:
                raise
        return b"".join(pieces)

    def _first(self) -> Generator[Any, bytes | None, bytes]:
        """The beginning of a body, up to where something is in it."""
        first = b""
        while len(first) < MAX_BLANK and not first.removeprefix(_BOM).strip():
            data = yield READ
            if data is None:
                break
            first += data
        return first

    def _read(self, body: bytes) -> Any:
        """The answer in a whole body; an error in it is raised."""
        provider, head = self._provider, self._head
        value = loads(body, what="answer")
        try:
            answer = self._prepared.read(value)
        except MalformedResponseError:
            raise error_from_response(provider, status=head.status, headers=head.headers, body=body) from None
        answer.call = self._call()
        if answer.error is not None:
            partial = answer if getattr(answer, "candidates", None) else None
            raise error_from_event(provider, answer.error, headers=head.headers, partial=partial)
        return answer

    def _call(self) -> Call:
        target, head = self._prepared.target, self._head
        return Call(
            provider=target.provider.id,
            protocol=target.protocol,
            model=target.model,
            status=head.status,
            request_id=request_id(target.provider, head.headers),
            attempts=self._attempts,
            rate_limits=rate_limits(target.provider, head.headers),
            losses=self._prepared.losses,
            headers=head.headers,
        )


def _last_words(reader: StreamReader, error: ProviderError) -> list[StreamingEvent]:
    """The end of a stream that broke after it; else the error, with what had come."""
    if error.partial is not None:  # it came inside the stream, and is the last word
        raise error
    try:
        return reader.close()
    except StreamInterruptedError as cut:
        if isinstance(error, ConnectionFailedError):
            raise cut from error
        error.partial = cut.partial
    raise error


def _framing(first: bytes, framings: list[str]) -> str | None:
    """How a body that begins like this is framed; None if it is no stream. Content types are not to be relied on."""
    start = first.removeprefix(_BOM).lstrip()[:1]
    if start == b"[" and "json-array" in framings:
        return "json-array"
    if start == b"{" and "ndjson" in framings:
        return "ndjson"
    if start in (b"[", b"{", b"<", b""):
        return None
    return framings[0]


def _followed(request: HTTPRequest, head: Head) -> HTTPRequest:
    """The same request at the place it was redirected to, on the same server: a key goes nowhere else."""
    location = head.headers["location"]
    try:
        there = urljoin(request.url, location)
        old, new = urlsplit(request.url), urlsplit(there)
    except ValueError:
        raise UnknownProviderError(f"the server redirects to {location!r}, which is no address") from None
    if (old.scheme, old.netloc.lower()) != (new.scheme, new.netloc.lower()):
        raise UnknownProviderError(
            f"the server redirects to {new.scheme}://{new.netloc}, and a key is not sent to another server than it was "
            "given for; if that is the right one, set base_url",
        )
    return replace(request, url=there)
