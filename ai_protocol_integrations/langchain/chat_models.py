"""The chat model: LangChain's contract on one side, `AIClient` on the other, and no decisions between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from inspect import signature
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast, get_args

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from pydantic import ConfigDict, Field, SecretStr, field_serializer

from ai_protocol_integrations import __version__
from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.address import split_model
from ai_protocol_runtime.flow.credentials import Key, as_key, secrets_in
from ai_protocol_runtime.manifest import manifests as manifests_in
from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import StreamingEvent
from ai_protocol_runtime.types.errors import ArgumentError, ManifestError

from ._chunks import Chunks
from ._inputs import to_messages
from ._outputs import to_result
from ._structured import Method, StructuredOutput, is_pydantic, named, response_format, to_format
from ._tools import ToolLike, bound_choice, bound_tool, to_choice, to_tool

if TYPE_CHECKING:
    ApiKey: TypeAlias = str | SecretStr | Callable[[], str | SecretStr]  # what may be given
else:
    ApiKey = Key  # what is kept: pydantic makes a secret of a text

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
_said_of_client = itemgetter(*_OF_CLIENT)
_IDENTITY = ("base_url", "stop", "extra_body", *_SAMPLING)
_NOT_COPIED = ("http_client", "http_async_client")
_MADE = "_made_client"


class ChatAIProtocol(BaseChatModel):
    """A chat model of any provider that has a manifest: ``ChatAIProtocol(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Each sampling parameter (temperature ... reasoning), `model`, `timeout`, `max_retries`,
    `headers`, `extra_body` and `on_unsupported` can also be given per call, as can the rest of what a request may say
    (`presence_penalty`, `logprobs`, `service_tier` ...); the call's own value counts.

    The content of its messages is a list of LangChain's standard blocks (v1), in streams too; `message.text` is the
    text. A pickle holds no key and no HTTP clients: a key is looked up in the environment again.

    Raises `ArgumentError` for an argument that does not exist or fit, and `ManifestError` for an unknown provider, both
    naming the nearest; a key is looked for when it is needed (`CredentialError`).
    """

    model: str
    """``provider/model`` or ``provider:model``; the first delimiter splits. Per call, a name without a known provider
    keeps the provider."""
    api_key: ApiKey | None = None
    """The key, kept as a `SecretStr`, or a function that returns it. Left out: from the environment variables of the
    provider's manifest."""
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
    """Seconds the provider may be silent (default 600), or a dict of ``connect``, ``first_byte``, ``idle`` and
    ``total``."""
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

    model_config = ConfigDict(hide_input_in_errors=True)

    if not TYPE_CHECKING:  # a type checker knows the arguments better from the fields

        def __init__(self, **arguments: Any) -> None:
            for name in arguments:
                if name not in type(self).model_fields:
                    close = nearest(name, type(self).model_fields)
                    raise ArgumentError(f"{type(self).__name__} has no argument {name!r}{close}")
            super().__init__(**arguments)
            self._add_version("ai-protocol-integrations", __version__)
            _ = self._client  # an unknown provider is told at once

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, as_key(value) if name == "api_key" else value)

    @property
    def _client(self) -> AIClient:
        """The client for the fields as they are now: they may be set, or changed in a copy.

        It is kept beside the fields, as a cached property would be, so that two equal models are equal.
        """
        said = _said_of_client(self.__dict__)
        made: tuple[tuple[Any, ...], AIClient] | None = self.__dict__.get(_MADE)
        if made is None or made[0] != said:
            arguments = dict(zip(_OF_CLIENT, said, strict=True))
            made = said, AIClient(arguments.pop("model"), **arguments)
            self.__dict__[_MADE] = made
        return made[1]

    # calls

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return to_result(self._client.chat(to_messages(messages), **self._params(stop, kwargs)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return to_result(await self._client.achat(to_messages(messages), **self._params(stop, kwargs)))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        chunks = Chunks()
        stream = self._client.stream(to_messages(messages), **self._streamed(stop, kwargs))
        with closing(cast("Generator[StreamingEvent]", stream)) as events:
            for event in events:
                if (chunk := chunks.feed(event)) is not None:
                    yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        chunks = Chunks()
        stream = self._client.astream(to_messages(messages), **self._streamed(stop, kwargs))
        async with aclosing(cast("AsyncGenerator[StreamingEvent]", stream)) as events:
            async for event in events:
                if (chunk := chunks.feed(event)) is not None:
                    yield chunk

    def _params(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What is said for this call, over what the fields say for every call."""
        own = self.__dict__
        params = {name: value for name in _SAMPLING if (value := own[name]) is not None}
        params |= {name: value for name, value in kwargs.items() if name != "stream"}
        if endings := self.stop if stop is None else stop:
            params.setdefault("stop", endings)
        tools = [bound_tool(tool) for tool in params.pop("tools", None) or ()]
        if tools:
            params["tools"] = [to_tool(tool) for tool in tools]
        if (wanted := params.pop("response_format", None)) is not None:
            params["format"] = to_format(wanted)
        if "tool_choice" in params:
            params["tool_choice"] = to_choice(params["tool_choice"], tools)
        return params

    def _streamed(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        params = self._params(stop, kwargs)
        if (params.get("n") or 1) > 1:
            raise ArgumentError("a stream brings one answer: leave out n, or ask for several with generate or batch")
        return params

    def bind_tools(
        self,
        tools: Sequence[ToolLike],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools it may call.

        A tool is a function, a pydantic or TypedDict class, a LangChain tool, or a dict: a function in a vendor's form,
        a JSON Schema with a title, or a provider's own tool, which is sent as it is. `tool_choice`: ``"auto"``,
        ``"any"`` (or ``"required"``, or True: it must call one), ``"none"``, a tool's name, or a vendor's dict.
        `strict`: whether arguments must follow the schema exactly; `parallel_tool_calls`: whether it may call several
        at once. `kwargs` are bound too. Raises `ArgumentError` for what is no tool, and a choice that is none of them.
        """
        bound = [bound_tool(tool, strict=strict) for tool in tools]
        said = {"tool_choice": bound_choice(tool_choice, bound), "parallel_tool_calls": parallel_tool_calls}
        return super().bind(tools=bound, **{key: value for key, value in said.items() if value is not None}, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method = "auto",
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[ToolLike] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """The model, answering with an object that satisfies `schema`: an instance of a pydantic class, or a dict for a
        TypedDict or a JSON Schema.

        `method`: ``"json_schema"`` has the provider keep to the schema, ``"function_calling"`` makes it a tool that has
        to be called, ``"json_mode"`` asks for any JSON (say in the prompt which; `schema` may be left out). ``"auto"``
        is the first where the manifest knows that the model can, else the second. `strict` and `kwargs` are bound;
        `tools` (with the JSON methods) may be called instead of answering.

        What comes back is checked here, whatever the provider promised. An answer that is no JSON or not as the schema
        has it is an `OutputParserException`, a refusal a `RefusalError`. With `include_raw` nothing of that is raised:
        the result is a dict of ``raw``, ``parsed`` and ``parsing_error``.
        """
        if method not in get_args(Method):
            raise ArgumentError(f"there is no method {method!r}{nearest(method, get_args(Method), all_of=True)}")
        if method == "auto":
            method = "json_schema" if self._keeps_to_schemas(kwargs.get("model")) else "function_calling"
        if (schema is None or strict is not None) and (method == "json_mode") is (strict is not None):
            raise ArgumentError("json_mode knows no strict, and every other method needs a schema")
        if tools and method == "function_calling":
            raise ArgumentError("tools go with method='json_schema' or 'json_mode'; here the schema is itself a tool")
        schema, tool = named(schema), None
        if schema is not None:
            traced = {"method": method} | ({} if strict is None else {"strict": strict})
            kwargs["ls_structured_output_format"] = {"kwargs": traced, "schema": schema}
        if method == "function_calling":
            (bound,) = kwargs["tools"] = [bound_tool(schema, strict=strict)]
            wanted, tool = bound["function"].get("parameters"), bound["function"]["name"]
            kwargs["tool_choice"] = "any"
        elif method == "json_schema":
            kwargs["response_format"] = response_format(schema, strict=strict)
            wanted = kwargs["response_format"]["json_schema"]["schema"]
        else:
            kwargs["response_format"] = {"type": "json_object"}
            wanted = schema and response_format(schema)["json_schema"]["schema"]
        parser = StructuredOutput(wanted=schema if is_pydantic(schema) else wanted, tool=tool, tools=bool(tools))
        model = self.bind_tools(tools, **kwargs) if tools else self.bind(**kwargs)
        if not include_raw:
            return model | parser
        parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=model) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _keeps_to_schemas(self, model: str | None) -> bool:
        provider, name = self._whom(model)
        known = manifests_in(self.manifests)
        return (known.model(provider, name) or known.provider(provider).models).structured_output

    # identity

    @property
    def _llm_type(self) -> str:
        return "ai-protocol-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """All that an answer depends on, and no secret."""
        client, own = self._client, self.__dict__
        about: dict[str, Any] = {"model": client.model, "provider": client.provider.id, "protocol": client.protocol}
        about |= {name: value for name in _IDENTITY if (value := own[name]) is not None}
        if self.headers is not None:
            about["headers"] = self._shown_headers(self.headers)
        return about

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """As LangChain has it, without the detour by its deprecated `dict`: it costs more than all the rest."""
        return {**self.asdict(), "stop": stop, **kwargs}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        usual = [self.stop] if isinstance(self.stop, str) else self.stop
        params = super()._get_ls_params(stop=stop or usual, **kwargs)
        params["ls_provider"], params["ls_model_name"] = self._whom(kwargs.get("model"))
        return params

    def _whom(self, model: str | None) -> tuple[str, str]:
        """Provider and model of a call that names this model."""
        client = self._client
        if model is None:
            return client.provider.id, client.model
        provider, name = split_model(model)
        if provider and name:
            try:
                return manifests_in(self.manifests).provider(provider).id, name
            except ManifestError:  # the slash is part of the model's name
                pass
        return client.provider.id, model

    # keeping: LangChain's JSON, copies, pickles

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        provider = self._client.provider
        credentials = provider.protocols[self._client.protocol].credentials or provider.credentials
        return {"api_key": next(iter(credentials.env), "API_KEY")}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        return {"headers": self._shown_headers(self.headers)} if self.headers else {}

    @field_serializer("headers")
    def _shown_headers(self, headers: dict[str, str] | None) -> dict[str, str] | None:
        secrets = secrets_in(headers or {})
        return headers and {name: value for name, value in headers.items() if value not in secrets}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other fields; a key among them becomes a secret, which pydantic would not see to here."""
        if update and "api_key" in update:
            update = {**update, "api_key": as_key(update["api_key"])}
        return super().model_copy(update=update, deep=deep)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> ChatAIProtocol:
        memo = {} if memo is None else memo
        memo |= {id(client): client for name in _NOT_COPIED if (client := getattr(self, name)) is not None}
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        gone = dict.fromkeys(("api_key", *_NOT_COPIED))
        state["__dict__"] = {**state["__dict__"], **gone, "headers": self._shown_headers(self.headers)}
        state["__dict__"].pop(_MADE, None)
        return state


# LangChain looks the signatures up in every call; working one out takes as long as preparing a small request.
for _method in (ChatAIProtocol._generate, ChatAIProtocol._agenerate):
    setattr(_method, "__signature__", signature(_method))  # noqa: B010  (a type checker knows no such attribute)
