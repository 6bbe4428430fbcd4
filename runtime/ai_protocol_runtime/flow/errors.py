"""What a provider says has gone wrong -> one class of the tree, by the rules of its manifest and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ai_protocol_runtime.manifest.schema import ErrorRule, ProviderManifest
from ai_protocol_runtime.types import Answer
from ai_protocol_runtime.types.errors import (
    ERROR_CLASSES,
    MalformedResponseError,
    ProviderError,
    UnknownProviderError,
)
from ai_protocol_runtime.wire.jsontext import dumps, loads

from .paths import find, steps

LONGEST = 1000
"""Characters of a body that has no message of its own, at most, in the message of an error."""

_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(r"<(?:!doctype|html)\b", re.IGNORECASE)
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS = (3600.0, 60.0, 1.0, 0.001)


def error_from_response(
    provider: ProviderManifest,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes | str,
    model: str | None = None,
) -> ProviderError:
    """The error in an answer that is no success, or that should have been and is none.

    `headers` have lower-case names. The first rule of the manifest that fits decides the class; where none does, it is
    `UnknownProviderError`, or `MalformedResponseError` if the status says that all is well.
    """
    value = _value(body)
    code = status if status >= 400 else _status(provider, value)
    other = MalformedResponseError if status < 400 else UnknownProviderError
    return _error(provider, value, code, headers, other, model=model, body=value, shown=status)


def error_from_event(
    provider: ProviderManifest,
    error: Any,
    *,
    headers: Mapping[str, str] | None = None,
    model: str | None = None,
    partial: Answer | None = None,
) -> ProviderError:
    """The error that a provider reports inside a stream, or in an answer with a status that says all is well.

    `error` is its own object, with or without what stands around it; `partial` is what had come of the answer.
    """
    around = {"error": error}
    value = around if _text(provider.errors.message, around) is not None else error
    status = _status(provider, value)
    made = _error(provider, value, status, headers or {}, UnknownProviderError, model=model, body=error, shown=status)
    made.partial = partial
    return made


def request_id(provider: ProviderManifest, headers: Mapping[str, str]) -> str | None:
    """The provider's own id of a request, from the headers of its answer."""
    return next((headers[name.lower()] for name in provider.request_id_headers if name.lower() in headers), None)


def rate_limits(provider: ProviderManifest, headers: Mapping[str, str]) -> dict[str, str]:
    """The provider's figures on its rate limits, by the names of the manifest."""
    named = ((figure, headers.get(name.lower())) for figure, name in provider.rate_limit_headers.items())
    return {figure: value for figure, value in named if value is not None}


def _error(
    provider: ProviderManifest,
    value: Any,
    status: int | None,
    headers: Mapping[str, str],
    otherwise: type[ProviderError],
    *,
    model: str | None,
    body: Any,
    shown: int | None,
) -> ProviderError:
    rules = provider.errors
    message = _text(rules.message, value)
    code = _first(rules.code, value, str | int)
    kind = _text(rules.type, value)
    rule = next((rule for rule in rules.rules if _fits(rule, status, code, kind, message or "")), None)
    advice = next((headers[name.lower()] for name in provider.retry.advice if name.lower() in headers), "").lower()
    retryable = {"true": True, "false": False}.get(advice, rule.retryable if rule else None)
    return (ERROR_CLASSES[rule.error] if rule else otherwise)(
        message or _described(value, otherwise),
        provider=provider.id,
        model=model,
        status=shown,
        provider_code=None if code is None else str(code),
        provider_type=kind,
        param=_text(rules.param, value),
        request_id=request_id(provider, headers) or _text(rules.request_id, value),
        retry_after=_retry_after(provider, headers, value),
        body=body,
        headers=dict(headers),
        retryable=retryable,
    )


def _fits(rule: ErrorRule, status: int | None, code: str | int | None, kind: str | None, message: str) -> bool:
    return (
        (not rule.status or status in rule.status or (status is not None and f"{status // 100}xx" in rule.status))
        and (not rule.code or (code is not None and str(code) in map(str, rule.code)))
        and (not rule.type or kind in rule.type)
        and (not rule.message or any(pattern.search(message) for pattern in rule.message))
    )


def _value(body: bytes | str) -> Any:
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        return loads(text)
    except MalformedResponseError:
        return text


def _first(paths: list[str], value: Any, kind: Any) -> Any:
    """The first value of this kind that says something, on the first path that leads to one."""
    for path in paths:
        for found in find(value, steps(path)):
            if isinstance(found, kind) and not isinstance(found, bool) and found != "":
                return found
    return None


def _text(paths: list[str], value: Any) -> str | None:
    found: str | None = _first(paths, value, str)
    return found


def _status(provider: ProviderManifest, value: Any) -> int | None:
    for path in provider.errors.status:
        for found in find(value, steps(path)):
            if isinstance(found, int) and 400 <= found < 600:
                return found
    return None


def _described(value: Any, other: type[ProviderError]) -> str:
    """What can be said of a body in which no message was found."""
    if value in ("", None, {}, []) or (isinstance(value, str) and not value.strip()):
        return "the provider gave no reason"
    if not isinstance(value, str):
        says = "this is no answer" if other is MalformedResponseError else "the provider says"
        return f"{says}: {_cut(dumps(value))}"
    if _HTML.search(value[:LONGEST]):
        title = _TITLE.search(value)
        return (
            f"an HTML page came instead of an answer{f' ({_cut(title[1])})' if title else ''}; "
            "is the base URL right, or is a proxy in between?"
        )
    return _cut(value.strip())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _retry_after(provider: ProviderManifest, headers: Mapping[str, str], value: Any) -> float | None:
    for name in provider.retry.headers:
        text = headers.get(name.lower())
        if text is not None:
            seconds = _seconds(text, headers.get("date"))
            if seconds is not None:
                return seconds / 1000 if name.lower().endswith("-ms") else seconds
    for path in provider.retry.paths:
        for found in find(value, steps(path)):
            seconds = _seconds(str(found)) if isinstance(found, str | int | float) else None
            if seconds is not None:
                return seconds
    return None


def _seconds(text: str, sent: str | None = None) -> float | None:
    """``13``, ``13.5s``, ``1m30s``, ``250ms``, or a date, counted from the one on which the answer was `sent`."""
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        match = _TIME.fullmatch(text)
        if match is not None and text:
            seconds = sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
        else:
            until, now = _date(text), _date(sent or "")
            if until is None or now is None:
                return None
            seconds = (until - now).total_seconds()
    return max(seconds, 0.0) if seconds < float("inf") else None


def _date(text: str) -> datetime | None:
    """A date of HTTP or of ISO 8601."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(text)
        except ValueError:
            continue
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return None
