"""The argument `timeout`, and what a manifest says, as timeouts of the transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.transport.base import Timeouts
from ai_protocol_runtime.types.errors import ArgumentError

_NAMES = tuple(field.name for field in fields(Timeouts))


def read_timeout(timeout: Any, usual: Timeouts) -> Timeouts:
    """`usual`, with what `timeout` says laid over it.

    A number is how long the provider may be silent, in seconds: until its answer begins (a whole answer is there soon
    after) and between two pieces of a stream; a connection may take no longer either. A dict sets ``connect``,
    ``first_byte``, ``idle`` and ``total`` (the whole call, with its retries) one by one, None for no limit. An object
    with ``connect`` and ``read``, like `httpx.Timeout`, sets connection and silence.

    Raises `ArgumentError` for anything else.
    """
    if timeout is None:
        return usual
    if _is_seconds(timeout):
        connect = timeout if usual.connect is None else min(usual.connect, timeout)
        return replace(usual, connect=connect, first_byte=timeout, idle=timeout)
    if isinstance(timeout, Mapping):
        for name, seconds in timeout.items():
            if name not in _NAMES:
                raise ArgumentError(f"timeout has no key {name!r}{nearest(str(name), _NAMES, all_of=True)}")
            if seconds is not None and not _is_seconds(seconds):
                raise ArgumentError(f"timeout[{name!r}] must be a number of seconds above 0, or None, not {seconds!r}")
        return replace(usual, **timeout)
    if hasattr(timeout, "connect") and hasattr(timeout, "read"):
        return replace(usual, connect=timeout.connect, first_byte=timeout.read, idle=timeout.read)
    raise ArgumentError(f"timeout must be seconds (above 0) or a dict of {', '.join(_NAMES)}, not {timeout!r}")


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
