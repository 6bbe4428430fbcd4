"""What a call of the chat model raises.

Each of these is raised as one of LangChain's `langchain_core.exceptions.ModelError` as well, so that either can be
caught; what is useless to retry says so in ``is_retryable``, which `ModelRetryMiddleware` goes by. (`with_retry` asks
no error, and repeats all of them unless it is given classes.)

    ContextOverflowError                                          ContextOverflowError, ModelInvalidRequestError
    InvalidRequestError, RequestTooLargeError                     ModelInvalidRequestError
    ArgumentError, UnsupportedError       (nothing was sent)      ModelInvalidRequestError
    AuthenticationError, CredentialError  (nothing was sent)      ModelAuthenticationError
    PermissionDeniedError                                         ModelPermissionDeniedError
    NotFoundError                                                 ModelNotFoundError
    RateLimitedError                                              ModelRateLimitError
    QuotaExhaustedError                                           ModelRateLimitError, not to be retried
    ServerError, MalformedResponseError, OverloadedError          ModelAPIError
    ConnectionFailedError, StreamInterruptedError                 ModelConnectionError
    ProviderTimeoutError                                          ModelTimeoutError
    ManifestError, ConflictError, CancelledError, others          ModelError

Those of a provider have `response` (an `httpx.Response` that has been read, None where no answer came), `request_id`,
and the rest that `ai_protocol_runtime.types.errors.ProviderError` tells; that of a stream that was cut off has what had
come in `partial`.
"""

from ai_protocol_runtime.types.errors import (
    AIProtocolError,
    ArgumentError,
    AuthenticationError,
    CancelledError,
    ConflictError,
    ConnectionFailedError,
    ContextOverflowError,
    CredentialError,
    InvalidRequestError,
    MalformedResponseError,
    ManifestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitedError,
    RequestTooLargeError,
    ServerError,
    StreamInterruptedError,
    UnknownProviderError,
    UnsupportedError,
    UsageError,
)

from ._structured import RefusalError

__all__ = [
    "AIProtocolError",
    "ArgumentError",
    "AuthenticationError",
    "CancelledError",
    "ConflictError",
    "ConnectionFailedError",
    "ContextOverflowError",
    "CredentialError",
    "InvalidRequestError",
    "MalformedResponseError",
    "ManifestError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "ProviderError",
    "ProviderTimeoutError",
    "QuotaExhaustedError",
    "RateLimitedError",
    "RefusalError",
    "RequestTooLargeError",
    "ServerError",
    "StreamInterruptedError",
    "UnknownProviderError",
    "UnsupportedError",
    "UsageError",
]
