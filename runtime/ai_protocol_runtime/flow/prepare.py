"""From what is asked to what is sent: the address, the headers, the key, the body as this provider takes it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from ai_protocol_runtime.manifest import Manifests
from ai_protocol_runtime.manifest.schema import Endpoint, Protocol, ProviderManifest
from ai_protocol_runtime.transport.base import HTTPRequest
from ai_protocol_runtime.transport.decoding import ACCEPTED
from ai_protocol_runtime.types import Answer, EmbeddingInput, Loss, RankDocument, Request
from ai_protocol_runtime.types.errors import ArgumentError, CredentialError, UnsupportedError
from ai_protocol_runtime.wire import CHAT, WireFormat, service_format, wire_format
from ai_protocol_runtime.wire.jsontext import dumps

from .address import join_url
from .credentials import Key, find_key, secrets_in
from .quirks import apply_quirks

_HOLE = re.compile(r"\{(\w+)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_BASE_HEADERS = {
    "content-type": "application/json",
    "accept-encoding": ACCEPTED,
    "user-agent": "ai-protocol-runtime",
}
_ACCEPT = "application/json"
_ACCEPT_STREAM = "text/event-stream, application/x-ndjson, application/json"
_NO_WISHES = ("stream", "stream_usage", "schema.name", "input_type", "encoding")
_ASKED_ABOUT = (EmbeddingInput.kind, RankDocument.kind)


@dataclass(slots=True)
class Target:
    """Whom a call goes to, and what is said once for all calls to it. `protocol` is one of its wire formats for the
    `service` (``chat``, ``embed``, ``rerank``)."""

    manifests: Manifests
    provider: ProviderManifest
    protocol: str
    model: str
    base_url: str | None = None
    key: Key | None = field(default=None, repr=False)
    service: str = CHAT
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Streaming:
    """How a stream is read: its wire format, and the framings in which it may come."""

    wire: WireFormat
    framings: list[str]


@dataclass(slots=True)
class Prepared:
    """A call that is ready to be sent.

    `read` makes an answer of the JSON of a whole one; `stream` is None where no stream is asked for. `losses`: what the
    wire format or the provider has no place for.
    """

    request: HTTPRequest
    target: Target
    read: Callable[[Any], Any]
    losses: list[Loss]
    stream: Streaming | None = None


def prepare(target: Target, request: Request, *, stream: bool, unsent: bool = False) -> Prepared:
    """What is to be sent for `request`, which gets the target's model and how the answer is to travel written into it.
    With `unsent` (it will only be shown) no key has to be found.

    Raises `CredentialError` where a key is needed and there is none, `ArgumentError` for a base URL, header, variable
    or extra body that cannot be sent, and `ManifestError` for a broken wire format.
    """
    protocol, wire, body, losses = _asked(target, request, stream=stream)
    body = merged(body, target.extra_body)
    path = protocol.stream_path if stream and protocol.stream_path else protocol.path
    sent = _sent(target, protocol, path, body, accept=_ACCEPT_STREAM if stream else _ACCEPT, unsent=unsent)
    framings = wire.framings if protocol.framing is None else [protocol.framing]
    return Prepared(sent, target, wire.decode_answer, losses, Streaming(wire, framings) if stream else None)


def prepare_count(target: Target, request: Request) -> Prepared | None:
    """What is to be sent to be told the tokens of `request`, in an answer that has usage alone; None where the provider
    cannot be asked in this format. Raises what `prepare` does."""
    protocol, wire, body, _ = _asked(target, request, stream=False)
    counting = wire.counting
    if protocol.count_path is None or counting is None:
        return None
    body = counting.encode_request(body, target.model)
    sent = _sent(target, protocol, protocol.count_path, body)
    return Prepared(sent, target, lambda value: Answer(usage=counting.decode_answer(value)), [])


def prepare_service(target: Target, request: Any) -> Prepared:
    """What is to be sent for a request of the target's service, which is none of chats.

    Raises what `prepare` does, and `UnsupportedError` where an input has no place: the answers are counted by them.
    """
    endpoint = target.provider.endpoints(target.service)[target.protocol]
    wire = service_format(target.protocol, target.service, target.manifests)
    request.model = target.model
    losses: list[Loss] = []
    body = wire.encode_request(request, losses)
    left_out = next((loss for loss in losses if loss.what in _ASKED_ABOUT), None)
    if left_out is not None:
        raise UnsupportedError(f"{target.provider.name} cannot be sent {left_out}, and no answer would fit without it")
    body = merged(apply_quirks(endpoint, body, losses, target.provider.name), target.extra_body)
    losses = [loss for loss in losses if loss.what not in _NO_WISHES]
    return Prepared(_sent(target, endpoint, endpoint.path, body), target, wire.decode_answer, losses)


def _asked(
    target: Target, request: Request, *, stream: bool
) -> tuple[Protocol, WireFormat, dict[str, Any], list[Loss]]:
    """The body of a chat's request as this provider takes it, and what had no place in it."""
    protocol = target.provider.protocols[target.protocol]
    wire = wire_format(target.protocol, target.manifests)
    request = _limited(target, wire, _budgeted(target, protocol, request))
    request.model = target.model
    request.stream = True if stream else None
    request.stream_usage = True if stream and protocol.stream_usage else None
    losses: list[Loss] = []
    body = wire.encode_request(request, losses, echo=protocol.echo_reasoning)
    losses = [loss for loss in losses if _is_missed(loss, request)]
    return protocol, wire, apply_quirks(protocol, body, losses, target.provider.name), losses


