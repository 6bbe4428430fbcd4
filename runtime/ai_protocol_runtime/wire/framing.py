"""How events travel in a body: bytes in, `(event name or None, data)` out, and back.

Three framings are text: "sse" (WHATWG HTML, section 9.2, "Server-sent events"), "ndjson" (one JSON text a line,
github.com/ndjson/ndjson-spec) and "json-array" (one JSON array, RFC 8259, read while it grows). One is binary:
"eventstream", in eventstream.py. All is incremental and pure: the bytes may be cut anywhere, in the middle of a
character too; the events are the same, each given with the bytes that complete it. Bytes that are not UTF-8 become
U+FFFD, and a byte order mark is skipped at the very start only (WHATWG Encoding, "UTF-8 decode").
"""

from __future__ import annotations

import re
from codecs import utf_8_decode
from collections.abc import Callable
from typing import Protocol, TypeAlias

from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError

from .eventstream import EventStreamDecoder, EventStreamEncoder

Frame: TypeAlias = tuple[str | None, str]
"""One event: its name, or None where it has none, and its data."""

MAX_EVENT = 64 * 1024 * 1024
"""Characters that one event may have by default: room for images in base64, and a limit for a body without any."""

MAX_STRAY = 1024 * 1024
"""Characters of `stray` that are kept: enough for the whole body that some send where a stream was asked for."""

_WHITESPACE = " \t\n\r"


class FrameDecoder(Protocol):
    """Bytes to events. What feed raises for is final: the decoder is of no use after it."""

    @property
    def complete(self) -> bool:
        """Whether the body may end here: nothing is half read. If the *answer* is complete, only its events can say.

        It keeps its value in `close`, so that an end that came too early can still be seen afterwards.
        """

    @property
    def stray(self) -> str:
        """What was no part of an event, the first `MAX_STRAY` characters of it.

        In a body without any event this is what came instead of a stream: an HTML page, the JSON of an error or of a
        whole answer. Beside events it has no meaning.
        """

    def feed(self, data: bytes) -> list[Frame]:
        """The events that `data` completes. Raises MalformedResponseError if one is larger than `max_event`."""

    def close(self) -> list[Frame]:
        """The body has ended: the events that could have gone on. Nothing may be fed after it. Raises as `feed`."""


class FrameEncoder(Protocol):
    """Events to bytes; what it writes, the decoder of the same framing reads back."""

    def encode(self, event: str | None, value_text: str) -> bytes:
        """One event. Framings that have no event names leave `event` out."""

    def end(self) -> bytes:
        """What closes the body; empty where nothing does."""


class _Decoder:
    """What those of text share: bytes to characters, the limit, the stray text."""

    __slots__ = ("_begun", "_cut", "_max_event", "_pieces", "_size", "_stray", "_stray_size")

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._begun = False
        self._cut = b""  # the first bytes of a character
        self._pieces: list[str] = []  # what is half read, joined only when complete: no cut may cost a copy
        self._size = 0  # of the pieces
        self._stray: list[str] = []
        self._stray_size = 0

    @property
    def stray(self) -> str:
        return "".join(self._stray)[:MAX_STRAY].strip()

    def _decode(self, data: bytes, final: bool = False) -> str:
        data = self._cut + data
        text, used = utf_8_decode(data, "replace", final)
        self._cut = data[used:]
        if not self._begun and text:
            self._begun = True
            text = text.removeprefix("\ufeff")
        return text

    def _keep_stray(self, text: str) -> None:
        if self._stray_size < MAX_STRAY:
            self._stray.append(text[:MAX_STRAY])
            self._stray_size += len(text)

    def _too_large(self) -> MalformedResponseError:
        return MalformedResponseError(f"an event of the stream is larger than {self._max_event:,} characters")


class _LineDecoder(_Decoder):
    __slots__ = ("_cut_short",)

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event=max_event)
        self._cut_short = False

    @property
    def complete(self) -> bool:
        return not (self._cut_short or self._cut or self._pieces)

    def _lines(self, text: str) -> list[str]:
        """The lines that `text` completes; LF ends a line, and no other character (`str.splitlines` knows ten)."""
        lines = text.split("\n")
        rest = lines.pop()
        pieces, limit = self._pieces, self._max_event
        longest = self._size + len(text)
        if lines and pieces:
            pieces.append(lines[0])
            lines[0] = "".join(pieces)
            pieces.clear()
            self._size = 0
        if rest:
            pieces.append(rest)
            self._size += len(rest)
        if longest > limit and (self._size > limit or any(len(line) > limit for line in lines)):
            raise self._too_large()
        return lines


