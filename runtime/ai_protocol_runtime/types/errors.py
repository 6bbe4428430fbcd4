"""One tree of errors; whose fault it is shows in the class.

    AIProtocolError
    ├── UsageError                  yours
    │   ├── ArgumentError              an argument is misspelt, of the wrong type, or does not fit another
    │   ├── ManifestError              a manifest is broken, or names something that is not there
    │   ├── CredentialError            no key was found; nothing was sent
    │   └── UnsupportedError           the provider, or its wire format, has no place for what you ask
    └── ProviderError               theirs                                                    code   retry  fall back
        ├── InvalidRequestError        400, 422: the request is not one they take            E1001    -       -
        │   └── ContextOverflowError   the input does not fit the model's context window     E1001    -      yes
        ├── AuthenticationError        401: the key is not valid                             E1002    -      yes
        ├── PermissionDeniedError      403: the key may not do this                          E1003    -       -
        ├── NotFoundError              404: no such model or path                            E1004    -       -
        ├── RequestTooLargeError       413: too many bytes                                   E1005    -       -
        ├── RateLimitedError           429: too many calls                                   E2001   yes     yes
        ├── QuotaExhaustedError        402, 429: paid for no more                            E2002    -      yes
        ├── ServerError                5xx                                                   E3001   yes     yes
        │   ├── MalformedResponseError    what came back is not what the protocol says       E3001   yes     yes
        │   ├── ConnectionFailedError     no connection, or it broke before an answer        E3001   yes     yes
        │   └── StreamInterruptedError    a stream ended without its terminal event          E3001   yes     yes
        ├── OverloadedError            503, 529                                              E3002   yes     yes
        ├── ProviderTimeoutError       408, 504, or no answer in time                        E3003   yes     yes
        ├── ConflictError              409                                                   E4001   yes      -
        ├── CancelledError             499, or cancelled by the caller                       E4002    -       -
        └── UnknownProviderError       anything else                                         E9999    -       -

Codes and flags are AI-Protocol's standard error codes (its ``schemas/v2/error-codes.yaml``); context overflow may fall
back, because another model may have a larger window.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AIProtocolError(Exception):
    """Base of every error this package raises on purpose.

    `message` says what happened and what to do next. `name` and `code` are AI-Protocol's; `retryable`: the same
    call may succeed later; `fallbackable`: another model or provider may answer.
    """

    code: ClassVar[str] = "E9999"
    name: ClassVar[str] = "unknown"
    retryable: bool = False
    fallbackable: bool = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(AIProtocolError):
    code = "E1001"
    name = "invalid_request"


class ArgumentError(UsageError, ValueError):
    """An argument is misspelt, of the wrong type, or does not fit another."""


class ManifestError(UsageError):
    """A manifest is broken. `file`, `line` (from 1) and `key` say where, as far as they are known."""

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        where = file or ""
        if where and line is not None:
            where += f":{line}"
        super().__init__(f"{where}: {message}" if where else message)
        self.file, self.line, self.key = file, line, key


class CredentialError(UsageError):
    """No key was found; nothing was sent."""

    code = "E1002"
    name = "authentication"


class UnsupportedError(UsageError):
    """The provider, or its wire format, has no place for what was asked."""


class ProviderError(AIProtocolError):
    """What a provider (or the way to it) did.

    `status` is the HTTP status (None when there was no answer), `provider_code` and `provider_type` the provider's
    own words, `param` the argument it blames, `retry_after` seconds, `body` the raw error body, `headers` the
    answer's headers. `partial` is what a broken stream had brought (an `Answer`).
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status: int | None = None,
        provider_code: str | None = None,
        provider_type: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        partial: Any = None,
        retryable: bool | None = None,
        fallbackable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.provider, self.model, self.status = provider, model, status
        self.provider_code, self.provider_type, self.param = provider_code, provider_type, param
        self.request_id, self.retry_after = request_id, retry_after
        self.body, self.headers, self.partial = body, headers or {}, partial
        if retryable is not None:
            self.retryable = retryable
        if fallbackable is not None:
            self.fallbackable = fallbackable

    def __str__(self) -> str:
        facts = [
            f"{label} {value}"
            for label, value in (
                ("status", self.status),
                ("code", self.provider_code),
                ("request", self.request_id),
                ("retry after", None if self.retry_after is None else f"{self.retry_after:g} s"),
            )
            if value is not None
        ]
        who = "/".join(x for x in (self.provider, self.model) if x)
        return f"{who + ': ' if who else ''}{self.message}{' [' + ', '.join(facts) + ']' if facts else ''}"


class InvalidRequestError(ProviderError):
    code, name = "E1001", "invalid_request"


class ContextOverflowError(InvalidRequestError):
    name = "context_overflow"
    fallbackable = True


class AuthenticationError(ProviderError):
    code, name = "E1002", "authentication"
    fallbackable = True


class PermissionDeniedError(ProviderError):
    code, name = "E1003", "permission_denied"


class NotFoundError(ProviderError):
    code, name = "E1004", "not_found"


class RequestTooLargeError(ProviderError):
    code, name = "E1005", "request_too_large"


class RateLimitedError(ProviderError):
    code, name = "E2001", "rate_limited"
    retryable = fallbackable = True


class QuotaExhaustedError(ProviderError):
    code, name = "E2002", "quota_exhausted"
    fallbackable = True


class ServerError(ProviderError):
    code, name = "E3001", "server_error"
    retryable = fallbackable = True


class MalformedResponseError(ServerError):
    name = "malformed_response"


class ConnectionFailedError(ServerError):
    name = "connection_failed"


class StreamInterruptedError(ServerError):
    name = "stream_interrupted"


class OverloadedError(ProviderError):
    code, name = "E3002", "overloaded"
    retryable = fallbackable = True


class ProviderTimeoutError(ProviderError):
    code, name = "E3003", "timeout"
    retryable = fallbackable = True


class ConflictError(ProviderError):
    code, name = "E4001", "conflict"
    retryable = True


class CancelledError(ProviderError):
    code, name = "E4002", "cancelled"


class UnknownProviderError(ProviderError):
    code, name = "E9999", "unknown"


ERROR_CLASSES: dict[str, type[ProviderError]] = {
    cls.name: cls
    for cls in (
        InvalidRequestError,
        ContextOverflowError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        RequestTooLargeError,
        RateLimitedError,
        QuotaExhaustedError,
        ServerError,
        MalformedResponseError,
        ConnectionFailedError,
        StreamInterruptedError,
        OverloadedError,
        ProviderTimeoutError,
        ConflictError,
        CancelledError,
        UnknownProviderError,
    )
}
"""Error classes by the names that manifests use."""
