"""The clients that are measured. Each reads the same bytes and drops what it has read.

``python clients.py NAME URL`` is one client in a process of its own: a line of JSON in says what to run, a line out
what it cost. Only the CPU time of this process counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from provider import TEXT, WORD

Run = Callable[[], Any]
ARun = Callable[[], Coroutine[Any, Any, Any]]
QUESTION = "How is the river today?"
TOOL = {
    "name": "note",
    "description": "Writes a note",
    "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
}


@dataclass
class Client:
    """`build` makes what a user makes, the others take that object; `read` puts together what `stream` gave."""

    build: Callable[[str, str], Any]
    call: Callable[[Any], str]
    acall: Callable[[Any], Coroutine[Any, Any, str]]
    stream: Callable[[Any], Iterator[Any]]
    astream: Callable[[Any], Any]
    read: Callable[[list[Any]], str]


# --- httpx and json alone: what no client can be cheaper than


class Raw:
    """The least that a program has to do: POST, split lines, parse, take the delta out."""

    def __init__(
        self, url: str, model: str, path: str, delta: Callable[[Any], str], whole: Callable[[Any], str]
    ) -> None:
        import httpx

        self.url, self.delta, self.whole = url + path, delta, whole
        limits = {"timeout": 60.0, "headers": {"authorization": "Bearer k"}}
        self.sync, self.asynchronous = httpx.Client(**limits), httpx.AsyncClient(**limits)  # type: ignore[arg-type]
        self.body = {"model": model, "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 4096}

    def call(self) -> str:
        return self.whole(json.loads(self.sync.post(self.url, json=self.body).content))

    async def acall(self) -> str:
        return self.whole(json.loads((await self.asynchronous.post(self.url, json=self.body)).content))

    def stream(self) -> Iterator[str]:
        with self.sync.stream("POST", self.url, json={**self.body, "stream": True}) as response:
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield self.delta(json.loads(line[6:]))

    async def astream(self) -> Any:
        async with self.asynchronous.stream("POST", self.url, json={**self.body, "stream": True}) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    yield self.delta(json.loads(line[6:]))


def chat_delta(chunk: Any) -> str:
    if not chunk["choices"]:
        return ""
    delta = chunk["choices"][0]["delta"]
    if calls := delta.get("tool_calls"):
        return str(calls[0]["function"]["arguments"])
    return delta.get("content") or ""


def messages_delta(event: Any) -> str:
    delta = event.get("delta", {})
    return delta.get("text") or delta.get("partial_json") or ""


def raw(path: str, delta: Callable[[Any], str], whole: Callable[[Any], str]) -> Client:
    return Client(
        lambda url, model: Raw(url, model, path, delta, whole),
        lambda c: c.call(),
        lambda c: c.acall(),
        lambda c: c.stream(),
        lambda c: c.astream(),
        "".join,
    )


# --- LangChain chat classes


def langchain_floor(path: str, delta: Callable[[Any], str], whole: Callable[[Any], str]) -> Callable[[str, str], Any]:
    """What no chat class of LangChain can be cheaper than: the raw client above, one message or chunk for what it
    reads, and what `BaseChatModel` does by itself. It knows no errors, no usage, no ends of streams."""

    def make(url: str, model: str) -> Any:
        from langchain_core.language_models import BaseChatModel
        from langchain_core.messages import AIMessage, AIMessageChunk
        from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

        client = Raw(url, model, path, delta, whole)
        calls = model.startswith("tool")

        def chunk(text: str) -> ChatGenerationChunk:
            if not calls:
                return ChatGenerationChunk(message=AIMessageChunk(content=text))
            call: Any = {"name": None, "args": text, "id": None, "index": 0, "type": "tool_call_chunk"}
            return ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[call]))

        class Floor(BaseChatModel):
            @property
            def _llm_type(self) -> str:
                return "floor"

            def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
                return self

            def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
                return ChatResult(generations=[ChatGeneration(message=AIMessage(client.call()))])

            async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
                return ChatResult(generations=[ChatGeneration(message=AIMessage(await client.acall()))])

            def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
                yield from map(chunk, filter(None, client.stream()))

            async def _astream(self, *args: Any, **kwargs: Any) -> Any:
                async for text in client.astream():
                    if text:
                        yield chunk(text)

        return Floor()

    return make


def chat_model(make: Callable[[str, str], Any]) -> Client:
    def build(url: str, model: str) -> Any:
        chat = make(url, model)
        return chat.bind_tools([{"type": "function", "function": TOOL}]) if model.startswith("tool") else chat

    def read(chunks: list[Any]) -> str:
        message = chunks[0]
        for chunk in chunks[1:]:
            message = message + chunk
        if chunk_calls := message.tool_call_chunks:
            return json.dumps(json.loads(chunk_calls[0]["args"]))
        return str(message.text)

    async def acall(chat: Any) -> str:
        return str((await chat.ainvoke(QUESTION)).text)

    return Client(
        build,
        lambda chat: str(chat.invoke(QUESTION).text),
        acall,
        lambda chat: chat.stream(QUESTION),
        lambda chat: chat.astream(QUESTION),
        read,
    )


def chat_ai_protocol(provider: str, protocol: str) -> Callable[[str, str], Any]:
    def make(url: str, model: str) -> Any:
        from ai_protocol_integrations.langchain import ChatAIProtocol

        settings: Any = {"base_url": url, "api_key": "k", "max_retries": 0}
        return ChatAIProtocol(model=f"{provider}/{model}", protocol=protocol, **settings)

    return make


def chat_openai(url: str, model: str) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=model, base_url=f"{url}/v1", api_key="k", max_retries=0)  # type: ignore[arg-type]


def chat_anthropic(url: str, model: str) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model=model, base_url=url, api_key="k", max_retries=0)  # type: ignore[call-arg,arg-type]


# --- LLMs of LlamaIndex


def llama_index_floor(path: str, delta: Callable[[Any], str], whole: Callable[[Any], str]) -> Callable[[str, str], Any]:
    """What no LLM of LlamaIndex can be cheaper than: the raw client above, for what it reads one response with the
    whole message so far, and what LlamaIndex does around every call. It knows no errors, no usage, no ends of
    streams."""

    def make(url: str, model: str) -> Any:
        from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata, ToolCallBlock
        from llama_index.core.llms import CustomLLM
        from llama_index.core.llms.callbacks import llm_chat_callback

        client = Raw(url, model, path, delta, whole)
        calls = model.startswith("tool")

        def response(text: str, new: str) -> ChatResponse:
            if not calls:
                return ChatResponse(message=ChatMessage(role="assistant", content=text), delta=new)
            block = ToolCallBlock(tool_call_id="1", tool_name="note", tool_kwargs=text)
            return ChatResponse(message=ChatMessage(role="assistant", blocks=[block]), delta="")

        class Floor(CustomLLM):
            @property
            def metadata(self) -> LLMMetadata:
                return LLMMetadata(is_chat_model=True)

            @llm_chat_callback()
            def chat(self, messages: Any, **kwargs: Any) -> ChatResponse:
                return response(client.call(), "")

            @llm_chat_callback()
            async def achat(self, messages: Any, **kwargs: Any) -> ChatResponse:
                return response(await client.acall(), "")

            @llm_chat_callback()
            def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
                def responses() -> Any:
                    text = ""
                    for new in filter(None, client.stream()):
                        text += new
                        yield response(text, new)

                return responses()

            @llm_chat_callback()
            async def astream_chat(self, messages: Any, **kwargs: Any) -> Any:
                async def responses() -> Any:
                    text = ""
                    async for new in client.astream():
                        if new:
                            text += new
                            yield response(text, new)

                return responses()

            def complete(self, *args: Any, **kwargs: Any) -> Any:
                raise NotImplementedError

            stream_complete = complete

        return Floor()

    return make


def llm(make: Callable[[str, str], Any]) -> Client:
    """As an agent uses it: it asks for the calls of every response."""

    def build(url: str, model: str) -> Any:
        made = make(url, model)
        calls = getattr(made, "get_tool_calls_from_response", None) if model.startswith("tool") else None
        return made, calls, {} if calls is None else {"tools": [{"type": "function", "function": TOOL}]}

    def asked() -> list[Any]:
        from llama_index.core.base.llms.types import ChatMessage

        return [ChatMessage(QUESTION)]

    def stream(built: Any) -> Iterator[Any]:
        made, calls, kwargs = built
        for response in made.stream_chat(asked(), **kwargs):
            if calls is not None:
                calls(response, error_on_no_tool_call=False)
            yield response

    async def astream(built: Any) -> Any:
        made, calls, kwargs = built
        async for response in await made.astream_chat(asked(), **kwargs):
            if calls is not None:
                calls(response, error_on_no_tool_call=False)
            yield response

    def read(responses: list[Any]) -> str:
        message = responses[-1].message
        found = [block.tool_kwargs for block in message.blocks if block.block_type == "tool_call"]
        if not found:
            return str(message.content)
        return json.dumps(json.loads(found[0]) if isinstance(found[0], str) else found[0])

    async def acall(built: Any) -> str:
        return str((await built[0].achat(asked())).message.content)

    return Client(build, lambda built: str(built[0].chat(asked()).message.content), acall, stream, astream, read)


def ai_protocol_llm(provider: str, protocol: str) -> Callable[[str, str], Any]:
    def make(url: str, model: str) -> Any:
        from ai_protocol_integrations.llama_index import AIProtocolLLM

        settings: Any = {"base_url": url, "api_key": "k", "max_retries": 0}
        return AIProtocolLLM(model=f"{provider}/{model}", protocol=protocol, **settings)

    return make


def llama_openai(url: str, model: str) -> Any:
    from llama_index.llms.openai import OpenAI

    class Known(OpenAI):  # its names of models are a list of its own, and ours is not in it
        @property
        def metadata(self) -> Any:
            from llama_index.core.base.llms.types import LLMMetadata

            return LLMMetadata(is_chat_model=True, is_function_calling_model=True, model_name=self.model)

    return Known(model=model, api_base=f"{url}/v1", api_key="k", max_retries=0)


# --- the runtime by itself


def ai_client(provider: str, protocol: str) -> Client:
    def build(url: str, model: str) -> Any:
        from ai_protocol_runtime.client import AIClient

        return AIClient(f"{provider}/{model}", protocol=protocol, base_url=url, api_key="k", max_retries=0)

    def read(events: list[Any]) -> str:
        (part,) = events[-1].answer.message.parts
        return json.dumps(json.loads(part.arguments)) if part.kind == "tool_call" else str(part.text)

    async def acall(client: Any) -> str:
        return str((await client.achat(QUESTION)).text)

    return Client(
        build,
        lambda client: str(client.chat(QUESTION).text),
        acall,
        lambda client: client.stream(QUESTION),
        lambda client: client.astream(QUESTION),
        read,
    )


CHAT: tuple[str, Any, Any] = (
    "/v1/chat/completions",
    chat_delta,
    lambda answer: str(answer["choices"][0]["message"]["content"]),
)
MESSAGES: tuple[str, Any, Any] = ("/v1/messages", messages_delta, lambda answer: str(answer["content"][0]["text"]))

CLIENTS = {
    "raw httpx": raw(*CHAT),
    "AIClient": ai_client("openai", "openai-chat"),
    "LangChain floor": chat_model(langchain_floor(*CHAT)),
    "ChatAIProtocol": chat_model(chat_ai_protocol("openai", "openai-chat")),
    "ChatOpenAI": chat_model(chat_openai),
    "LlamaIndex floor": llm(llama_index_floor(*CHAT)),
    "AIProtocolLLM": llm(ai_protocol_llm("openai", "openai-chat")),
    "OpenAI (LlamaIndex)": llm(llama_openai),
    "raw httpx (Messages)": raw(*MESSAGES),
    "AIClient (Messages)": ai_client("anthropic", "anthropic-messages"),
    "LangChain floor (Messages)": chat_model(langchain_floor(*MESSAGES)),
    "ChatAIProtocol (Messages)": chat_model(chat_ai_protocol("anthropic", "anthropic-messages")),
    "ChatAnthropic": chat_model(chat_anthropic),
    "LlamaIndex floor (Messages)": llm(llama_index_floor(*MESSAGES)),
    "AIProtocolLLM (Messages)": llm(ai_protocol_llm("anthropic", "anthropic-messages")),
}


# --- one client in its own process


class Worker:
    def __init__(self, name: str, url: str) -> None:
        self.client, self.url = CLIENTS[name], url
        self.built: dict[str, Any] = {}
        self.runner = asyncio.Runner()

    def of(self, model: str) -> Any:
        if model not in self.built:
            self.built[model] = self.client.build(self.url, model)
        return self.built[model]

    def check(self, n: int) -> None:
        """Everybody reads everything, or the figures mean nothing. Warms up on the way."""
        words = WORD * n
        noted = json.dumps({"text": WORD * (n - 2)})
        for model, wanted in ((f"text-{n}", words), (f"tool-{n}", noted)):
            for deltas in (list(self.client.stream(self.of(model))), self.runner.run(self.gather(model))):
                got = self.client.read(deltas)
                if got != wanted:
                    raise SystemExit(f"{model}: read {got[:80]!r}")
        for got in (self.client.call(self.of("call")), self.runner.run(self.client.acall(self.of("call")))):
            if got != TEXT:
                raise SystemExit(f"call: read {got[:80]!r}")

    async def gather(self, model: str) -> list[Any]:
        return [delta async for delta in self.client.astream(self.of(model))]

    def measure(self, case: str, n: int) -> float:
        """CPU microseconds of one call, one delta, or one object."""
        if case == "check":
            self.check(n)
            return 0.0
        kind = case.removeprefix("a ").removesuffix(", long")
        model = kind if kind == "call" else f"{kind}-{n}"
        if case == "build":
            self.client.build(self.url, "call")
            return cpu(lambda: [self.client.build(self.url, "call") for _ in range(n)]) / n
        client = self.of(model)
        if case.startswith("a "):
            run = self.acalls if kind == "call" else self.adeltas
            return self.runner.run(timed(lambda: run(client, n))) / n
        if kind == "call":
            return cpu(lambda: [self.client.call(client) for _ in range(n)]) / n
        return cpu(lambda: all(True for _ in self.client.stream(client))) / n

    def undisturbed(self, case: str, n: int) -> float:
        """A framework keeps all chunks until the end, and the garbage collector looks at them again and again: its work
        is no client's, and would hide whose cost grows with the length."""
        gc.disable()
        try:
            return self.measure(case, n)
        finally:
            gc.enable()
            gc.collect()

    async def acalls(self, client: Any, n: int) -> None:
        for _ in range(n):
            await self.client.acall(client)

    async def adeltas(self, client: Any, n: int) -> None:
        async for _ in self.client.astream(client):
            pass


def cpu(run: Run) -> float:
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e6


async def timed(run: ARun) -> float:
    start = time.process_time()
    await run()
    return (time.process_time() - start) * 1e6


def main(name: str, url: str) -> None:
    worker = Worker(name, url)
    for line in sys.stdin:
        order = json.loads(line)
        measure = worker.undisturbed if order["case"].endswith("long") else worker.measure
        print(json.dumps(measure(order["case"], order["n"])), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