class SSEDecoder(_LineDecoder):
    """Server-sent events by WHATWG HTML 9.2.5 and 9.2.6 ("parsing" and "interpreting an event stream"); two departures:

    - an event that the body's end robs of its blank line is given by `close`: some providers leave that line out;
    - an event with empty data is not given: it holds no JSON, and can only be there to keep the connection alive.

    `id` and `retry`, which are for reconnecting, have no effect. Lines that are neither a known field nor a comment are
    ignored, as the standard asks, but kept in `stray`. `max_event` (default `MAX_EVENT`) is the limit, in characters,
    for each line, and for all data lines of an event together.
    """

    __slots__ = ("_after_cr", "_data", "_data_size", "_event", "_idle")

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event=max_event)
        self._after_cr = False  # the last line ended in CR, to which an LF right after it belongs
        self._event: str | None = None
        self._data: list[str] = []
        self._data_size = 0
        self._idle = False  # between two events, with nothing kept

    @property
    def complete(self) -> bool:
        return not (self._cut_short or self._cut or self._pieces or self._data or self._event)

    def feed(self, data: bytes) -> list[Frame]:
        # One whole event with one line of data, as nearly every read of a live stream is; what comes below gives the
        # same, in a third more time.
        if self._idle and data.endswith(b"\n\n") and b"\r" not in data and len(data) <= self._max_event:
            name, rest = None, data
            if data.startswith(b"event: "):
                line, _, rest = data.partition(b"\n")
                name = str(line[7:], "utf-8", "replace") or None
            if rest.startswith(b"data: {") and rest.count(b"\n") == 2:
                return [(name, str(rest[6:-2], "utf-8", "replace"))]

        text = self._decode(data)
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        frames = self._interpret(self._lines(text))
        self._idle = self._begun and not (self._cut or self._pieces or self._data or self._event or self._after_cr)
        return frames

    def close(self) -> list[Frame]:
        self._cut_short = not self.complete
        return self._interpret(self._lines(self._decode(b"", final=True) + "\n\n"))

    def _interpret(self, lines: list[str]) -> list[Frame]:
        frames: list[Frame] = []
        event, data, size, limit = self._event, self._data, self._data_size, self._max_event
        for line in lines:
            if line.startswith("data: "):  # the most frequent case of the last branch
                data.append(line[6:])
                size += len(line)
            elif not line:
                if size > limit:
                    raise self._too_large()
                if text := "\n".join(data):
                    frames.append((event, text))
                data.clear()
                event, size = None, 0
            else:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "data":
                    data.append(value)
                    size += len(line)
                elif name == "event":
                    event = value or None
                elif name not in ("", "id", "retry"):  # no name: a comment
                    self._keep_stray(line + "\n")
        if size > limit:
            raise self._too_large()
        self._event, self._data_size = event, size
        return frames


class NDJSONDecoder(_LineDecoder):
    """One JSON text a line. LF and CRLF end a line, blank lines are skipped, the last line may lack its end.

    Every other line is given, JSON or not, so `stray` is always empty. `max_event` (default `MAX_EVENT`) is the limit,
    in characters, for a line.
    """

    __slots__ = ()

    def feed(self, data: bytes) -> list[Frame]:
        return self._interpret(self._decode(data))

    def close(self) -> list[Frame]:
        self._cut_short = not self.complete
        return self._interpret(self._decode(b"", final=True) + "\n")

    def _interpret(self, text: str) -> list[Frame]:
        return [(None, value) for line in self._lines(text) if (value := line.strip(_WHITESPACE))]


_STRING = r'[^"\\]*+(?:\\.[^"\\]*+)*+("|\\?)'  # the rest of a string; the group is empty or a backslash where it is cut
_TOKEN = re.compile(rf'"{_STRING}|([][{{}},])', re.DOTALL)
_RESUME = {"": re.compile(_STRING, re.DOTALL), "\\": re.compile("." + _STRING, re.DOTALL)}  # by what it was cut after


