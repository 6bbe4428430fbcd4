"""The LLM: LlamaIndex's contract on one side, `AIClient` on the other, and no decisions between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, ClassVar, TypeVar, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
)
from llama_index.core.instrumentation.events.llm import LLMStructuredPredictEndEvent, LLMStructuredPredictStartEvent
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools.types import BaseTool
from llama_index.core.types import PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, Field

from ai_protocol_integrations._model import ChattingModel, CountingModel
from ai_protocol_integrations._schemas import class_format, is_pydantic, read_format
from ai_protocol_integrations._tools import to_choice, to_tool
from ai_protocol_runtime.types import StreamingEvent, Tool
from ai_protocol_runtime.types.errors import ArgumentError

from ._component import Component
from ._inputs import to_messages
from ._metadata import metadata_of
from ._outputs import to_completion, to_response
from ._stream import Responses
from ._structured import Growing, Structured
from ._tools import expected, json_tool, only_first, selections

Model = TypeVar("Model", bound=BaseModel)

dispatcher = get_dispatcher(__name__)


class AIProtocolLLM(Component, ChattingModel, CountingModel, FunctionCallingLLM):
    """An LLM of any provider that has a manifest: ``AIProtocolLLM(model="provider/model")``.

    Every argument is a keyword; all but `model` may be left out. None means "not said": the provider's default, or the
    manifest's, then holds. Each sampling parameter (temperature ... reasoning), `model`, `timeout`, `max_retries`,
    `headers`, `extra_body` and `on_unsupported` can also be given per call, as can the rest of what a request may say
    (`presence_penalty`, `logprobs`, `response_format`, `tools`, `tool_choice`, `service_tier` ...); the call's own
    value counts, and None is as good as left out. `system_prompt` is said in every call, once.

    A response's `raw` is a dict: who answered, how it ended, and under ``usage`` the tokens, which stand in
    `additional_kwargs` too; of a stream they come with the last item. `last_usage` and `total_usage` count for the
    object. Reasoning is in `ThinkingBlock`s, and in ``additional_kwargs["thinking_delta"]`` of a stream's items; it
    goes back with its signature when the message does.

    Raises `ArgumentError` for an argument that does not exist or fit, and `ManifestError` for an unknown provider, both
    naming the nearest; a key is looked for when it is needed (`CredentialError`). What a call raises is in the tree of
    `ai_protocol_runtime.types.errors`; an answer that is not what was asked for is an `OutputError`
    (`ai_protocol_integrations.llama_index.errors`).
    """

    context_window: int | None = Field(default=None, gt=0)
    """Tokens that the model reads, where the manifests do not know it or are to be told better."""
    is_function_calling_model: bool | None = None
    """Whether it calls tools, likewise."""

    _other_names: ClassVar = {**Component._other_names, "max_completion_tokens": "max_tokens"}

    @property
    def metadata(self) -> LLMMetadata:
        """What the manifests know of the model. Nobody is asked; what is not known is assumed, with a warning."""
        target = self._client.resolve()
        facts, window, tools = self._facts(), self.context_window, self.is_function_calling_model
        return metadata_of(target, facts, window=window, tools=tools, most=self.max_tokens)

    # chat

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._chat(messages, kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return await self._achat(messages, kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        return self._told(messages, kwargs)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        return self._atold(messages, kwargs)

    # completions are chats of one message; the events that LlamaIndex sends for them are of completions only

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return to_completion(self._chat(self._asked(prompt, formatted), kwargs))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return to_completion(await self._achat(self._asked(prompt, formatted), kwargs))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        told = self._told(self._asked(prompt, formatted), kwargs)

        def completions() -> CompletionResponseGen:
            with closing(told):
                for response in told:
                    yield to_completion(response)

        return completions()

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        told = self._atold(self._asked(prompt, formatted), kwargs)

        async def completions() -> CompletionResponseAsyncGen:
            async with aclosing(told):
                async for response in told:
                    yield to_completion(response)

        return completions()

    # the same, without LlamaIndex's events

    def _chat(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> ChatResponse:
        answer = self._client.chat(to_messages(self._prompted(messages)), **self._params(kwargs))
        return to_response(self._counted(answer))

    async def _achat(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> ChatResponse:
        answer = await self._client.achat(to_messages(self._prompted(messages)), **self._params(kwargs))
        return to_response(self._counted(answer))

    def _told(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> Generator[ChatResponse, None, None]:
        """What is wrong with the arguments is raised at once; it is sent when the first item is wanted."""
        stream = self._client.stream(to_messages(self._prompted(messages)), **self._params(kwargs))
        return self._responses(cast("Generator[StreamingEvent]", stream))

    def _responses(self, stream: Generator[StreamingEvent]) -> Generator[ChatResponse, None, None]:
        responses = Responses()
        with closing(stream) as events:
            for event in events:
                if (made := responses.feed(event)) is not None:
                    if responses.answer is not None:
                        self._counted(responses.answer)
                    yield made

    def _atold(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> AsyncGenerator[ChatResponse, None]:
        stream = self._client.astream(to_messages(self._prompted(messages)), **self._params(kwargs))
        return self._aresponses(cast("AsyncGenerator[StreamingEvent]", stream))

    async def _aresponses(self, stream: AsyncGenerator[StreamingEvent]) -> AsyncGenerator[ChatResponse, None]:
        responses = Responses()
        async with aclosing(stream) as events:
            async for event in events:
                if (made := responses.feed(event)) is not None:
                    if responses.answer is not None:
                        self._counted(responses.answer)
                    yield made

    def _asked(self, prompt: str, formatted: bool) -> list[ChatMessage]:
        said = prompt if formatted or self.completion_to_prompt is None else self.completion_to_prompt(prompt)
        return [ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text=said)])]

    def _prompted(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """The messages after the system prompt; some of LlamaIndex's own code has put it there already."""
        prompt = self.system_prompt
        if not prompt or any(said.role == MessageRole.SYSTEM and said.content == prompt for said in messages):
            return messages
        return [ChatMessage(role=MessageRole.SYSTEM, blocks=[TextBlock(text=prompt)]), *messages]

    def _params(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What is said for this call, over what the fields say for every call."""
        params = self._sampling() | {name: value for name, value in kwargs.items() if value is not None}
        tools = [json_tool(tool) for tool in params.pop("tools", None) or ()]
        if tools:
            params["tools"] = [to_tool(tool) for tool in tools]
        if "tool_choice" in params:
            params["tool_choice"] = to_choice(params["tool_choice"], tools)
        if (wanted := params.pop("response_format", None)) is not None:
            strict = self._facts(params.get("model")).structured_output == "strict"
            form = class_format if is_pydantic(wanted) else read_format
            params["format"] = form(wanted, only_strict=strict)
        if (params.get("n") or 1) > 1:
            raise ArgumentError("LlamaIndex's responses hold one answer: leave out n")
        return params

    # tools

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of `chat`. `tool_choice`: ``"auto"``, ``"any"`` (or ``"required"``), ``"none"``, a tool's name,
        or a vendor's dict; None is as good as left out, and `tool_required` then decides."""
        messages = list(chat_history or [])
        if user_msg is not None:
            said = ChatMessage(role=MessageRole.USER, content=user_msg) if isinstance(user_msg, str) else user_msg
            messages.append(said)
        made: dict[str, Any] = {"messages": messages, **kwargs}
        if tools:
            made["tools"] = [json_tool(tool, strict=strict) for tool in tools]
            choice = "any" if tool_choice is None and tool_required else tool_choice
            if choice is not None:
                made["tool_choice"] = choice
            if not allow_parallel_tool_calls and self._can_ask_for_one_call(kwargs.get("model")):
                made["parallel_tool_calls"] = False
        return made

    def _can_ask_for_one_call(self, model: str | None) -> bool:
        """Whether the provider can be told to call one tool at a time. That is LlamaIndex's default, nobody's wish, and
        so no reason to warn where it cannot: the first call counts then."""
        tool = Tool("f", "", {"type": "object", "properties": {}})
        told = self._client.losses("", tools=[tool], parallel_tool_calls=False, model=model)
        return not any(loss.what == "parallel_tool_calls" for loss in told)

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        return response if allow_parallel_tool_calls else only_first(response)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The calls of an answer, or of one that is still coming as far as it has come.

        Raises `OutputError` where there is none (unless `error_on_no_tool_call` is False), and for a finished answer in
        which a call's arguments are no JSON object.
        """
        found = selections(response)
        return expected(found, response) if error_on_no_tool_call else found

    # structured output

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """An object of the class: the provider keeps the model to its schema where the manifest knows that it can, else
        the model has to call it as a tool. `llm_kwargs` go with the call, `prompt_args` into the prompt.

        Raises `OutputError` where what comes does not satisfy the class, and `RefusalError`.
        """
        wanted = self._wanted(output_cls, llm_kwargs)
        if wanted is None:
            return cast("Model", super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args))
        dispatcher.event(
            LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        )
        messages = self._get_messages(prompt, **prompt_args)
        made = wanted.read(self.chat(messages, **{**wanted.kwargs, **(llm_kwargs or {})}))
        dispatcher.event(LLMStructuredPredictEndEvent(output=made))
        return made

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """`structured_predict` in the running event loop."""
        wanted = self._wanted(output_cls, llm_kwargs)
        if wanted is None:
            return cast("Model", await super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args))
        dispatcher.event(
            LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        )
        messages = self._get_messages(prompt, **prompt_args)
        made = wanted.read(await self.achat(messages, **{**wanted.kwargs, **(llm_kwargs or {})}))
        dispatcher.event(LLMStructuredPredictEndEvent(output=made))
        return made

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        wanted = self._wanted(output_cls, llm_kwargs)
        if wanted is None:
            return super()._structured_stream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        messages = self._get_messages(prompt, **prompt_args)
        told = self.stream_chat(messages, **{**wanted.kwargs, **(llm_kwargs or {})})

        def objects() -> Generator[Any, None, None]:
            growing = Growing(wanted, output_cls)
            for response in told:
                yield from growing.feed(response)
            yield from growing.end()

        return objects()

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        wanted = self._wanted(output_cls, llm_kwargs)
        if wanted is None:
            return await super()._structured_astream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        messages = self._get_messages(prompt, **prompt_args)
        told = await self.astream_chat(messages, **{**wanted.kwargs, **(llm_kwargs or {})})

        async def objects() -> AsyncGenerator[Any, None]:
            growing = Growing(wanted, output_cls)
            async for response in told:
                for made in growing.feed(response):
                    yield made
            for made in growing.end():
                yield made

        return objects()

    def _wanted(self, output_cls: type[Model], llm_kwargs: Mapping[str, Any] | None) -> Structured[Model] | None:
        """How the class is asked for; None where LlamaIndex's own programs are to do it: by the user's choice of a
        program, or because the model neither keeps to schemas nor calls tools."""
        keeps = self._facts((llm_kwargs or {}).get("model")).structured_output
        if self.pydantic_program_mode != PydanticProgramMode.DEFAULT:
            return None
        if not keeps and not self.metadata.is_function_calling_model:
            return None
        return Structured(output_cls, keeps)
