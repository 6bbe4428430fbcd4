"""The runtime by itself: one class for every provider, synchronous and asynchronous."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from .flow.address import split_model
from .flow.batches import Batches, OnBatch, ranked, split
from .flow.call import Conversation
from .flow.credentials import as_key, secrets_in
from .flow.estimate import estimate_tokens
from .flow.notices import UnknownModelWarning, report_losses, warn
from .flow.params import Options, positive, read_embedding, read_params, read_ranking
from .flow.prepare import Prepared, Target, merged, prepare, prepare_count, prepare_service
from .flow.timeouts import read_timeout
from .manifest import Manifests
from .manifest import manifests as manifests_in
from .manifest.validation import nearest
from .transport import HTTPRequest, Timeouts, Transport
from .transport.drivers import adrive, drive, gather
from .types import (
    Answer,
    EmbeddingInput,
    EmbeddingRequest,
    Embeddings,
    Loss,
    Message,
    RankDocument,
    Ranking,
    RankRequest,
    Request,
    StreamingEvent,
)
from .types.errors import ArgumentError, ManifestError, ProviderError
from .wire import CHAT, EMBED, RERANK, SERVICES

if TYPE_CHECKING:
    from pydantic import SecretStr

    from .manifest import ProviderManifest

_warned: set[tuple[str, str]] = set()
"""Unknown models that this process has been warned of."""

Begun: TypeAlias = tuple[Conversation, Transport]


class AIClient:
    """Talks to one model of one provider; every call may override what is said here, the model too.

    `model` is ``provider/model`` or ``provider:model``: the first delimiter splits, the rest belongs to the model.

    - `api_key`: a text, a `SecretStr`, or a function without arguments that returns one; asked for each call. Left
      out, the environment variables of the provider's manifest are looked up, for each call too.
    - `base_url` replaces the manifest's own, and the paths of the wire format follow it; ``https://host`` and
      ``https://host/v1`` come to the same where the path begins with ``/v1``.
    - `protocol`: one of the provider's wire formats; left out, the one its manifest (or the model's) prefers.
    - `timeout`: seconds the provider may be silent, or a dict of ``connect``, ``first_byte``, ``idle`` and ``total``
      (see `flow.timeouts.read_timeout`). Left out: 10, 600, 600 and no limit, or what the manifest says.
    - `max_retries`: how often a call is sent again after an error that may pass, before anything of its answer has been
      handed on. 0 turns it off.
    - `headers` and `extra_body` are laid over what would be sent otherwise, and count most.
    - `manifests`: a folder of your own, read before the packaged one.
    - `http_client` and `http_async_client`: clients of httpx (or httpx2) to be used, and left open.
    - `service`: what it is for, mostly: ``"chat"``, ``"embed"`` or ``"rerank"``; `protocol` is one of the formats for
      that.
    - `on_unsupported`: what to do with what the provider has no place for: ``"warn"`` (once for each kind), ``"error"``
      or ``"drop"``. It is always in `Answer.call.losses`.

    One object serves any number of threads and event loops. It holds no connections of its own (those belong to the
    process), so closing it is a courtesy, and building it is cheap.

    Raises `ArgumentError` for a wrong argument, and `ManifestError` for an unknown provider, naming the nearest.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | SecretStr | Callable[[], str | SecretStr] | None = None,
        base_url: str | None = None,
        protocol: str | None = None,
        timeout: float | Mapping[str, float | None] | Any = None,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        manifests: str | Path | Manifests | None = None,
        http_client: Any = None,
        http_async_client: Any = None,
        on_unsupported: str = "warn",
        service: str = CHAT,
    ) -> None:
        given = {
            "headers": headers,
            "extra_body": extra_body,
            "timeout": timeout,
            "max_retries": max_retries,
            "on_unsupported": on_unsupported,
        }
        self._options = read_params("", given)[1]
        read_timeout(timeout, Timeouts())
        if http_client is not None and iscoroutinefunction(http_client.send):
            raise ArgumentError("http_client is an asynchronous client; pass it as http_async_client")
        if http_async_client is not None and not iscoroutinefunction(http_async_client.send):
            raise ArgumentError("http_async_client is a synchronous client; pass it as http_client")
        self._http_clients = (http_client, http_async_client)
        self._given_manifests = manifests
        self._manifests = manifests if isinstance(manifests, Manifests) else manifests_in(manifests)
        self._key = as_key(api_key)
        self._base_url, self._given_protocol = base_url, protocol
        self._transports: dict[bool, Transport] = {}
        self._told_losses: set[tuple[str, str]] = set()
        name, self.model = split_model(model)
        if not name or not self.model:
            raise ArgumentError(f"model must name a provider and its model, as in provider/model, not {model!r}")
        self._name = self._manifests.provider(name).id
        if service not in SERVICES:
            raise ArgumentError(f"there is no service {service!r}{nearest(service, SERVICES, all_of=True)}")
        self._service = service
        self.protocol = self._protocol(self.provider, self.model, protocol, service)
        if service == CHAT:
            self._greet(self.provider, self.model)

    @property
    def provider(self) -> ProviderManifest:
        """The provider's manifest, as it is now: a file that is edited counts from the next call."""
        return self._manifests.provider(self._name)

    def resolve(self, model: str | None = None) -> Target:
        """Whom a call goes to that names this model (None: the client's own), and in which wire format."""
        return self._target(model or "", self._service)

    # calls

    def chat(self, request: Request | str | list[Message], **params: Any) -> Answer:
        """Ask, and wait for the whole answer.

        `request` is a text, a list of messages, or a whole `Request`; `params` are laid over it (see
        `flow.params.read_params`). Raises `ArgumentError`, `CredentialError` or `UnsupportedError` before anything is
        sent, and a `ProviderError` for whatever happens afterwards.
        """
        answer: Answer = self._outcome(self._chat(request, params, stream=False))
        return answer

    async def achat(self, request: Request | str | list[Message], **params: Any) -> Answer:
        """`chat` in the running event loop."""
        answer: Answer = await self._aoutcome(self._chat(request, params, stream=False))
        return answer

    def stream(self, request: Request | str | list[Message], **params: Any) -> Iterator[StreamingEvent]:
        """Ask, and get the answer as it comes; the last event is `StreamEnd`, with all of it.

        Arguments and errors are those of `chat`; what is wrong with them is raised at once. A stream that breaks off is
        a `StreamInterruptedError` with what had come. Closing the iterator closes the connection.
        """
        return drive(*self._chat(request, params, stream=True))

    def astream(self, request: Request | str | list[Message], **params: Any) -> AsyncIterator[StreamingEvent]:
        """`stream` in the running event loop."""
        return adrive(*self._chat(request, params, stream=True))

    def explain(self, request: Request | str | list[Message], *, stream: bool = False, **params: Any) -> HTTPRequest:
        """What `chat` (or `stream`) would send, with keys masked. Nothing is sent, and no key is needed."""
        return self._prepared(*read_params(request, params), stream=stream, unsent=True)[0].request.masked()

    def losses(self, request: Request | str | list[Message], *, stream: bool = False, **params: Any) -> list[Loss]:
        """What the provider has no place for in such a request. Nothing is sent, nobody is warned, no key is needed."""
        return self._prepared(*read_params(request, params), stream=stream, unsent=True)[0].losses

    def count_tokens(self, request: Request | str | list[Message], **params: Any) -> int:
        """The tokens that `chat` would send: counted by the provider where its manifest says how to ask, else estimated
        (see `flow.estimate`), and so without a request. Arguments and errors are those of `chat`."""
        asked, prepared, options = self._counting(request, params)
        return _counted(asked, None if prepared is None else self._outcome(self._begin(prepared, options)))

    async def acount_tokens(self, request: Request | str | list[Message], **params: Any) -> int:
        """`count_tokens` in the running event loop."""
        asked, prepared, options = self._counting(request, params)
        return _counted(asked, None if prepared is None else await self._aoutcome(self._begin(prepared, options)))

    # other services

    def embed(
        self,
        inputs: str | Sequence[str | EmbeddingInput] | EmbeddingRequest,
        *,
        batch_size: int | None = None,
        on_batch: OnBatch | None = None,
        **params: Any,
    ) -> Embeddings:
        """The vectors of texts, or of inputs of several parts.

        `params` are the fields of `EmbeddingRequest`, and what a call may say of how it is sent (`timeout`,
        `max_retries`, `headers`, `extra_body`, `on_unsupported`). More inputs than one request may have, or than
        `batch_size`, go in several, one after the other; `on_batch` is told the number of inputs after each. Errors are
        those of `chat`; `partial` of an error are the `Embeddings` that had come before it.
        """
        batches, prepared, options = self._embedding(inputs, params, batch_size, on_batch)
        try:
            for number, request in enumerate(prepared):
                batches.take(number, self._outcome(self._begin(request, options)))
        except ProviderError as error:
            error.partial = error.partial or batches.joined()
            raise
        return batches.joined()

    async def aembed(
        self,
        inputs: str | Sequence[str | EmbeddingInput] | EmbeddingRequest,
        *,
        batch_size: int | None = None,
        concurrency: int = 4,
        on_batch: OnBatch | None = None,
        **params: Any,
    ) -> Embeddings:
        """`embed` in the running event loop, with at most `concurrency` requests at a time. The first error ends the
        others."""
        batches, prepared, options = self._embedding(inputs, params, batch_size, on_batch)

        async def one(number: int, request: Prepared) -> None:
            batches.take(number, await self._aoutcome(self._begin(request, options)))

        jobs = [partial(one, number, request) for number, request in enumerate(prepared)]
        try:
            await gather(jobs, positive("concurrency", concurrency))
        except ProviderError as error:
            error.partial = error.partial or batches.joined()
            raise
        return batches.joined()

    def rerank(self, query: str | RankRequest, documents: Sequence[str | RankDocument] = (), **params: Any) -> Ranking:
        """The documents by how well they answer the query, best first.

        `params` are the fields of `RankRequest`, and what a call may say of how it is sent. Errors are those of `chat`.
        """
        request, prepared, options = self._ranking(query, documents, params)
        return ranked(self._outcome(self._begin(prepared, options)), request)

    async def arerank(
        self, query: str | RankRequest, documents: Sequence[str | RankDocument] = (), **params: Any
    ) -> Ranking:
        """`rerank` in the running event loop."""
        request, prepared, options = self._ranking(query, documents, params)
        return ranked(await self._aoutcome(self._begin(prepared, options)), request)

    # how a call begins, and ends

    def _chat(self, asked: Any, params: Mapping[str, Any], *, stream: bool) -> Begun:
        prepared, options = self._prepared(*read_params(asked, params), stream=stream)
        return self._begin(prepared, options)

    def _prepared(
        self, request: Request, options: Options, *, stream: bool, unsent: bool = False
    ) -> tuple[Prepared, Options]:
        return prepare(self._told(request, options, CHAT), request, stream=stream, unsent=unsent), options

    def _counting(self, asked: Any, params: Mapping[str, Any]) -> tuple[Request, Prepared | None, Options]:
        request, options = read_params(asked, params)
        return request, prepare_count(self._told(request, options, CHAT), request), options

    def _embedding(
        self, inputs: Any, params: Mapping[str, Any], batch_size: int | None, on_batch: OnBatch | None
    ) -> tuple[Batches, list[Prepared], Options]:
        request, options = read_embedding(inputs, params)
        target = self._told(request, options, EMBED)
        request.model = target.model
        most = None if batch_size is None else positive("batch_size", batch_size)
        requests = split(request, target.provider.embed[target.protocol], most)
        return Batches(requests, on_batch), [prepare_service(target, one) for one in requests], options

    def _ranking(self, query: Any, documents: Any, params: Mapping[str, Any]) -> tuple[RankRequest, Prepared, Options]:
        request, options = read_ranking(query, documents, params)
        return request, prepare_service(self._told(request, options, RERANK), request), options

    def _begin(self, prepared: Prepared, options: Options) -> Begun:
        provider = prepared.target.provider
        report_losses(prepared.losses, options.on_unsupported or "warn", self._told_losses, provider.name)
        said = {name: seconds for name, seconds in provider.timeouts if seconds is not None}
        conversation = Conversation(
            prepared,
            read_timeout(options.timeout, Timeouts(**said)),
            max_retries=options.max_retries or 0,
            now=time.monotonic(),
        )
        return conversation, self._transport(provider)

    @staticmethod
    def _outcome(begun: Begun) -> Any:
        for _ in drive(*begun):
            pass
        return begun[0].outcome()

    @staticmethod
    async def _aoutcome(begun: Begun) -> Any:
        async for _ in adrive(*begun):
            pass
        return begun[0].outcome()

    def _told(self, request: Any, options: Options, service: str) -> Target:
        """Whom the call goes to. `options` become those that hold for it: the call's own over the client's."""
        target = self._target(request.model or "", service)
        usual = self._options if target.provider.id == self._name else Options()
        target.headers = {**(usual.headers or {}), **(options.headers or {})}
        target.extra_body = merged(usual.extra_body or {}, options.extra_body or {})
        for name in ("timeout", "max_retries", "on_unsupported"):
            if getattr(options, name) is None:
                setattr(options, name, getattr(self._options, name))
        return target

    def _target(self, model: str, service: str) -> Target:
        """The client's own model and provider, or those of the call.

        What is meant for one provider (key, base URL, protocol, headers, extra body) is not taken to another.
        """
        here = self.provider
        if model and model != self.model:
            name, rest = split_model(model)
            if name and rest and self._manifests.model(here.id, model) is None:
                there = self._known(name)
                if there is not None and there.id != here.id:
                    return self._met(Target(self._manifests, there, "", rest, service=service), None)
                model = rest if there is not None else model
        target = Target(self._manifests, here, "", model or self.model, self._base_url, self._key, service)
        return self._met(target, self._given_protocol if service == self._service else None)

    def _met(self, target: Target, wanted: str | None) -> Target:
        """The target, with the wire format to be used."""
        target.protocol = self._protocol(target.provider, target.model, wanted, target.service)
        if target.service == CHAT:
            self._greet(target.provider, target.model)
        return target

    def _known(self, name: str) -> ProviderManifest | None:
        try:
            return self._manifests.provider(name)
        except ManifestError:
            return None

    def _protocol(self, provider: ProviderManifest, model: str, wanted: str | None, service: str) -> str:
        endpoints = provider.endpoints(service)
        if not endpoints:
            others = [name for name in SERVICES if provider.endpoints(name)]
            raise ArgumentError(f"{provider.name} is not there to {service}; its manifest has: {', '.join(others)}")
        if wanted is not None:
            if wanted not in endpoints:
                near = nearest(wanted, endpoints, all_of=True)
                raise ArgumentError(f"{provider.name} has no protocol {wanted!r} to {service}{near}")
            return wanted
        if service != CHAT:
            return next(iter(endpoints))
        known = self._manifests.model(provider.id, model)
        preferred = known.protocol if known is not None else None
        return preferred or provider.default_protocol or next(iter(endpoints))

    def _greet(self, provider: ProviderManifest, model: str) -> None:
        """Warn, once in this process, of a model that is not among those known of its provider."""
        if (provider.id, model) in _warned or self._manifests.model(provider.id, model) is not None:
            return
        known = [entry.id for entry in self._manifests.models(provider.id)]
        if known:
            _warned.add((provider.id, model))
            message = f"no manifest knows {model!r} of {provider.name}; it is taken for a chat model that calls tools"
            warn(message + nearest(model, known), UnknownModelWarning)

    def _transport(self, provider: ProviderManifest) -> Transport:
        # What is not needed is not imported: HTTP is half of this package's weight.
        transport = self._transports.get(provider.in_process)
        if transport is None:
            if provider.in_process:
                from .simulator import InProcessTransport, Simulator

                transport = InProcessTransport(Simulator(self._manifests))
            else:
                from .transport.http import HTTPTransport

                transport = HTTPTransport(*self._http_clients)
            self._transports[provider.in_process] = transport
        return transport

    # life

    def close(self) -> None:
        """Nothing has to be closed: connections belong to the process, or to the client that was given."""
        for transport in self._transports.values():
            transport.close()

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        where = "" if self._base_url is None else f", base_url={self._base_url!r}"
        return f"AIClient({self._name + '/' + self.model!r}, protocol={self.protocol!r}{where})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds neither keys nor HTTP clients: a key is found again in the environment."""
        options, secret = self._options, secrets_in(self._options.headers or {})
        return _restored, (
            f"{self._name}/{self.model}",
            {
                "base_url": self._base_url,
                "protocol": self._given_protocol,
                "timeout": options.timeout,
                "max_retries": options.max_retries,
                "headers": {name: value for name, value in (options.headers or {}).items() if value not in secret},
                "extra_body": options.extra_body,
                "manifests": self._given_manifests if not isinstance(self._given_manifests, Manifests) else None,
                "on_unsupported": options.on_unsupported,
                "service": self._service,
            },
        )


def _counted(request: Request, answer: Answer | None) -> int:
    told = answer.usage.input if answer is not None and answer.usage is not None else None
    return estimate_tokens(request) if told is None else told


def _restored(model: str, arguments: dict[str, Any]) -> AIClient:
    return AIClient(model, **arguments)
