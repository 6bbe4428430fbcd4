"""`AIProtocolLLM` against a server that none of us wrote, in each format it speaks: chats, tools, agents and a query
engine. The model talks nonsense, so that what is compared is one way of asking with the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ThinkingBlock, ToolCallBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from ai_protocol_integrations.llama_index import AIProtocolEmbedding, AIProtocolLLM
from ai_protocol_integrations.llama_index.errors import OutputError
from ai_protocol_runtime.types.errors import InvalidRequestError

from .questions import PROTOCOLS, PROVIDER, QUESTION
from .server import KEY, Server

pytestmark = [
    pytest.mark.real_server,
    pytest.mark.filterwarnings("ignore:.*tiny"),  # no manifest knows the model
    pytest.mark.filterwarnings(
        "ignore::pydantic.PydanticDeprecatedSince20"
    ),  # agents of LlamaIndex read all attributes
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211"),
]

ASKED = [ChatMessage(QUESTION)]
Make = Callable[..., AIProtocolLLM]


class Weather(BaseModel):
    """The weather of a city."""

    city: str


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"7 degrees in {city}"


TOOL = FunctionTool.from_defaults(get_weather)


def maker(server: Server, protocol: str) -> Make:
    def make(**arguments: Any) -> AIProtocolLLM:
        settings: dict[str, Any] = {"base_url": server.url, "api_key": KEY, "max_tokens": 60, "max_retries": 0}
        return AIProtocolLLM(model=f"{PROVIDER}/{server.name}", protocol=protocol, **(settings | arguments))

    return make


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def llm(server: Server, protocol: str) -> Make:
    return maker(server, protocol)


@pytest.fixture
def thinking(thinker: Server, protocol: str) -> Make:
    return maker(thinker, protocol)


def said(response: ChatResponse) -> dict[str, Any]:
    """All that an answer says, but for ids and times."""
    blocks = response.message.blocks
    return {
        "content": response.message.content,
        "thoughts": [block.content for block in blocks if isinstance(block, ThinkingBlock)],
        "calls": [(block.tool_name, block.tool_kwargs) for block in blocks if isinstance(block, ToolCallBlock)],
        "tokens": response.additional_kwargs,
        "finish": response.raw["finish_reason"],  # type: ignore[index]
    }


async def asked(llm: AIProtocolLLM, how: str, **more: Any) -> ChatResponse:
    if how == "chat":
        return llm.chat(ASKED, **more)
    if how == "achat":
        return await llm.achat(ASKED, **more)
    if how == "stream_chat":
        return list(llm.stream_chat(ASKED, **more))[-1]
    return [response async for response in await llm.astream_chat(ASKED, **more)][-1]


@pytest.mark.parametrize("how", ["achat", "stream_chat", "astream_chat"])
async def test_streamed_is_whole(llm: Make, how: str) -> None:
    whole = said(await asked(llm(), "chat"))
    assert whole["content"]
    assert 0 < whole["tokens"]["completion_tokens"] <= 60
    assert said(await asked(llm(), how)) == whole


@pytest.mark.parametrize("how", ["achat", "stream_chat", "astream_chat"])
async def test_streamed_calls_are_whole(llm: Make, how: str) -> None:
    tools = {"tools": [TOOL], "tool_choice": "any", "max_tokens": 600}
    whole, streamed = [said(await asked(llm(), one, **tools)) for one in ("chat", how)]
    assert {name for name, _ in whole["calls"]} == {"get_weather"}
    if whole["finish"] == "length":  # of the call that was cut off, a whole answer of this server holds less
        whole["calls"].pop()
        streamed["calls"] = streamed["calls"][: len(whole["calls"])]
    assert streamed == whole


def test_deltas_are_the_content(llm: Make) -> None:
    *pieces, last = llm().stream_complete(QUESTION)
    assert len(pieces) > 3
    assert "".join(piece.delta or "" for piece in pieces) == last.text == llm().complete(QUESTION).text


@pytest.mark.parametrize("how", ["chat", "stream_chat"])
async def test_the_token_counter_has_the_servers_counts(llm: Make, how: str) -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    response = await asked(llm(callback_manager=CallbackManager([counter])), how)
    counts = response.additional_kwargs
    assert counter.prompt_llm_token_count == counts["prompt_tokens"] > 0
    assert counter.completion_llm_token_count == counts["completion_tokens"] > 0


def test_a_cut_call_is_not_made(llm: Make) -> None:
    model = llm(max_tokens=400)
    *_, last = model.stream_chat_with_tools([TOOL], QUESTION, tool_required=True, allow_parallel_tool_calls=True)
    with pytest.raises(OutputError, match="call of get_weather cannot be made, because the arguments are not JSON"):
        model.get_tool_calls_from_response(last)


def test_results_go_back(llm: Make) -> None:
    model = llm(max_tokens=600)
    called = model.chat_with_tools([TOOL], QUESTION, tool_required=True)
    (call,) = model.get_tool_calls_from_response(called)
    result = ChatMessage(role="tool", content="7 degrees", additional_kwargs={"tool_call_id": call.tool_id})
    answer = model.chat([*ASKED, called.message, result], tools=[TOOL], max_tokens=20)
    assert answer.additional_kwargs["prompt_tokens"] > called.additional_kwargs["prompt_tokens"]


def test_objects(llm: Make, protocol: str) -> None:
    """In the formats in which this server takes a schema and does not keep to it, that is noticed."""
    model, prompt = llm(max_tokens=600), PromptTemplate(QUESTION)
    if protocol == "openai-chat":
        assert model.structured_predict(Weather, prompt).city is not None
        *_, last = model.stream_structured_predict(Weather, prompt)
        assert isinstance(last, Weather)
        return
    with pytest.raises(OutputError, match="not JSON"):
        model.structured_predict(Weather, prompt)


async def test_thoughts_reach_the_agent_and_go_back(thinking: Make) -> None:
    model = thinking()
    *pieces, last = model.stream_chat(ASKED)
    (thought,) = said(last)["thoughts"]
    assert "".join(piece.additional_kwargs.get("thinking_delta", "") for piece in pieces) == thought
    answer = model.chat([*ASKED, last.message, *ASKED], max_tokens=5)
    assert answer.additional_kwargs["prompt_tokens"] > last.additional_kwargs["prompt_tokens"]
    run = FunctionAgent(llm=model, tools=[TOOL]).run(QUESTION)
    deltas = [event.thinking_delta or "" async for event in run.stream_events() if isinstance(event, AgentStream)]
    await run
    assert bool("".join(deltas)) == bool(thought)  # in one format this server shows none, and keeps it


def test_a_query_engine(llm: Make) -> None:
    documents = [Document(text="Oslo has rain."), Document(text="Rome has sun.")]
    index = VectorStoreIndex.from_documents(documents, embed_model=AIProtocolEmbedding(model="simulator/embedder"))
    response = index.as_query_engine(llm=llm(), similarity_top_k=1).query(QUESTION)
    assert str(response)
    assert len(response.source_nodes) == 1
    streamed = index.as_query_engine(llm=llm(), similarity_top_k=1, streaming=True).query(QUESTION)
    assert "".join(streamed.response_gen) == str(response)  # type: ignore[union-attr]


def test_errors(llm: Make) -> None:
    with pytest.raises(InvalidRequestError):
        llm().chat([ChatMessage(QUESTION * 5000)])
