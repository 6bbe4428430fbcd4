"""Keeping keys out of whatever is shown: exact occurrences, and the shortened forms in which providers echo them."""

from __future__ import annotations

import re
from typing import Any

from ai_protocol_runtime.transport.base import MASK, SHORTEST, mask

# Only from the beginning of a word, and bounded, so that a body cannot make it slow.
_SHORTENED = re.compile(r"(?<![\w-])([\w-]{0,200})(?:\*{2,}|\.{3}|…|•+)([\w-]{0,200})")


def scrub(value: Any, secrets: tuple[str, ...]) -> Any:
    """The same JSON (or text) without the secrets: ``***`` stands in their place."""
    long = tuple(secret for secret in secrets if len(secret) >= SHORTEST)
    return _scrub(value, long) if long else value


def _scrub(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return _SHORTENED.sub(lambda found: _hidden(found, secrets), mask(value, secrets))
    if isinstance(value, dict):
        return {_scrub(key, secrets): _scrub(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrub(item, secrets) for item in value]
    return value


def _hidden(found: re.Match[str], secrets: tuple[str, ...]) -> str:
    head, tail = found[1], found[2]
    echoes = (head or tail) and any(secret.startswith(head) and secret.endswith(tail) for secret in secrets)
    return MASK if echoes else found[0]
