"""The chat model: LangChain's contract on one side, `AIClient` on the other, and no decisions between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from inspect import signature
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast, get_args

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.utils import LC_ID_PREFIX

from ai_protocol_integrations import __version__
from ai_protocol_integrations._model import SAMPLING, ChattingModel
from ai_protocol_integrations._schemas import is_pydantic
from ai_protocol_integrations._tools import bound_choice, to_choice, to_tool
from ai_protocol_runtime.flow.estimate import estimate_text
from ai_protocol_runtime.flow.prepare import Target
from ai_protocol_runtime.manifest import manifests as manifests_in
from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import StreamingEvent
from ai_protocol_runtime.types.errors import AIProtocolError, ArgumentError

from ._chunks import Chunks
from ._counting import count
from ._errors import model_errors
from ._events import Event, Events
from ._fingerprint import fingerprint
from ._inputs import to_messages
from ._outputs import to_result
from ._profile import Profile, profile_of
from ._structured import Method, StructuredOutput, named, response_format, to_format
from ._tools import ToolLike, bound_tool
from ._translator import translate_for
from ._versions import Version

_IDENTITY = ("base_url", "extra_body", "output_version", *SAMPLING)
_OF_LANGCHAIN = ("stream", "output_version")  # said for a call, and nothing of the provider's
_NOT_OF_ANSWERS = ("timeout", "max_retries")
_OF_PROFILE = frozenset(("model", "manifests"))


class ChatAIProtocol(ChattingModel, BaseChatModel):
    """A chat model of any provider that has a manifest: ``ChatAIProtocol(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Each sampling parameter (temperature ... reasoning), `model`, `timeout`, `max_retries`,
    `headers`, `extra_body` and `on_unsupported` can also be given per call, as can the rest of what a request may say
    (`presence_penalty`, `logprobs`, `service_tier` ...); the call's own value counts. Key, base URL and protocol belong
    to the model: `configurable_fields` may choose them. A provider's `metadata` goes by `extra_body`: LangChain has its
    own.

    The content of its messages is their text; `message.content_blocks` has all they say in LangChain's standard blocks.
    With ``output_version="v1"``, which may be said per call too, the content is those blocks. A pickle holds no key and
    no HTTP clients: a key is looked up in the environment again.

    Raises `ArgumentError` for an argument that does not exist or fit, and `ManifestError` for an unknown provider, both
    naming the nearest; a key is looked for when it is needed (`CredentialError`).
    """

    streaming: bool = False
    """Whether `invoke`, too, has the answer streamed to it; False, if said, keeps even callbacks from asking for it."""

    if not TYPE_CHECKING:  # a type checker knows the arguments better from the fields

        def __init__(self, **arguments: Any) -> None:
            if isinstance(arguments.get("profile"), Profile):  # that of the model whose fields these were
                del arguments["profile"]
            super().__init__(**arguments)
            self._add_version("ai-protocol-integrations", __version__)
            translate_for(self._client.provider.id)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self._changed(name)

    # calls

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with model_errors():
            answer = self._client.chat(to_messages(messages), **self._params(stop, kwargs))
            return to_result(answer, self._version(kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with model_errors():
            answer = await self._client.achat(to_messages(messages), **self._params(stop, kwargs))
            return to_result(answer, self._version(kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with model_errors(), closing(self._told(messages, stop, kwargs)) as events:
            chunks = Chunks(self._version(kwargs))
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
        with model_errors():
            async with aclosing(self._atold(messages, stop, kwargs)) as events:
                chunks = Chunks(self._version(kwargs))
                async for event in events:
                    if (chunk := chunks.feed(event)) is not None:
                        yield chunk

    # LangChain looks these two up by name: what `stream_events(version="v3")` and graphs read

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[Event]:
        with model_errors(), closing(self._told(messages, stop, kwargs)) as told:
            events = self._events(run_manager, kwargs)
            for event in told:
                yield from events.feed(event)

    async def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        *,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Event]:
        with model_errors():
            async with aclosing(self._atold(messages, stop, kwargs)) as told:
                events = self._events(run_manager, kwargs)
                async for event in told:
                    for made in events.feed(event):
                        yield made

    def _told(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> Generator[StreamingEvent]:
        stream = self._client.stream(to_messages(messages), **self._streamed(stop, kwargs))
        return cast("Generator[StreamingEvent]", stream)

    def _atold(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> AsyncGenerator[StreamingEvent]:
        stream = self._client.astream(to_messages(messages), **self._streamed(stop, kwargs))
        return cast("AsyncGenerator[StreamingEvent]", stream)

    def _events(
        self, run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None, kwargs: Mapping[str, Any]
    ) -> Events:
        provider, model = self._whom(kwargs.get("model"))
        return Events(f"{LC_ID_PREFIX}-{run.run_id}" if run else "", provider, model)

    def _version(self, kwargs: Mapping[str, Any]) -> Version:
        """The form of the content: v0, unless the call or the model says v1. LangChain itself sees to the model's."""
        said = self.output_version, kwargs.get("output_version")
        for version in said:
            if version is not None and version not in get_args(Version):
                close = nearest(version, get_args(Version), all_of=True)
                raise ArgumentError(f"there is no output_version {version!r}{close}")
        return "v1" if "v1" in said else "v0"

    def _params(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What is said for this call, over what the fields say for every call."""
        params = self._sampling()
        if stop is not None:
            params["stop"] = stop
        params |= {name: value for name, value in kwargs.items() if name not in _OF_LANGCHAIN}
        tools = [bound_tool(tool) for tool in params.pop("tools", None) or ()]
        if tools:
            params["tools"] = [to_tool(tool) for tool in tools]
        if (wanted := params.pop("response_format", None)) is not None:
            params["format"] = to_format(
                wanted, only_strict=self._facts(params.get("model")).structured_output == "strict"
            )
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
        is the first where the manifest knows that the model can, else the second. `kwargs` are bound; `tools` (with the
        JSON methods) may be called instead of answering.

        `strict` is bound too. Left out, it is said with ``"json_schema"`` to a model that keeps to no other schema: of
        a pydantic class that has a strict form (all fields, and nothing else), and of any other schema that is in it.

        What comes back is checked here, whatever the provider promised. An answer that is no JSON or not as the schema
        has it is an `OutputParserException`, a refusal a `RefusalError`. With `include_raw` nothing of that is raised:
        the result is a dict of ``raw``, ``parsed`` and ``parsing_error``.
        """
        if method not in get_args(Method):
            raise ArgumentError(f"there is no method {method!r}{nearest(method, get_args(Method), all_of=True)}")
        keeps = self._facts(kwargs.get("model")).structured_output
        if method == "auto":
            method = "json_schema" if keeps else "function_calling"
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
            kwargs["response_format"] = response_format(schema, strict=strict, only_strict=keeps == "strict")
            wanted = kwargs["response_format"]["json_schema"]["schema"]
        else:
            kwargs["response_format"] = {"type": "json_object"}
            wanted = schema and response_format(schema)["json_schema"]["schema"]
        parser = StructuredOutput(wanted=schema if is_pydantic(schema) else wanted, tool=tool, tools=bool(tools))
        model = self.bind_tools(tools, strict=strict, **kwargs) if tools else self.bind(**kwargs)
        if not include_raw:
            return model | parser
        parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=model) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    # identity

    @property
    def _llm_type(self) -> str:
        return "ai-protocol-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self._identity(None)

    def _identity(self, model: Any) -> dict[str, Any]:
        """All that an answer depends on beside what is said in its call, what the manifests say included; no secret."""
        own, target = self.__dict__, self._target(model)
        about: dict[str, Any] = {
            "model": target.model,
            "provider": target.provider.id,
            "protocol": target.protocol,
            "manifests": fingerprint(target.manifests, target.provider.id, target.protocol, target.model),
        }
        about |= {name: value for name in _IDENTITY if (value := own[name]) is not None}
        if self.headers is not None:
            about["headers"] = self._shown_headers(self.headers)
        return about

    def _said(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What is said in a call beside its model, and no secret."""
        said = {name: value for name, value in kwargs.items() if name != "model"}
        if stop is not None:
            said["stop"] = stop
        if isinstance(headers := said.get("headers"), dict):
            said["headers"] = self._shown_headers(headers)
        return said

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """As LangChain has it, without the detour by its deprecated `dict`: it costs more than all the rest."""
        about = self._identity(kwargs.get("model"))
        return {"stop": None, **about, "_type": self._llm_type, **self._said(stop, kwargs)}

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """The key of an answer in a cache. An edited manifest makes another, a longer timeout does not."""
        about, said = self._identity(kwargs.get("model")), self._said(stop, kwargs)
        pairs = [pair for pair in said.items() if pair[0] not in _NOT_OF_ANSWERS]
        return f"{self._llm_type}---{sorted(about.items())}---{sorted(pairs)}"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        usual = [self.stop] if isinstance(self.stop, str) else self.stop
        params = super()._get_ls_params(stop=stop or usual, **kwargs)
        params["ls_provider"], params["ls_model_name"] = self._whom(kwargs.get("model"))
        return params

    def _whom(self, model: str | None) -> tuple[str, str]:
        """Provider and model of a call that names this model."""
        target = self._target(model)
        return target.provider.id, target.model

    def _target(self, model: Any) -> Target:
        return self._client.resolve(model if isinstance(model, str) else None)

    def _resolve_model_profile(self) -> ModelProfile | None:
        try:
            return profile_of(manifests_in(self.manifests), *self._whom(None))
        except AIProtocolError:  # whoever uses the model is told
            return cast("ModelProfile", Profile())

    def _changed(self, *names: str) -> None:
        """What follows from fields that have been set is worked out again."""
        self.__dict__.pop("_serialized", None)  # LangChain keeps what it once dumped
        if not _OF_PROFILE.isdisjoint(names) and isinstance(self.profile, Profile):
            self.profile = self._resolve_model_profile()

    # tokens

    def get_token_ids(self, text: str) -> list[int]:
        if self.custom_get_token_ids is None:
            raise NotImplementedError(
                "a provider's tokens are known to itself alone; get_num_tokens tells how many there are, and "
                "custom_get_token_ids takes a tokenizer of your own"
            )
        return super().get_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """About how many tokens a text has by itself, without asking anybody; exactly, by `custom_get_token_ids`."""
        return estimate_text(text) if self.custom_get_token_ids is None else super().get_num_tokens(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[ToolLike] | None = None) -> int:
        """The tokens that a call with these messages and tools would send: the provider is asked where its manifest
        says how (that costs nothing), and where it does not answer (warned of once) they are estimated."""
        if self.custom_get_token_ids is not None:
            return super().get_num_tokens_from_messages(messages, tools)
        return count(self._client, to_messages(messages), self._params(None, {"tools": tools}))

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
        """Fields as JSON has them that are something else here: paths, an `httpx.Timeout`, headers with secrets."""
        about: dict[str, Any] = {}
        if self.headers:
            about["headers"] = self._shown_headers(self.headers)
        if isinstance(self.manifests, Path):
            about["manifests"] = str(self.manifests)
        if hasattr(self.timeout, "read"):
            silence = self.timeout.read
            about["timeout"] = {"connect": self.timeout.connect, "first_byte": silence, "idle": silence}
        return about

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other fields."""
        copied = super().model_copy(update=update, deep=deep)
        copied._changed(*(update or ()))
        return copied


# LangChain looks the signatures up in every call; working one out takes as long as preparing a small request.
for _method in (ChatAIProtocol._generate, ChatAIProtocol._agenerate):
    setattr(_method, "__signature__", signature(_method))  # noqa: B010  (a type checker knows no such attribute)
