"""Errors as providers send them: an HTTP status, and an object that every client finds its fields in."""

from __future__ import annotations

from typing import Any

from ai_protocol_runtime.types.errors import ERROR_CLASSES, ProviderError
from ai_protocol_runtime.wire import ServiceFormat, WireFormat

_STATUS = {
    "invalid_request": 400,
    "context_overflow": 400,
    "authentication": 401,
    "quota_exhausted": 402,
    "permission_denied": 403,
    "not_found": 404,
    "timeout": 408,
    "conflict": 409,
    "request_too_large": 413,
    "rate_limited": 429,
    "cancelled": 499,
    "server_error": 500,
    "overloaded": 503,
}
_RETRY_AFTER = {429: 1.0}


def status_of(error: ProviderError) -> int:
    """The HTTP status to answer with."""
    return error.status or _STATUS.get(error.name, 500)


def error_of_status(status: int) -> ProviderError:
    """The error that a provider means by an HTTP status."""
    name = next((name for name, own in _STATUS.items() if own == status), "overloaded" if status == 529 else None)
    kind = ERROR_CLASSES[name or ("invalid_request" if status < 500 else "server_error")]
    message = f"The simulated model was told to fail with {status}."
    return kind(message, status=status, retry_after=_RETRY_AFTER.get(status))


def error_body(wire: WireFormat | ServiceFormat | None, error: ProviderError) -> Any:
    """The body of an HTTP error: `error_object`, in the shape that the wire format gives errors, or the message."""
    fields = error_object(error)
    if wire is None:
        return {"error": fields}
    body = wire.error_body(fields)
    return body if isinstance(body, dict) else wire.error_body(error.message)


def error_object(error: ProviderError) -> dict[str, Any]:
    """What stands in an error body: the message, words for the kind, and the status, which streams lack."""
    return {
        "message": error.message,
        "type": error.name,
        "code": error.provider_code or error.name,
        "param": error.param,
        "status": error.name.upper(),
        "status_code": status_of(error),
    }
