"""Content decoding that makes no large piece out of a small one: a gzip bomb comes out in slices, to be counted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from ai_protocol_runtime.types.errors import MalformedResponseError

ACCEPTED = "gzip, deflate"
"""What a request may ask for: the encodings that `decoder` knows."""

SLICE = 256 * 1024

Decode = Callable[[bytes], Iterator[bytes]]


def decoder(encoding: str) -> Decode | None:
    """How to decode a body sent with this ``content-encoding``; None where nothing is to be done.

    Raises `MalformedResponseError` for an encoding that was not asked for.
    """
    names = [name for name in encoding.lower().replace(" ", "").split(",") if name not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise MalformedResponseError(f"the answer has content-encoding {encoding!r}, but {ACCEPTED!r} was asked for")
    return _Inflate().decode


class _Inflate:
    def __init__(self) -> None:
        self._zlib: zlib._Decompress | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._zlib is None:
                self._zlib = zlib.decompressobj(_window(data))
            try:
                out = self._zlib.decompress(data, SLICE)
            except zlib.error as error:
                raise MalformedResponseError(f"the answer's body cannot be decompressed: {error}") from None
            if out:
                yield out
            data = self._zlib.unconsumed_tail
            if self._zlib.eof:
                # Several gzip members may follow each other.
                data, self._zlib = self._zlib.unused_data, None


def _window(data: bytes) -> int:
    """zlib's window argument. Some servers send "deflate" without the zlib header that RFC 9110 asks for."""
    headed = data[:1] == b"\x1f" or (data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0))
    return zlib.MAX_WBITS | 32 if headed else -zlib.MAX_WBITS
