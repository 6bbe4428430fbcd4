"""The runtime's errors, made LangChain's as well: each is raised as one class that is both.

LangChain retries whatever is no `ModelError` (`ModelRetryMiddleware`), so that errors of the caller's own, such as a
wrong argument, have to be one too, and say that a retry is useless.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from langchain_core import exceptions as theirs

from ai_protocol_runtime.types import errors as ours

if TYPE_CHECKING:
    import httpx

_KINDS: dict[type[ours.AIProtocolError], tuple[type[theirs.ModelError], ...]] = {
    ours.AIProtocolError: (theirs.ModelError,),
    ours.ArgumentError: (theirs.ModelInvalidRequestError,),
    ours.CredentialError: (theirs.ModelAuthenticationError,),
    ours.UnsupportedError: (theirs.ModelInvalidRequestError,),
    ours.InvalidRequestError: (theirs.ModelInvalidRequestError,),
    ours.ContextOverflowError: (theirs.ContextOverflowError, theirs.ModelInvalidRequestError),
    ours.AuthenticationError: (theirs.ModelAuthenticationError,),
    ours.PermissionDeniedError: (theirs.ModelPermissionDeniedError,),
    ours.NotFoundError: (theirs.ModelNotFoundError,),
    ours.RequestTooLargeError: (theirs.ModelInvalidRequestError,),
    ours.RateLimitedError: (theirs.ModelRateLimitError,),
    ours.QuotaExhaustedError: (theirs.ModelRateLimitError,),
    ours.ServerError: (theirs.ModelAPIError,),
    ours.ConnectionFailedError: (theirs.ModelConnectionError,),
    ours.StreamInterruptedError: (theirs.ModelConnectionError,),
    ours.OverloadedError: (theirs.ModelAPIError,),
    ours.ProviderTimeoutError: (theirs.ModelTimeoutError,),
}
"""What LangChain calls it; a class that is not here is what its base is."""

_made: dict[type[ours.AIProtocolError], type[ours.AIProtocolError]] = {}


class model_errors:
    """Within it, an error of the runtime is raised as one that is a `ModelError` too.

    It is the same object, with its attributes, its traceback and its cause; only its class is another.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ours.AIProtocolError):
            error.__class__ = _both(type(error))


class _Both(theirs.ModelError):
    """What LangChain asks of any error."""

    retryable: bool

    @property
    def is_retryable(self) -> bool:  # type: ignore[override]
        return self.retryable

    def __reduce__(self) -> tuple[Any, ...]:
        _, arguments, state = cast("tuple[Any, ...]", super().__reduce__())
        return _restored, (type(self).__bases__[0], arguments), state


class _Answered(_Both):
    """What LangChain's traces ask of an error that came from a provider; `request_id` is the runtime's."""

    status: int | None
    headers: dict[str, str]
    body: Any

    @property
    def response(self) -> httpx.Response | None:
        """The provider's answer, already read; None where there was none."""
        if self.status is None:
            return None
        from ai_protocol_runtime.transport.http import received

        return received(self.status, self.headers, _content(self.body))


def _content(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "replace")


def _both(kind: type[ours.AIProtocolError]) -> type[ours.AIProtocolError]:
    """The class that is this one of the runtime and LangChain's too; shown by the name under which it can be caught."""
    if issubclass(kind, theirs.ModelError):
        return kind
    if kind not in _made:
        bases = next(_KINDS[base] for base in kind.__mro__ if base in _KINDS)
        mixin = _Answered if issubclass(kind, ours.ProviderError) else _Both
        about = {"__module__": f"{__package__}.errors", "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        _made.setdefault(kind, cast("type[ours.AIProtocolError]", type(kind.__name__, (kind, mixin, *bases), about)))
    return _made[kind]


def _restored(kind: type[ours.AIProtocolError], arguments: tuple[Any, ...]) -> ours.AIProtocolError:
    return _both(kind)(*arguments)
