"""The runtime by itself: one class for every provider, synchronous and asynchronous."""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from inspect import iscoroutinefunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .flow.address import split_model
from .flow.call import Conversation
from .flow.credentials import as_key, secrets_in
from .flow.notices import UnknownModelWarning, report_losses
from .flow.params import Options, read_params
from .flow.prepare import Prepared, Target, merged, prepare
from .flow.timeouts import read_timeout
from .manifest import Manifests
from .manifest import manifests as manifests_in
from .manifest.validation import nearest
from .transport import HTTPRequest, Timeouts, Transport
from .transport.drivers import adrive, drive
from .types import Answer, Message, Request, StreamingEvent
from .types.errors import ArgumentError, ManifestError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from .manifest import ProviderManifest

_warned: set[tuple[str, str]] = set()
"""Unknown models that this process has been warned of."""


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
        self._told: set[tuple[str, str]] = set()
        name, self.model = split_model(model)
        if not name or not self.model:
            raise ArgumentError(f"model must name a provider and its model, as in provider/model, not {model!r}")
        self._name = self._manifests.provider(name).id
        self.protocol = self._protocol(self.provider, self.model, protocol)
        self._greet(self.provider, self.model)

    @property
    def provider(self) -> ProviderManifest:
        """The provider's manifest, as it is now: a file that is edited counts from the next call."""
        return self._manifests.provider(self._name)

    # calls

    def chat(self, request: Request | str | list[Message], **params: Any) -> Answer:
        """Ask, and wait for the whole answer.

        `request` is a text, a list of messages, or a whole `Request`; `params` are laid over it (see
        `flow.params.read_params`). Raises `ArgumentError`, `CredentialError` or `UnsupportedError` before anything is
        sent, and a `ProviderError` for whatever happens afterwards.
        """
        conversation, transport = self._begin(request, params, stream=False)
        for _ in drive(conversation, transport):
            pass
        return conversation.outcome()

    async def achat(self, request: Request | str | list[Message], **params: Any) -> Answer:
        """`chat` in the running event loop."""
        conversation, transport = self._begin(request, params, stream=False)
        async for _ in adrive(conversation, transport):
            pass
        return conversation.outcome()

    def stream(self, request: Request | str | list[Message], **params: Any) -> Iterator[StreamingEvent]:
        """Ask, and get the answer as it comes; the last event is `StreamEnd`, with all of it.

        Arguments and errors are those of `chat`; what is wrong with them is raised at once. A stream that breaks off is
        a `StreamInterruptedError` with what had come. Closing the iterator closes the connection.
        """
        return drive(*self._begin(request, params, stream=True))

    def astream(self, request: Request | str | list[Message], **params: Any) -> AsyncIterator[StreamingEvent]:
        """`stream` in the running event loop."""
        return adrive(*self._begin(request, params, stream=True))

    def explain(self, request: Request | str | list[Message], *, stream: bool = False, **params: Any) -> HTTPRequest:
        """What `chat` (or `stream`) would send, with keys masked. Nothing is sent, and no key is needed."""
        return self._prepared(*read_params(request, params), stream=stream, unsent=True)[0].request.masked()

    # how a call begins

    def _begin(self, asked: Any, params: Mapping[str, Any], *, stream: bool) -> tuple[Conversation, Transport]:
        request, options = read_params(asked, params)
        prepared, options = self._prepared(request, options, stream=stream)
        provider = prepared.target.provider
        report_losses(prepared.losses, options.on_unsupported or "warn", self._told, provider.name)
        said = {name: seconds for name, seconds in provider.timeouts if seconds is not None}
        conversation = Conversation(
            prepared,
            read_timeout(options.timeout, Timeouts(**said)),
            max_retries=options.max_retries or 0,
            now=time.monotonic(),
        )
        return conversation, self._transport(provider)

    def _prepared(
        self, request: Request, options: Options, *, stream: bool, unsent: bool = False
    ) -> tuple[Prepared, Options]:
        """The call, and the options that hold for it: the call's own over the client's."""
        target = self._target(request.model or "")
        usual = self._options if target.provider.id == self._name else Options()
        target.headers = {**(usual.headers or {}), **(options.headers or {})}
        target.extra_body = merged(usual.extra_body or {}, options.extra_body or {})
        for name in ("timeout", "max_retries", "on_unsupported"):
            if getattr(options, name) is None:
                setattr(options, name, getattr(self._options, name))
        return prepare(target, request, stream=stream, unsent=unsent), options

    def _target(self, model: str) -> Target:
        """The client's own model and provider, or those of the call.

        What is meant for one provider (key, base URL, protocol, headers, extra body) is not taken to another.
        """
        here = self.provider
        if model and model != self.model:
            name, rest = split_model(model)
            if name and rest and self._manifests.model(here.id, model) is None:
                there = self._known(name)
                if there is not None and there.id != here.id:
                    self._greet(there, rest)
                    return Target(self._manifests, there, self._protocol(there, rest, None), rest)
                model = rest if there is not None else model
            self._greet(here, model)
        model = model or self.model
        protocol = self._protocol(here, model, self._given_protocol)
        return Target(self._manifests, here, protocol, model, self._base_url, self._key)

    def _known(self, name: str) -> ProviderManifest | None:
        try:
            return self._manifests.provider(name)
        except ManifestError:
            return None

    def _protocol(self, provider: ProviderManifest, model: str, wanted: str | None) -> str:
        if wanted is not None:
            if wanted not in provider.protocols:
                near = nearest(wanted, provider.protocols, all_of=True)
                raise ArgumentError(f"{provider.name} has no protocol {wanted!r}{near}")
            return wanted
        known = self._manifests.model(provider.id, model)
        preferred = known.protocol if known is not None else None
        return preferred or provider.default_protocol or next(iter(provider.protocols))

    def _greet(self, provider: ProviderManifest, model: str) -> None:
        """Warn, once in this process, of a model that is not among those known of its provider."""
        if (provider.id, model) in _warned or self._manifests.model(provider.id, model) is not None:
            return
        known = [entry.id for entry in self._manifests.models(provider.id)]
        if known:
            _warned.add((provider.id, model))
            message = f"no manifest knows {model!r} of {provider.name}; it is taken for a chat model that calls tools"
            warnings.warn(message + nearest(model, known), UnknownModelWarning, stacklevel=3)

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
            },
        )


def _restored(model: str, arguments: dict[str, Any]) -> AIClient:
    return AIClient(model, **arguments)