def _sent(
    target: Target, endpoint: Endpoint, path: str, body: Any, *, accept: str = _ACCEPT, unsent: bool = False
) -> HTTPRequest:
    headers, secrets = _headers(target, endpoint, accept, unsent=unsent)
    return HTTPRequest("POST", _url(target, path), headers, _encoded(body), secrets)


def _is_missed(loss: Loss, request: Request) -> bool:
    """How the answer travels is no wish of the caller's, nor is a schema's name; its description may stand in it."""
    if loss.what == "schema.description":
        return request.format is None or (request.format.schema or {}).get("description") != loss.value
    return loss.what not in _NO_WISHES


def merged(value: Any, over: Any) -> Any:
    """`over` laid over `value`: objects key by key at any depth, anything else replaced. Neither is changed."""
    if isinstance(value, Mapping) and isinstance(over, Mapping):
        return {**value, **{key: merged(value[key], item) if key in value else item for key, item in over.items()}}
    return over


def _encoded(body: Any) -> bytes:
    try:
        return dumps(body).encode()
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"the request holds what is no JSON: {error}") from None


def _budgeted(target: Target, protocol: Protocol, request: Request) -> Request:
    """An effort word as a number of reasoning tokens, for models that know numbers only."""
    budget = protocol.effort_budgets.get(request.effort or "")
    if budget is None or request.reasoning_budget is not None:
        return request
    known = target.manifests.model(target.provider.id, target.model)
    if known is not None and known.reasoning is not None and known.reasoning.efforts:
        return request
    return replace(request, effort=None, reasoning_budget=budget)


def _limited(target: Target, wire: WireFormat, request: Request) -> Request:
    """Where the wire format demands a limit and nobody set one: the most that the model writes, or else the usual limit
    and room for the reasoning that was asked for."""
    usual = wire.demands.get("max_tokens")
    if usual is None or request.max_tokens is not None:
        return request
    known = target.manifests.model(target.provider.id, target.model)
    most = known.max_output if known is not None else None
    request.max_tokens = most or usual + (request.reasoning_budget or 0)
    return request


def _url(target: Target, path: str) -> str:
    provider = target.provider
    from_env = (os.environ.get(name) for name in provider.base_url_env)
    base_url = target.base_url or next((url for url in from_env if url), None)
    path = _HOLE.sub(lambda hole: _filled(target, hole[1]), path)
    return join_url(base_url or _HOLE.sub(lambda hole: _filled(target, hole[1]), provider.base_url), path)


def _filled(target: Target, name: str) -> str:
    variable = target.provider.variables.get(name)
    if variable is None:
        return quote(target.model, safe="@:")
    value = next((value for value in map(os.environ.get, variable.env) if value), variable.default)
    if value is None:
        instead = ", or pass base_url" if f"{{{name}}}" in target.provider.base_url else ""
        names = " or ".join(variable.env)
        raise ArgumentError(f"{target.provider.name} needs its {name} ({variable.description}): set {names}{instead}")
    return value


def _headers(
    target: Target, endpoint: Endpoint, accept: str, *, unsent: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The headers, and what in them is secret. The caller's own count most."""
    constant = {**target.provider.headers, **endpoint.headers}
    headers = {
        **_BASE_HEADERS,
        "accept": accept,
        **{name.lower(): value for name, value in constant.items()},
    }
    credentials = endpoint.credentials or target.provider.credentials
    header, secrets = credentials.header.lower(), secrets_in(target.headers)
    if header not in target.headers:
        key = find_key(target.key, credentials, os.environ)
        if key is not None:
            headers[header] = credentials.prefix + key
            secrets = (key, *secrets)
        elif credentials.required and not unsent:
            raise CredentialError(
                f"no key for {target.provider.name}: pass api_key, or set {' or '.join(credentials.env)}. "
                "To go on without a key, use a model of simulator/..."
            )
    headers |= target.headers
    for name, value in target.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value) or not value.isascii():
            raise ArgumentError(f"the header {name!r} holds characters that cannot be sent")
    return headers, secrets
