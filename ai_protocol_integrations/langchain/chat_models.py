"""The chat model: LangChain's contract on one side, `AIClient` on the other, and no decisions between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_serializer

from ai_protocol_integrations import __version__
from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.address import split_model
from ai_protocol_runtime.flow.credentials import secrets_in
from ai_protocol_runtime.flow.params import nearest
from ai_protocol_runtime.manifest import manifests as manifests_in
from ai_protocol_runtime.types import Request
from ai_protocol_runtime.types.errors import ArgumentError, ManifestError

from ._chunks import Chunks
from ._inputs import to_messages
from ._outputs import to_result
from ._tools import ToolLike, bound_choice, bound_tool, to_choice, to_tool

_SAMPLING = ("temperature", "max_tokens", "top_p", "top_k", "seed", "n", "reasoning")
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
_NOT_COPIED = ("http_client", "http_async_client")


class ChatAIProtocol(BaseChatModel):
    """A chat model of any provider that has a manifest: ``ChatAIProtocol(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Each sampling parameter (temperature ... reasoning), `model`, `timeout`, `max_retries`,
    `headers`, `extra_body` and `on_unsupported` can also be given per call, as can the rest of what a request may say
    (`presence_penalty`, `logprobs`, `service_tier` ...); the call's own value counts.

    The content of its messages is a list of LangChain's standard blocks (v1), in streams too; `message.text` is the text.
    A copy in a pickle has no key and no HTTP clients: the key is looked up in the environment again.

    Raises `ArgumentError` for an argument that does not exist or fit, and `ManifestError` for an unknown provider, both
    naming the nearest; a key is looked for when it is needed (`CredentialError`).
    """

    model: str
    """``provider/model`` or ``provider:model``; the first delimiter splits. Per call, a name without a known provider
    keeps the provider."""
    api_key: SecretStr | Callable[[], str | SecretStr] | None = None
    """The key, or a function that returns it. Left out: from the environment variables of the provider's manifest."""
    base_url: str | None = None
    """Replaces the manifest's; ``https://host`` and ``https://host/v1`` come to the same."""
    protocol: str | None = None
    """One of the provider's wire formats, by its manifest's name."""
    temperature: float | None = None
    max_tokens: int | None = None
    """The most tokens the answer may have."""
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | str | None = None
    """Texts at which the answer ends."""
    seed: int | None = None
    n: int | None = None
    """How many answers are wanted. More than one come as several generations (`generate`), and cannot be streamed."""
    timeout: Any = None
    """Seconds the provider may be silent (default 600), or a dict of ``connect``, ``first_byte``, ``idle``, ``total``."""
    max_retries: int = 2
    """How often a call is sent again after an error that may pass; 0 turns it off."""
    streaming: bool = False
    """Whether `invoke`, too, has the answer streamed to it; False, if said, keeps even callbacks from asking for it."""
    reasoning: str | bool | int | dict[str, Any] | None = None
    """An effort word (``low``, ``medium``, ``high`` ...), a number of tokens, on or off, or a dict of ``effort``,
    ``budget``, ``summary`` and ``include``."""
    headers: dict[str, str] | None = Field(default=None, repr=False)
    """Sent with every call, over what would be sent otherwise. Those whose names tell of a secret are never shown."""
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

    _made: tuple[tuple[Any, ...], AIClient] | None = PrivateAttr(default=None)

    model_config = ConfigDict(hide_input_in_errors=True)

    if not TYPE_CHECKING:  # a type checker knows the arguments better from the fields

        def __init__(self, **arguments: Any) -> None:
            for name in arguments:
                if name not in type(self).model_fields:
                    known = [*type(self).model_fields]
                    raise ArgumentError(f"{type(self).__name__} has no argument {name!r}{nearest(name, known)}")
            super().__init__(**arguments)
            self._add_version("ai-protocol-integrations", __version__)
            _ = self._client  # an unknown provider is told at once
