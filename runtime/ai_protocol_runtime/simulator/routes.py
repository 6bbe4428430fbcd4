"""Where the simulated providers answer: their manifests' paths, and the lists of models that SDKs ask for."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from ai_protocol_runtime.types import Loss, Message, Request, Text
from ai_protocol_runtime.types.errors import ManifestError
from ai_protocol_runtime.wire import EMBED, RERANK, ServiceFormat, WireFormat, service_format, wire_format

if TYPE_CHECKING:
    from ai_protocol_runtime.manifest import Manifests, ProviderManifest

_MODEL = "{model}"
_VERSION = re.compile(r"/v\d\w*/")  # SDKs move on from one version to the next, and the format stays
_MODELS = re.compile(r"/(?:v\w+/)?models(?:/(?P<model>.+))?")


@dataclass(slots=True)
class Place:
    """What is asked for by a method and a path: a chat in `wire` (with `counting`, only how many tokens it has), what
    another service gives in `served`, or else `listing`.

    `stream` is whether the path alone asks for one, `framing` how streams are framed there, `usage_on_demand` whether
    they report usage only when they are asked to, and `model` the one that the path names.
    """

    wire: WireFormat | None = None
    served: ServiceFormat | None = None
    counting: bool = False
    stream: bool = False
    framing: str = ""
    usage_on_demand: bool = False
    model: str | None = None
    listing: Any = None


class Routes:
    """The paths of one provider, or of all the simulated ones among `manifests`; they follow changes of the files."""

    def __init__(self, manifests: Manifests, provider: str | None = None) -> None:
        self._manifests = manifests
        self._provider = provider
        self._revision: int | None = None
        self._table: list[_Route] = []
        self._lock = threading.Lock()

    def find(self, method: str, path: str) -> Place | None:
        """The place for a request, or None. `path` may have a query."""
        bare, _, query = path.partition("?")
        if method == "GET":
            found = _MODELS.fullmatch(bare)
            return Place(listing=self._listing(found["model"])) if found else None
        if method != "POST":
            return None
        asked = set(parse_qsl(query))
        for route in self._routes():
            found = route.path.fullmatch(bare)
            if found is not None:
                model = unquote(found[1]) if route.path.groups else None
                framing = route.place.framing if route.query <= asked else route.unasked
                return replace(route.place, framing=framing, model=model)
        return None

    def addresses(self) -> list[tuple[str, str]]:
        """Every wire format and its path."""
        spoken = ((route.place.wire or route.place.served, route) for route in self._routes())
        return [(wire.id, route.template) for wire, route in spoken if wire and not route.place.counting]

    def _routes(self) -> list[_Route]:
        manifests = self._manifests
        with self._lock:
            manifests.providers()  # whoever looks sees changed files
            if self._revision != manifests.revision:
                self._table = [route for provider in self._providers() for route in _routes(provider, manifests)]
                self._revision = manifests.revision
            return self._table

    def _providers(self) -> list[ProviderManifest]:
        if self._provider is not None:
            return [self._manifests.provider(self._provider)]
        found = []
        for name in self._manifests.providers():
            # Another provider's manifest may be broken: that is for whoever asks for it.
            with suppress(ManifestError):
                found.append(self._manifests.provider(name))
        return [provider for provider in found if provider.in_process]

    def _listing(self, name: str | None) -> Any:
        if name is not None:
            return _model(unquote(name), "")
        models = [
            _model(model.id, provider.id)
            for provider in self._providers()
            for model in self._manifests.models(provider.id)
        ]
        ids = [model["id"] for model in models]
        return {
            "object": "list",
            "data": models,
            "models": models,
            "has_more": False,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }


@dataclass(slots=True)
class _Route:
    """A path. Without the query that the manifest gives, streams are framed in the way that is `unasked` for."""

    template: str
    path: re.Pattern[str]
    query: set[tuple[str, str]]
    place: Place
    unasked: str


def _routes(provider: ProviderManifest, manifests: Manifests) -> list[_Route]:
    routes = []
    for name, protocol in provider.protocols.items():
        wire = wire_format(name, manifests)
        framing = protocol.framing or wire.framings[0]
        place = Place(wire, framing=framing, usage_on_demand=_usage_on_demand(wire))
        places = {protocol.path: place}
        if protocol.stream_path is not None:
            places[protocol.stream_path] = replace(place, stream=True)
        if protocol.count_path is not None:
            places[protocol.count_path] = Place(wire, counting=True)
        routes += [_route(path, at, wire.framings[-1]) for path, at in places.items()]
    for service in (EMBED, RERANK):
        for name, endpoint in provider.endpoints(service).items():
            routes.append(_route(endpoint.path, Place(served=service_format(name, service, manifests))))
    return routes


def _route(template: str, place: Place, unasked: str = "") -> _Route:
    bare, _, query = template.partition("?")
    before, model, after = bare.partition(_MODEL)
    version = _VERSION.match(before)
    start = f"{_VERSION.pattern}{re.escape(before[version.end() :])}" if version else re.escape(before)
    pattern = start + ("(.+)" if model else "") + re.escape(after)
    return _Route(template, re.compile(pattern), set(parse_qsl(query)), place, unasked)


def _usage_on_demand(wire: WireFormat) -> bool:
    """Whether the format has a place to ask for usage in a stream."""
    losses: list[Loss] = []
    wire.encode_request(Request("m", [Message("user", [Text("x")])], stream=True, stream_usage=True), losses)
    return not any(loss.what == "stream_usage" for loss in losses)


def _model(model: str, owner: str) -> dict[str, Any]:
    """One entry of a list of models, with the keys that each of the SDKs looks for."""
    return {
        "id": model,
        "name": f"models/{model}",
        "object": "model",
        "type": "model",
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": owner,
        "display_name": model,
        "displayName": model,
    }
