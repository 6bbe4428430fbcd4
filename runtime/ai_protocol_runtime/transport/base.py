"""The seam between the decisions of a call and whatever carries it: HTTP, or a provider in this very process.

A transport sends one request and hands back status, headers and an iterator over the decoded bytes of the body. It
decides nothing: no retry, no redirect, no look at status or body. What goes wrong on the way it raises as
`ConnectionFailedError` or `ProviderTimeoutError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

MASK = "***"

SHORTEST = 6
"""Characters that a secret has at least. Shorter ones are stand-ins for local servers, and would be found anywhere."""


@dataclass(slots=True)
class Timeouts:
    """Seconds; None means no limit.

    `connect` is the time to a connection, `first_byte` from the sent request to the head of the answer, `idle` between
    two pieces of the body, `total` for everything from now on.
    """

    connect: float | None = 10.0
    first_byte: float | None = 600.0
    idle: float | None = 600.0
    total: float | None = None


@dataclass(slots=True, repr=False)
class HTTPRequest:
    """One request, ready to be sent: `headers` with lower-case names, `body` already encoded.

    `secrets` are the values that must never be shown: they are masked in the repr, in a pickle and by `masked`.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    secrets: tuple[str, ...] = ()

    def masked(self) -> HTTPRequest:
        """The same request with every secret replaced by ``***``."""
        body = self.body.decode("utf-8", "surrogateescape")
        return replace(
            self,
            url=mask(self.url, self.secrets),
            headers={name: mask(value, self.secrets, shortest=1) for name, value in self.headers.items()},
            body=mask(body, self.secrets).encode("utf-8", "surrogateescape"),
            secrets=(),
        )

    def __repr__(self) -> str:
        shown = self.masked() if self.secrets else self
        return f"HTTPRequest({shown.method} {shown.url}, headers={shown.headers!r}, body={shown.body!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        shown = self.masked()
        return HTTPRequest, (shown.method, shown.url, shown.headers, shown.body)


class HTTPResponse(Protocol):
    """An answer whose head has arrived. Closing it before the end of the body ends the connection."""

    status: int
    headers: dict[str, str]
    """Lower-case names; the values of a repeated header are joined by ``, ``."""

    def __iter__(self) -> Iterator[bytes]:
        """The body, decoded, in the pieces in which it comes. To be read once."""
        ...

    def close(self) -> None: ...


class AsyncHTTPResponse(Protocol):
    """`HTTPResponse` for asyncio."""

    status: int
    headers: dict[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Transport(Protocol):
    """Carries requests, from any thread and any event loop."""

    def send(self, request: HTTPRequest, timeouts: Timeouts) -> HTTPResponse: ...

    async def asend(self, request: HTTPRequest, timeouts: Timeouts) -> AsyncHTTPResponse: ...

    def close(self) -> None:
        """Give up what this transport owns for synchronous calls. It may be used again afterwards."""
        ...

    async def aclose(self) -> None:
        """Give up what this transport owns, in the running event loop and for synchronous calls."""
        ...


def mask(text: str, secrets: tuple[str, ...], *, shortest: int = SHORTEST) -> str:
    """`text` with every occurrence of a secret of at least `shortest` characters replaced by ``***``."""
    for secret in secrets:
        if len(secret) >= shortest and secret in text:
            text = text.replace(secret, MASK)
    return text
