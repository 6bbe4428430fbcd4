"""What the classes of every framework have in common: the arguments of an `AIClient` as fields, and no secret shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.credentials import Key, as_key, secrets_in
from ai_protocol_runtime.manifest.schema import ModelFacts
from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import Answer, Embeddings, Ranking, Usage
from ai_protocol_runtime.types.errors import ArgumentError
from ai_protocol_runtime.wire import CHAT, EMBED, RERANK

if TYPE_CHECKING:
    ApiKey: TypeAlias = str | SecretStr | Callable[[], str | SecretStr]  # what may be given
else:
    ApiKey = Key  # what is kept: pydantic makes a secret of a text

A = TypeVar("A", Answer, Embeddings, Ranking)

_OF_CLIENT = (
    "model",
    "api_key",
    "base_url",
    "protocol",
    "timeout",
    "max_retries",
    "headers",
    "extra_body",
    "manifests",
    "http_client",
    "http_async_client",
    "on_unsupported",
)
_said_of_client = itemgetter(*_OF_CLIENT)
_MADE, _LAST, _TOTAL = "_made_client", "_last_usage", "_total_usage"
_OWN = (_MADE, _LAST, _TOTAL)
"""What one object keeps for itself beside its fields, so that two equal models are equal."""

_adding = threading.Lock()


class ClientModel(BaseModel):
    """A model of any provider that has a manifest, with what is said to it in every call.

    A pickle holds no key and no HTTP clients: a key is looked up in the environment again. Raises `ArgumentError` for
    an argument that does not exist or fit, and `ManifestError` for an unknown provider, both naming the nearest.
    """

    model: str
    """``provider/model`` or ``provider:model``; the first delimiter splits."""
    api_key: ApiKey | None = None
    """The key, kept as a `SecretStr`, or a function that returns it. Left out: from the environment variables of the
    provider's manifest."""
    base_url: str | None = None
    """Replaces the manifest's; ``https://host`` and ``https://host/v1`` come to the same."""
    protocol: str | None = None
    """One of the provider's wire formats, by its manifest's name."""
    timeout: Any = None
    """Seconds the provider may be silent (default 600), or a dict of ``connect``, ``first_byte``, ``idle`` and
    ``total``."""
    max_retries: int = 2
    """How often a request is sent again after an error that may pass; 0 turns it off."""
    headers: dict[str, str] | None = Field(default=None, repr=False)
    """Sent with every request, over what would be sent otherwise. Those whose names tell of a secret are never
    shown."""
    extra_body: dict[str, Any] | None = None
    """Laid over the JSON that would be sent otherwise, object by object."""
    manifests: str | Path | None = None
    """A folder of manifests of your own, read before the packaged ones."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.Client` to be used for synchronous calls; it is left open."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.AsyncClient` for asynchronous calls; it is left open."""
    on_unsupported: Literal["warn", "error", "drop"] = "warn"
    """What to do with what the provider has no place for: warn once of each kind, raise `UnsupportedError`, or be
    silent."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _service: ClassVar[str] = CHAT
    _shared: ClassVar[tuple[str, ...]] = ("http_client", "http_async_client")
    """What copies have together with the original."""
    _other_names: ClassVar[Mapping[str, str]] = {}
    """Names that a framework's users know some fields by."""

    if not TYPE_CHECKING:  # a type checker knows the arguments better from the fields

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**self._named(arguments))
            _ = self._client  # an unknown provider is told at once

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, as_key(value) if name == "api_key" else value)

    @classmethod
    def _named(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by the names of the fields."""
        named: dict[str, Any] = {}
        for given, value in arguments.items():
            name = cls._other_names.get(given, given)
            if name not in cls.model_fields:
                close = nearest(given, cls.model_fields)
                raise ArgumentError(f"{cls.__name__} has no argument {given!r}{close}")
            if name in named and named[name] != value:
                raise ArgumentError(f"{cls.__name__} was given {name} twice, under different names")
            named[name] = value
        return named

    @property
    def _client(self) -> AIClient:
        """The client for the fields as they are now: they may be set, or changed in a copy."""
        said = _said_of_client(self.__dict__)
        made: tuple[tuple[Any, ...], AIClient] | None = self.__dict__.get(_MADE)
        if made is None or made[0] != said:
            arguments = dict(zip(_OF_CLIENT, said, strict=True))
            made = said, AIClient(arguments.pop("model"), service=self._service, **arguments)
            self.__dict__[_MADE] = made
        return made[1]

    # keeping: dumps, copies, pickles

    @field_serializer("api_key", when_used="json-unless-none")
    def _shown_key(self, key: Key) -> str:
        return "**********"

    @field_serializer("headers")
    def _shown_headers(self, headers: dict[str, str] | None) -> dict[str, str] | None:
        secrets = secrets_in(headers or {})
        return headers and {name: value for name, value in headers.items() if value not in secrets}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other fields; a key among them becomes a secret, which pydantic would not see to here."""
        update = self._named(update or {})
        if "api_key" in update:
            update["api_key"] = as_key(update["api_key"])
        return super().model_copy(update=update, deep=deep)

    def __copy__(self) -> Self:
        return super().__copy__()._alone()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        memo |= {id(client): client for name in self._shared if (client := getattr(self, name, None)) is not None}
        return super().__deepcopy__(memo)._alone()

    def _alone(self) -> Self:
        for name in _OWN:
            self.__dict__.pop(name, None)
        return self

    def __getstate__(self) -> dict[Any, Any]:
        state = BaseModel.__getstate__(self)  # a framework's own might delete from the object what it cannot pickle
        fields = {name: value for name, value in state["__dict__"].items() if name not in _OWN}
        gone = dict.fromkeys(("api_key", "http_client", "http_async_client"))
        state["__dict__"] = {**fields, **gone, "headers": self._shown_headers(self.headers)}
        return state


SAMPLING = ("temperature", "max_tokens", "top_p", "top_k", "stop", "seed", "n", "reasoning")


class ChattingModel(ClientModel):
    """A model that chats, with what is said of its answers in every call. None means "not said"."""

    temperature: float | None = None
    max_tokens: int | None = None
    """The most tokens the answer may have."""
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | str | None = None
    """Texts at which the answer ends."""
    seed: int | None = None
    n: int | None = None
    """How many answers are wanted. More than one cannot be streamed."""
    reasoning: str | bool | int | dict[str, Any] | None = None
    """An effort word (``low``, ``medium``, ``high`` ...), a number of tokens, on or off, or a dict of ``effort``,
    ``budget``, ``summary`` and ``include``."""

    def _sampling(self) -> dict[str, Any]:
        """What the fields say for every call."""
        own = self.__dict__
        return {name: value for name in SAMPLING if (value := own[name]) is not None and value != []}

    def _facts(self, model: Any = None) -> ModelFacts:
        """What is known of the model of a call that names this one: of it, or else of its provider's in general."""
        target = self._client.resolve(model if isinstance(model, str) else None)
        return target.manifests.model(target.provider.id, target.model) or target.provider.models


class CountingModel(ClientModel):
    """A model whose framework has no place for usage in its answers: the object keeps count itself."""

    @property
    def last_usage(self) -> Usage | None:
        """What the last call of this object took, all of its requests together; None before the first, and where the
        provider does not say. With calls at the same time it is that of the one which ended last."""
        usage: Usage | None = self.__dict__.get(_LAST)
        return usage

    @property
    def total_usage(self) -> Usage:
        """What all calls of this object took, as far as their providers said it. A copy begins anew."""
        usage: Usage = self.__dict__.get(_TOTAL) or Usage()
        return usage

    def _counted(self, answer: A) -> A:
        """The answer, its usage noted."""
        with _adding:
            self.__dict__[_LAST] = answer.usage
            if answer.usage is not None:
                self.__dict__[_TOTAL] = self.total_usage + answer.usage
        return answer


class EmbeddingModel(CountingModel):
    """A model that makes vectors, with what is said of them in every call. None means "not said"."""

    dimensions: int | None = Field(default=None, gt=0)
    """How many numbers a vector is to have."""
    query_input_type: str | None = "query"
    """What the text of a query is said to be for: ``query``, ``document``, ``classification``, ``clustering``,
    ``similarity``, or the provider's own word. Most models do not ask, and are then not told."""
    document_input_type: str | None = "document"
    """What texts that are to be found are said to be for."""
    truncate: bool | None = None
    """Whether a text that is too long is cut (True) or refused."""

    _service: ClassVar[str] = EMBED

    def _said(self, input_type: str | None) -> dict[str, Any]:
        return {"input_type": input_type, "dimensions": self.dimensions, "truncate": self.truncate}


class RankingModel(CountingModel):
    """A model that ranks documents, with what is said of that in every call. None means "not said"."""

    top_n: int | None = Field(default=None, gt=0)
    """How many of the best documents are kept; all of them, if left out."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Tokens of each document that are read."""
    truncate: bool | None = None
    """Whether a document that is too long is cut (True) or refused."""

    _service: ClassVar[str] = RERANK

    def _said(self, top_n: int | None = None) -> dict[str, Any]:
        wanted = self.top_n if top_n is None else top_n
        return {"top_n": wanted, "max_tokens": self.max_tokens, "truncate": self.truncate}
