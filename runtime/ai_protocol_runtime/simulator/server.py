"""The simulator's HTTP face, whatever carries it: a request in; status, headers and the steps of a body out.

Paths and wire formats are those of the providers that are simulated (``in_process`` in their manifests).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ai_protocol_runtime.types import EmbeddingRequest, Embeddings, Ranking, Request
from ai_protocol_runtime.types.errors import (
    AuthenticationError,
    InvalidRequestError,
    MalformedResponseError,
    NotFoundError,
    ProviderError,
    ServerError,
    StreamInterruptedError,
)
from ai_protocol_runtime.wire import ServiceFormat, WireFormat, jsontext

from .behaviour import Behaviour, behaviour
from .brain import completed, respond
from .check import problem, service_problem
from .counting import counted
from .delivery import CONTENT_TYPES, Delivery, Step
from .failures import error_body, error_object, error_of_status, status_of
from .routes import Place, Routes
from .script import Item, Received, scripted_answer, simulated
from .services import embedded, ranking

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest import Manifests


_count = itertools.count(1)
"""Of all requests to this process: two that are alike must not get the same ids."""


@dataclass(slots=True)
class Reply:
    """What is answered. `headers` have lower-case names, with a ``content-length`` where the body is one piece.

    Reading `body` raises ConnectionError where the connection is to break.
    """

    status: int
    headers: dict[str, str]
    body: Iterator[Step]


class Simulator:
    """A server that speaks every wire format of the simulated providers.

    `manifests` (default: all that are visible) say which those are; `provider` is the id of one that alone is served.
    With an `api_key`, requests that bring another or none get a 401. `pace`: seconds before each event of a stream.
    `clock` gives the time in Unix seconds. Safe to use from several threads.
    """

    def __init__(
        self,
        manifests: Manifests | None = None,
        *,
        provider: str | None = None,
        api_key: str | None = None,
        pace: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if manifests is None:
            from ai_protocol_runtime.manifest import manifests as visible

            manifests = visible()
        self._routes = Routes(manifests, provider)
        self._api_key = api_key
        self._pace = pace
        self._clock = clock

    def addresses(self) -> list[tuple[str, str]]:
        """Every wire format and the path at which it is spoken."""
        return self._routes.addresses()

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request.

        `path` is as it stands in the request line, query and all; `headers` have lower-case names. Raises
        ConnectionError where the connection is to break before an answer.
        """
        place = self._routes.find(method, path)
        tag = hashlib.sha256(b"%d:%b" % (next(_count), body)).hexdigest()[:20]
        try:
            if self._api_key is not None and not _brings(headers, self._api_key):
                raise AuthenticationError("The key is missing, or is not the one that was set.")
            if place is None:
                raise NotFoundError(f"There is nothing at {method} {path.partition('?')[0]}.")
            reply = self._answer(place, path, headers, body, tag)
        except ProviderError as error:
            reply = _failure(error, place.wire or place.served if place else None)
        reply.headers["x-request-id"] = f"req-{tag}"
        return reply

    def _answer(self, place: Place, path: str, headers: dict[str, str], body: bytes, tag: str) -> Reply:
        if place.served is not None:
            return self._served(place, place.served, path, headers, body, tag)
        if place.wire is None:
            return _json_reply(200, place.listing)
        parsed, request = _read(place, path, body)
        if place.counting and place.wire.counting is not None:
            usage = counted(request, [])
            return _json_reply(200, place.wire.counting.encode_answer(usage))
        script = simulated(request.model or "")
        if script is None:
            delivery = self._told(behaviour(request.model or ""), request, tag)
        else:
            item = script.next(Received(request, path, headers, parsed))
            delivery = self._scripted(item, request, tag, script.pace)
        if not request.stream:
            length, steps = delivery.whole(place.wire)
            return Reply(200, {"content-type": "application/json", "content-length": str(length)}, steps)
        if place.usage_on_demand and not request.stream_usage:
            delivery.answer.usage = None
        content_type = CONTENT_TYPES.get(place.framing, "application/octet-stream")
        return Reply(200, {"content-type": content_type}, delivery.stream(place.wire, place.framing))

    def _served(
        self, place: Place, wire: ServiceFormat, path: str, headers: dict[str, str], body: bytes, tag: str
    ) -> Reply:
        """What is said to whoever wants no chat."""
        parsed = _parsed(body)
        request = _decoded(wire.decode_request, parsed, path)
        request.model = place.model or request.model
        complaint = service_problem(request)
        if complaint is not None:
            raise InvalidRequestError(complaint)
        script = simulated(request.model or "")
        answer: Any = None
        if script is not None:
            answer = script.next(Received(request, path, headers, parsed))
            if isinstance(answer, Exception):
                raise answer if isinstance(answer, ProviderError) else ConnectionResetError(str(answer))
        else:
            status = behaviour(request.model or "").status
            if status is not None:
                raise error_of_status(status)
        if not isinstance(answer, Embeddings | Ranking):
            answer = embedded(request, tag=tag) if isinstance(request, EmbeddingRequest) else ranking(request, tag=tag)
        return _json_reply(200, wire.encode_answer(answer))

    def _told(self, told: Behaviour, request: Request, tag: str) -> Delivery:
        """What an unscripted model says."""
        if told.status is not None:
            raise error_of_status(told.status)
        answer = respond(request, tag=tag, created=int(self._clock()), told=told)
        delivery = Delivery(answer, told.pace or self._pace)
        if told.fail:
            return self._failed(delivery, ServerError("The simulated model was told to fail in the middle."), request)
        delivery.ending = told.ending
        return delivery

    def _scripted(self, item: Item, request: Request, tag: str, pace: float) -> Delivery:
        """What a script says."""
        partial: Any = item
        if isinstance(item, BaseException):
            partial = getattr(item, "partial", None)
            if not isinstance(item, ProviderError):
                raise ConnectionResetError(str(item) or type(item).__name__)
            if partial is None or not (request.stream or isinstance(item, StreamInterruptedError)):
                raise item
        answer = completed(scripted_answer(partial, request), request, tag=tag, created=int(self._clock()))
        delivery = Delivery(answer, pace or self._pace, all_said=True)
        if isinstance(item, StreamInterruptedError):
            delivery.ending = "cut"
        elif isinstance(item, ProviderError):
            return self._failed(delivery, item, request)
        return delivery

    @staticmethod
    def _failed(delivery: Delivery, error: ProviderError, request: Request) -> Delivery:
        if not request.stream:
            raise error
        delivery.ending, delivery.error = "error", error.body or error_object(error)
        return delivery


