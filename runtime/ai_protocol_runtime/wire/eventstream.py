"""The binary framing `application/vnd.amazon.eventstream`: checked messages of headers and a payload.

https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html; what the headers mean is in
https://smithy.io/2.0/aws/amazon-eventstream.html. A message is, all numbers big-endian:

    total length 4 | length of the headers 4 | CRC-32 of these eight bytes 4 | headers | payload | CRC-32 of all before 4

An event's name is its `:event-type`. A message that reports a failure is an event too: an exception is named by its
`:exception-type`, an error without a shape of its own is `error`; as their payload does not say what kind they are, it
is given the key that JSON bodies of the same protocols say it with, `__type`.
"""

from __future__ import annotations

from struct import Struct, error
from typing import TYPE_CHECKING, Any
from zlib import crc32

from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError

from . import jsontext

if TYPE_CHECKING:
    from .framing import Frame

ERROR = "error"
"""The name of a failure that has no type of its own."""

MAX_HEADERS = 128 * 1024
"""Bytes of headers that the specification allows."""

_MAX_STRAY = 1024 * 1024
_PRELUDE = Struct(">III")
_CHECKSUM = Struct(">I")
_LENGTH = Struct(">H")
_FRAMING = _PRELUDE.size + _CHECKSUM.size
_TEXT = 9
"""A length never begins with a byte from here on (it would be 144 MB); a text always does."""

# How many bytes a header's value has, by its type: true, false, byte, short, integer, long, then two with a length of
# their own (bytes and text), timestamp, UUID.
_SIZES = (0, 0, 1, 2, 4, 8, None, None, 8, 16)
_STRING = 7


class EventStreamDecoder:
    """Messages to events, each given with the byte that completes it.

    A body that begins as a text does is `stray`. `max_event` is the limit for a payload, in bytes.
    """

    __slots__ = ("_begun", "_buffer", "_max_event", "_need", "_stray")

    def __init__(self, *, max_event: int) -> None:
        self._max_event = max_event
        self._begun = False
        self._buffer = bytearray()
        self._need = 0  # the length of the message at the front, once its prelude is there
        self._stray: bytearray | None = None

    @property
    def complete(self) -> bool:
        return not self._buffer

    @property
    def stray(self) -> str:
        return bytes(self._stray or b"").decode("utf-8", "replace").strip()

    def feed(self, data: bytes) -> list[Frame]:
        if not self._begun and data:
            self._begun = True
            self._stray = bytearray() if data[0] >= _TEXT else None
        if self._stray is not None:
            self._stray += data[: _MAX_STRAY - len(self._stray)]
            return []
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        while len(buffer) >= _PRELUDE.size:
            if not self._need:
                self._need = self._length()
            if len(buffer) < self._need:
                break
            frames.append(_frame(bytes(buffer[: self._need])))
            del buffer[: self._need]
            self._need = 0
        return frames

    def close(self) -> list[Frame]:
        return []

    def _length(self) -> int:
        """The length of the message at the front, checked: nothing is waited for on the word of a damaged prelude."""
        total, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[:8]) != checksum:
            raise _damaged("the checksum of a prelude is wrong")
        if headers > MAX_HEADERS or total < headers + _FRAMING:
            raise _damaged(f"a message of {total} bytes cannot have {headers} bytes of headers")
        if total - headers - _FRAMING > self._max_event:
            raise MalformedResponseError(f"an event of the stream is larger than {self._max_event:,} bytes")
        return int(total)


def _frame(message: bytes) -> Frame:
    """The event in one message."""
    end = len(message) - _CHECKSUM.size
    if crc32(message[:end]) != _CHECKSUM.unpack_from(message, end)[0]:
        raise _damaged("the checksum of a message is wrong")
    payload = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    headers = _headers(message[_PRELUDE.size : payload])
    text = message[payload:end].decode("utf-8", "replace")
    kind = headers.get(":message-type", "event")
    if kind == "exception":
        name = headers.get(":exception-type") or ERROR
        return name, _typed(text, name)
    if kind == "error":
        said = jsontext.dumps({"message": headers.get(":error-message", "")})
        return ERROR, _typed(text if text.strip() else said, headers.get(":error-code", ""))
    return headers.get(":event-type"), text if text.strip() else "{}"  # its name alone says something


def _headers(data: bytes) -> dict[str, str]:
    """The headers whose values are texts, which all that this framing itself defines are."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name_end = at + 1 + data[at]
            kind, at = data[name_end], name_end + 1
            size = _SIZES[kind]
            if size is None:
                size = _LENGTH.unpack_from(data, at)[0]
                at += _LENGTH.size
            if at + size > len(data):
                raise IndexError
            if kind == _STRING:
                name = data[name_end - data[name_end - 1 - _name_size(data, name_end)] : name_end]
                found[name.decode("utf-8", "replace")] = data[at : at + size].decode("utf-8", "replace")
            at += size
    except (IndexError, error):
        raise _damaged("the headers of a message cannot be read") from None
    return found
