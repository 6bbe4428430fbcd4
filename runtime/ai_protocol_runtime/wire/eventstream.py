"""The binary framing of `application/vnd.amazon.eventstream`: checked messages, each of headers and a payload.

https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html; what the headers mean is in
https://smithy.io/2.0/aws/amazon-eventstream.html. A message is, with all numbers big-endian:

    total length 4 | length of headers 4 | CRC-32 of these 4 | headers | payload | CRC-32 of all before 4

An event's name is its `:event-type`. A message that reports a failure is an event too: an exception is named by its
`:exception-type`, a failure without a type of its own is `error`. Their payload does not say what kind they are, so it
is given the key by which JSON errors of the same services say it, `__type`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from zlib import crc32

from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError

from . import jsontext

if TYPE_CHECKING:
    from .framing import Frame

ERROR = "error"
"""The name of a failure that has no type of its own."""

MAX_HEADERS = 128 * 1024
"""Bytes of headers that a message may have, by the specification."""

_MAX_STRAY = 1024 * 1024
_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_SHORT = struct.Struct(">H")
_OVERHEAD = _PRELUDE.size + _CHECKSUM.size
_TEXT_FROM = 9
"""A text begins with this byte (a tab) or a greater one; the length of a message would then be 144 MB and more."""

_SIZES = (0, 0, 1, 2, 4, 8, None, None, 8, 16)
"""Bytes of a header's value, by its type: true, false, byte, short, integer, long, bytes and text (which have a length
of their own), timestamp, UUID."""
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
        self._need = 0  # the length of the message at the front, once its prelude has been checked
        self._stray: bytearray | None = None

    @property
    def complete(self) -> bool:
        return not self._buffer

    @property
    def stray(self) -> str:
        return str(self._stray or b"", "utf-8", "replace").strip()

    def feed(self, data: bytes) -> list[Frame]:
        if not self._begun and data:
            self._begun = True
            self._stray = bytearray() if data[0] >= _TEXT_FROM else None
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
        """The length of the message at the front; checked, so that nobody waits for what a damaged prelude promises."""
        total, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[: _PRELUDE.size - _CHECKSUM.size]) != checksum:
            raise _damaged("the checksum of a prelude is wrong")
        if headers > MAX_HEADERS or total < headers + _OVERHEAD:
            raise _damaged(f"a message of {total} bytes cannot have {headers} bytes of headers")
        if total - headers - _OVERHEAD > self._max_event:
            raise MalformedResponseError(f"an event of the stream is larger than {self._max_event:,} bytes")
        return int(total)


def _frame(message: bytes) -> Frame:
    """The event that a message holds."""
    end = len(message) - _CHECKSUM.size
    if crc32(message[:end]) != _CHECKSUM.unpack_from(message, end)[0]:
        raise _damaged("the checksum of a message is wrong")
    payload = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    headers = _headers(message[_PRELUDE.size : payload])
    text = str(message[payload:end], "utf-8", "replace").strip()
    kind = headers.get(":message-type")
    if kind == "exception":
        name = headers.get(":exception-type") or ERROR
        return name, _typed(name, text or "{}")
    if kind == "error":
        said = jsontext.dumps({"message": headers.get(":error-message", "")})
        return ERROR, _typed(headers.get(":error-code", ""), text or said)
    return headers.get(":event-type"), text or "{}"  # its name says something even so


def _typed(name: str, text: str) -> str:
    """The JSON object in `text` with its type; a type that it says itself comes later, and so counts."""
    if not text.startswith("{"):
        text = jsontext.dumps({"message": text})
    inner = text[1:].lstrip()
    return f'{{"__type":{jsontext.dumps(name)}{"" if inner.startswith("}") else ","}{inner}'


def _headers(data: bytes) -> dict[str, str]:
    """The headers whose values are texts; those with a meaning here all are."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name = data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
            kind = data[at]
            at += 1
            size = _SIZES[kind]
            if size is None:
                size = _SHORT.unpack_from(data, at)[0]
                at += _SHORT.size
            value = data[at : at + size]
            at += size
            if at > len(data):
                raise IndexError
            if kind == _STRING:
                found[str(name, "utf-8", "replace")] = str(value, "utf-8", "replace")
    except (IndexError, struct.error):
        raise _damaged("the headers of a message cannot be read") from None
    return found


def _damaged(how: str) -> MalformedResponseError:
    return MalformedResponseError(f"the stream is damaged: {how}")


class EventStreamEncoder:
    """Events to messages. One whose name ends in ``Exception``, as the names of such types do, is an exception.

    Raises ArgumentError for a name of more than 65,535 bytes.
    """

    __slots__ = ()

    def encode(self, event: str | None, value_text: str) -> bytes:
        failed = event is not None and event.endswith("Exception")
        said = {
            ":exception-type" if failed else ":event-type": event,
            ":content-type": "application/json",
            ":message-type": "exception" if failed else "event",
        }
        headers = b"".join(_header(name, value) for name, value in said.items() if value is not None)
        payload = value_text.encode()
        prelude = struct.pack(">II", len(headers) + len(payload) + _OVERHEAD, len(headers))
        message = b"".join((prelude, _CHECKSUM.pack(crc32(prelude)), headers, payload))
        return message + _CHECKSUM.pack(crc32(message))

    def end(self) -> bytes:
        return b""


def _header(name: str, value: str) -> bytes:
    data = value.encode()
    if len(data) > 0xFFFF:
        raise ArgumentError(f"the name of an event is too long: {value[:40]!r}...")
    return bytes((len(name),)) + name.encode() + bytes((_STRING,)) + _SHORT.pack(len(data)) + data