def _read(place: Place, path: str, body: bytes) -> tuple[dict[str, Any], Request]:
    """The request, as JSON and decoded. Raises InvalidRequestError for what a provider would refuse."""
    assert place.wire is not None
    parsed = _parsed(body)
    chat = place.wire.counting.decode_request(parsed) if place.counting and place.wire.counting else parsed
    request: Request = _decoded(place.wire.decode_request, chat, path)
    request.model = place.model or request.model
    request.stream = place.stream or bool(request.stream)
    complaint = problem(request)
    if complaint is not None:
        raise InvalidRequestError(complaint)
    return parsed, request


def _parsed(body: bytes) -> Any:
    try:
        return jsontext.loads(body, what="request")
    except MalformedResponseError as error:
        raise InvalidRequestError(error.message) from None


def _decoded(decode: Callable[[Any, str], Any], body: Any, path: str) -> Any:
    try:
        return decode(body, path.partition("?")[0])
    except MalformedResponseError as error:
        raise InvalidRequestError(error.message) from None


def _brings(headers: dict[str, str], key: str) -> bool:
    """Whether some header is the key, alone or after the name of a scheme."""
    return any(secrets.compare_digest(value.split(" ")[-1].encode(), key.encode()) for value in headers.values())


def _failure(error: ProviderError, wire: WireFormat | ServiceFormat | None) -> Reply:
    body = error_body(wire, error) if error.body is None else error.body
    headers = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:g}"}
    return _json_reply(status_of(error), body, headers)


def _json_reply(status: int, value: Any, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    body = value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()
    return Reply(
        status, {"content-type": "application/json", "content-length": str(len(body)), **headers}, iter([body])
    )
