"""`ChatAIProtocol` against a server that none of us wrote, in each format it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.types import errors

from .questions import PROTOCOLS, PROVIDER, QUESTION, WEATHER, ask, reasoning, said, summed
from .server import KEY, Server, free_port

pytestmark = [pytest.mark.real_server, pytest.mark.filterwarnings("ignore:.*tiny")]  # no manifest knows the model

IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

Chat = Callable[..., ChatAIProtocol]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def maker(server: Server, protocol: str) -> Chat:
    def make(**arguments: Any) -> ChatAIProtocol:
        settings: dict[str, Any] = {"base_url": server.url, "api_key": KEY, "max_tokens": 60, "max_retries": 0}
        return ChatAIProtocol(model=f"{PROVIDER}/{server.name}", protocol=protocol, **(settings | arguments))

    return make


@pytest.fixture
def chat(server: Server, protocol: str) -> Chat:
    return maker(server, protocol)


@pytest.fixture
def thinking(thinker: Server, protocol: str) -> Chat:
    return maker(thinker, protocol)


# --- text


def test_text_and_usage(chat: Chat) -> None:
    message = chat().invoke(QUESTION)
    assert message.text
    assert message.id
    usage = message.usage_metadata
    assert usage
    assert usage["input_tokens"] > 0
    assert 0 < usage["output_tokens"] <= 60
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize("how", ["ainvoke", "stream", "astream"])
async def test_streamed_is_whole(chat: Chat, how: str) -> None:
    assert said(await ask(chat(), QUESTION, how)) == said(chat().invoke(QUESTION))


def test_text_comes_in_pieces(chat: Chat) -> None:
    assert sum(bool(chunk.text) for chunk in chat().stream(QUESTION)) > 3


def test_max_tokens(chat: Chat) -> None:
    message = chat(max_tokens=3).invoke(QUESTION)
    assert message.usage_metadata
    assert message.usage_metadata["output_tokens"] == 3


def test_base_url_with_and_without_version(chat: Chat, server: Server) -> None:
    assert chat(base_url=f"{server.url}/v1").invoke(QUESTION).text == chat().invoke(QUESTION).text


async def test_many_at_once(chat: Chat) -> None:
    messages = await chat().abatch([QUESTION] * 8)
    assert all(message.text for message in messages)


async def test_many_threads(chat: Chat) -> None:
    model = chat()
    messages = await asyncio.gather(*[asyncio.to_thread(model.invoke, QUESTION) for _ in range(8)])
    assert all(message.text for message in messages)


# --- tools


def test_tool_calls(chat: Chat) -> None:
    message = chat(max_tokens=600).bind_tools([WEATHER], tool_choice="any").invoke(QUESTION)
    assert message.tool_calls
    assert len({call["id"] for call in message.tool_calls}) == len(message.tool_calls)
    for call in message.tool_calls:
        assert call["name"] == "get_weather"
        assert isinstance(call["args"]["city"], str)


@pytest.mark.parametrize("how", ["ainvoke", "stream", "astream"])
async def test_streamed_tool_calls_are_whole_ones(chat: Chat, how: str) -> None:
    model = chat(max_tokens=600).bind_tools([WEATHER], tool_choice="any")
    assert said(await ask(model, QUESTION, how)) == said(model.invoke(QUESTION))


def test_a_cut_tool_call_is_no_tool_call(chat: Chat) -> None:
    """Half the arguments are not completed by guesswork."""
    message = summed(list(chat(max_tokens=180).bind_tools([WEATHER], tool_choice="any").stream(QUESTION)))
    assert len(message.invalid_tool_calls) == 1
    assert all(isinstance(call["args"]["city"], str) for call in message.tool_calls)


def test_tool_results_go_back(chat: Chat) -> None:
    model = chat(max_tokens=600)
    asked = model.bind_tools([WEATHER], tool_choice="any").invoke(QUESTION)
    results = [ToolMessage("7 degrees", tool_call_id=call["id"]) for call in asked.tool_calls]
    answer = model.bind_tools([WEATHER]).invoke([HumanMessage(QUESTION), asked, *results], max_tokens=20)
    assert answer.usage_metadata
    assert asked.usage_metadata
    assert answer.usage_metadata["input_tokens"] > asked.usage_metadata["input_tokens"]


# --- structured output


def test_json_schema(server: Server) -> None:
    """The one format of the three in which this server keeps to a schema."""
    model = maker(server, "openai-chat")(max_tokens=600).with_structured_output(WEATHER, method="json_schema")
    answer = model.invoke(QUESTION)
    assert isinstance(answer, dict)
    assert set(answer) == {"city"}


@pytest.mark.parametrize("protocol", ["openai-responses", "anthropic-messages"])
def test_ignored_schema_is_noticed(server: Server, protocol: str) -> None:
    """A server that takes a schema and does not keep to it: what comes back is not passed on as if it did."""
    model = maker(server, protocol)().with_structured_output(WEATHER, method="json_schema", include_raw=True)
    answer: Any = model.invoke(QUESTION)
    assert answer["raw"].text
    assert answer["parsed"] is None
    assert answer["parsing_error"]


# --- reasoning


def test_reasoning(thinking: Chat) -> None:
    message = thinking().invoke(QUESTION)
    assert [block["type"] for block in message.content_blocks][:2] == ["reasoning", "text"]
    assert reasoning(message)
    assert reasoning(message) not in message.text


@pytest.mark.parametrize("how", ["ainvoke", "stream", "astream"])
async def test_streamed_reasoning_is_whole(thinking: Chat, how: str) -> None:
    assert said(await ask(thinking(), QUESTION, how)) == said(thinking().invoke(QUESTION))


def test_reasoning_goes_back(thinking: Chat) -> None:
    model = thinking()
    asked = model.invoke(QUESTION)
    assert model.invoke([HumanMessage(QUESTION), asked, HumanMessage("and tomorrow ?")]).text


# --- errors


def provoke(chat: Chat, server: Server, what: str) -> tuple[Any, Any]:
    """A model and a question that end in this error."""
    if what == "key":
        return chat(api_key="wrong-key"), QUESTION
    if what == "path":
        return chat(base_url=f"{server.url}/nowhere"), QUESTION
    if what == "schema":
        broken = {**WEATHER, "properties": {"city": {"type": "nonsense"}}}
        return chat().bind_tools([broken], tool_choice="any"), QUESTION
    if what == "length":
        return chat(), "word " * 6000
    image = {"type": "image", "base64": IMAGE, "mime_type": "image/png"}
    return chat(), [HumanMessage([{"type": "text", "text": QUESTION}, image])]


ERRORS = {
    "key": (errors.AuthenticationError, 401),
    "path": (errors.NotFoundError, 404),
    "schema": (errors.InvalidRequestError, 400),
    "length": (errors.ContextOverflowError, 400),
    "image": (errors.ServerError, 500),
}


@pytest.mark.parametrize("what", ERRORS)
@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke", "astream"])
async def test_errors(chat: Chat, server: Server, what: str, how: str) -> None:
    kind, status = ERRORS[what]
    model, question = provoke(chat, server, what)
    with pytest.raises(kind) as caught:
        await ask(model, question, how)
    assert caught.value.status == status
    assert caught.value.body
    assert KEY not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    # The server closes the connection after an error: the next call is not to be sent on it.
    assert chat(max_tokens=3).invoke(QUESTION).usage_metadata


# --- connections


@pytest.mark.parametrize("how", ["sync", "async"])
async def test_a_dead_pooled_connection_is_replaced(mortal: Server, protocol: str, how: str) -> None:
    """The server went away and came back between two calls; nobody has to know."""
    model = maker(mortal, protocol)()
    for _ in range(2):
        answer = model.invoke(QUESTION) if how == "sync" else await model.ainvoke(QUESTION)
        assert answer.text
        mortal.stop()
        mortal.start()


def test_a_server_that_dies_in_a_stream(mortal: Server, protocol: str) -> None:
    """Half an answer is an error, which brings the half along."""
    seen = []

    def read() -> None:
        for chunk in maker(mortal, protocol)(max_tokens=1900).stream(QUESTION):
            seen.append(str(chunk.text))
            if seen[-1] and mortal.process:
                mortal.process.kill()

    with pytest.raises(errors.ServerError) as caught:
        read()
    assert "".join(seen)
    assert caught.value.partial.text.startswith("".join(seen))


def test_no_server(server: Server, protocol: str) -> None:
    with pytest.raises(errors.ConnectionFailedError):
        maker(server, protocol)(base_url=f"http://127.0.0.1:{free_port()}").invoke(QUESTION)