class JSONArrayDecoder(_Decoder):
    """One JSON array, whose elements are given one by one; an object in its place is given as if the array had just it.

    An element in brackets or braces is given with its closing one, any other with the comma or bracket after it. They
    are told apart, not checked: that is for whoever parses them. A body that starts otherwise is `stray`; so is what
    comes after the end. `complete` says whether the end was seen; `close` gives nothing. `max_event` (default
    `MAX_EVENT`) is the limit, in characters, for an element with the whitespace before it.
    """

    __slots__ = ("_bare", "_depth", "_resume", "complete")

    def __init__(self, *, max_event: int = MAX_EVENT) -> None:
        super().__init__(max_event=max_event)
        self.complete = False
        self._depth: int | None = None  # 1 between elements, 0 outside the array, None before it
        self._bare = False  # one object instead of an array
        self._resume: re.Pattern[str] | None = None  # what finds the rest of a string that was cut

    def feed(self, data: bytes) -> list[Frame]:
        text = self._decode(data)
        start = 0
        if self._depth is None:
            text = text.lstrip(_WHITESPACE)
            if text:
                self._bare = text[0] == "{"
                self._depth = 1 if text[0] in "[{" else 0
                start = 1 if text[0] == "[" else 0
        if not self._depth:
            self._keep_stray(text)
        return self._elements(text, start) if self._depth and text else []

    def close(self) -> list[Frame]:
        return []

    def _elements(self, text: str, start: int) -> list[Frame]:
        frames: list[Frame] = []
        depth, at = self._depth or 0, start
        if self._resume and (rest := self._resume.match(text)):
            self._resume = _RESUME.get(rest[1])
            at = rest.end()
        for token in _TOKEN.finditer(text, at):
            mark = token[2]
            if mark is None:
                self._resume = _RESUME.get(token[1])
            elif mark in "[{":
                depth += 1
            elif mark != ",":
                depth -= 1
                if depth <= 1:
                    frames += self._element(text[start : token.start() + depth])  # the bracket that ends all is no part
                    start = token.end()
                    if self._bare or not depth:
                        self._depth, self.complete = 0, True
                        self._keep_stray(text[start:])
                        return frames
            elif depth == 1:
                frames += self._element(text[start : token.start()])
                start = token.end()
        self._depth = depth
        self._pieces.append(text[start:])
        self._size += len(text) - start
        if self._size > self._max_event:
            raise self._too_large()
        return frames

    def _element(self, text: str) -> list[Frame]:
        if self._pieces:
            self._pieces.append(text)
            text = "".join(self._pieces)
            self._pieces.clear()
            self._size = 0
        if len(text) > self._max_event:
            raise self._too_large()
        text = text.strip(_WHITESPACE)
        return [(None, text)] if text else []


_LINE_END = re.compile("\r\n|\r|\n")


class SSEEncoder:
    """Server-sent events: an `event` line if there is a name, a `data` line for each line of the text, a blank line.

    Any line end in the text is read back as LF. An empty text is read back as nothing. Raises ArgumentError for a name
    with a line end in it.
    """

    __slots__ = ()

    def encode(self, event: str | None, value_text: str) -> bytes:
        lines = [f"data: {line}\n" for line in _LINE_END.split(value_text)]
        if event is not None:
            if _LINE_END.search(event):
                raise ArgumentError(f"the name of a server-sent event must be one line: {event!r}")
            lines.insert(0, f"event: {event}\n")
        return "".join([*lines, "\n"]).encode()

    def end(self) -> bytes:
        return b""


class NDJSONEncoder:
    """One JSON text a line; line ends within it, which JSON has between tokens only, become spaces."""

    __slots__ = ()

    def encode(self, event: str | None, value_text: str) -> bytes:
        return (_LINE_END.sub(" ", value_text) + "\n").encode()

    def end(self) -> bytes:
        return b""


class JSONArrayEncoder:
    """One JSON array, an element an event; `end` closes it, and gives `[]` if there were none."""

    __slots__ = ("_opened",)

    def __init__(self) -> None:
        self._opened = False

    def encode(self, event: str | None, value_text: str) -> bytes:
        before = ",\n" if self._opened else "["
        self._opened = True
        return (before + value_text).encode()

    def end(self) -> bytes:
        return b"]" if self._opened else b"[]"


_DECODERS: dict[str, Callable[..., FrameDecoder]] = {
    "sse": SSEDecoder,
    "ndjson": NDJSONDecoder,
    "json-array": JSONArrayDecoder,
    "eventstream": EventStreamDecoder,
}
_ENCODERS: dict[str, Callable[[], FrameEncoder]] = {
    "sse": SSEEncoder,
    "ndjson": NDJSONEncoder,
    "json-array": JSONArrayEncoder,
    "eventstream": EventStreamEncoder,
}
FRAMINGS = ("sse", "ndjson", "json-array")
"""The names of the framings that are text."""


def frame_decoder(framing: str, *, max_event: int = MAX_EVENT) -> FrameDecoder:
    """A new decoder for a body in `framing`. Raises ArgumentError if there is no such framing."""
    _check(framing)
    return _DECODERS[framing](max_event=max_event)


def frame_encoder(framing: str) -> FrameEncoder:
    """A new encoder for a body in `framing`. Raises ArgumentError if there is no such framing."""
    _check(framing)
    return _ENCODERS[framing]()


def _check(framing: str) -> None:
    if framing not in _DECODERS:
        raise ArgumentError(f"there is no framing {framing!r}; there are {', '.join(_DECODERS)}")
