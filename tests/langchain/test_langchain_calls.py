"""Calls from LangChain's side to a simulated model, in every wire format: whole and streamed, waited for and not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.flow.notices import UnsupportedWarning
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import Part, Reasoning, Text, ToolCall
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    RateLimitedError,
    StreamInterruptedError,
    UnsupportedError,
)

from .sameness import comparable

WIRES = sorted(manifests().provider("simulator").protocols)
Ask: TypeAlias = Callable[..., Awaitable[AIMessage]]


async def invoked(model: Runnable[Any, Any], said: Any, /, **more: Any) -> AIMessage:
    return model.invoke(said, **more)  # type: ignore[no-any-return]


async def ainvoked(model: Runnable[Any, Any], said: Any, /, **more: Any) -> AIMessage:
    return await model.ainvoke(said, **more)  # type: ignore[no-any-return]


def added(chunks: list[AIMessageChunk]) -> AIMessage:
    assert len(chunks) > 1
    first, *others = chunks
    return first + others


async def streamed(model: Runnable[Any, Any], said: Any, /, **more: Any) -> AIMessage:
    return added(list(model.stream(said, **more)))


async def astreamed(model: Runnable[Any, Any], said: Any, /, **more: Any) -> AIMessage:
    return added([chunk async for chunk in model.astream(said, **more)])


WAYS = [invoked, ainvoked, streamed, astreamed]
everywhere = pytest.mark.parametrize("wire", WIRES)
every_way = pytest.mark.parametrize("ask", WAYS)


def weather(city: str, days: int = 1) -> str:
    """Tell the weather of a city."""
    return f"{city}, {days}"


@everywhere
@every_way
async def test_a_question(wire: str, ask: Ask) -> None:
    model = ChatAIProtocol(model="simulator/any", protocol=wire)
    message = await ask(model, "Hello there")
    assert message.text == "You said: Hello there"
    assert [block["type"] for block in message.content_blocks] == ["text"]
    about = message.response_metadata
    assert (about["model_name"], about["model_provider"], about["protocol"]) == ("any", "simulator", wire)
    assert about["finish_reason"] == "stop"
    usage = message.usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 0


@everywhere
@every_way
async def test_an_agent_s_turn(wire: str, ask: Ask) -> None:
    """Two calls at once, their results, and the answer that uses them; the history goes back as it came."""
    model = ChatAIProtocol(model="simulator/any", protocol=wire, reasoning={"effort": "low"}, on_unsupported="drop")
    agent = model.bind_tools([weather])
    history: list[Any] = [SystemMessage("Be brief."), HumanMessage("What is the weather in Rome for 3 days?")]
    called = await ask(agent, history)
    (call,) = called.tool_calls
    assert (call["name"], call["args"]["city"]) == ("weather", "Rome")
    assert call["id"]
    assert called.response_metadata["finish_reason"] == "tool_calls"
    assert "reasoning" in [block["type"] for block in called.content_blocks]
    done = await ask(agent, [*history, called, ToolMessage("sunny", tool_call_id=call["id"], status="success")])
    assert "sunny" in done.text
    assert done.tool_calls == []


SAID: list[Part] = [
    Reasoning("Hm.", signature="c2ln"),
    Text("Let me see."),
    ToolCall("c-1", "f", '{"a":1}'),
    ToolCall("c-2", "g", "{}"),
]


@everywhere
async def test_all_ways_bring_the_same(wire: str) -> None:
    with simulate(f"same-{wire}", lambda request: SAID) as simulated:
        model = ChatAIProtocol(model=f"simulator/{simulated.name}", protocol=wire, output_version="v1")
        answers = [comparable(await ask(model, "hi")) for ask in WAYS]
    for answer in answers:
        about = answer["response_metadata"]
        for name in ("id", "request_id", "created", "ai_protocol"):  # what a wire says otherwise when it streams
            about.pop(name, None)
        for block in answer["content"]:
            block.get("extras", {}).pop("ai_protocol", None)
    assert answers == [answers[0]] * 4
    assert answers[0]["tool_calls"] == [
        {"type": "tool_call", "id": "c-1", "name": "f", "args": {"a": 1}},
        {"type": "tool_call", "id": "c-2", "name": "g", "args": {}},
    ]


@everywhere
def test_whole_and_streamed_go_back_alike(wire: str) -> None:
    with simulate(f"back-{wire}", lambda request: SAID[:3]) as simulated:
        model = ChatAIProtocol(model=f"simulator/{simulated.name}", protocol=wire)
        for answer in (model.invoke("hi"), added(list(model.stream("hi")))):
            model.invoke(["hi", answer, ToolMessage("1", tool_call_id=answer.tool_calls[0]["id"])])
    bodies = [_without_ids(received.body) for received in simulated.received if len(received.request.messages) > 1]
    assert bodies == [bodies[0]] * 2


def _without_ids(value: Any) -> Any:
    """What the simulator makes anew for every answer taken out."""
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items() if key != "id"}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


def test_what_is_said_for_one_call() -> None:
    with simulate("single", lambda request: "yes") as simulated:
        model = ChatAIProtocol(model="simulator/single", temperature=0.1, stop=["a"], max_tokens=5, seed=1)
        model.invoke("hi")
        model.invoke("hi", stop=["b"], temperature=0.9, max_tokens=7, seed=2, top_p=0.5, n=1, reasoning="high")
        model.bind(stop="c", presence_penalty=1).invoke("hi", temperature=None)
    usual, own, bound = simulated.requests
    assert (usual.temperature, usual.stop, usual.max_tokens, usual.seed) == (0.1, ["a"], 5, 1)
    assert (own.temperature, own.stop, own.max_tokens, own.seed) == (0.9, ["b"], 7, 2)
    assert (own.top_p, own.effort) == (0.5, "high")
    assert (bound.temperature, bound.stop, bound.presence_penalty) == (None, ["c"], 1)


@every_way
async def test_another_model_for_one_call(ask: Ask) -> None:
    model = ChatAIProtocol(model="simulator/any")
    assert (await ask(model, "hi", model="other")).response_metadata["model_name"] == "other"
    assert (await ask(model, "hi", model="simulator/third")).response_metadata["model_name"] == "third"


@every_way
async def test_an_argument_that_does_not_exist(ask: Ask) -> None:
    with pytest.raises(ArgumentError, match=r"'temprature'.*did you mean .temperature."):
        await ask(ChatAIProtocol(model="simulator/any"), "hi", temprature=0)


def test_several_answers() -> None:
    model = ChatAIProtocol(model="simulator/any", n=2)
    (generations,) = model.generate([[HumanMessage("hi")]]).generations
    assert [generation.text for generation in generations] == ["You said: hi", "(2) You said: hi"]
    with pytest.raises(ArgumentError, match="one answer"):
        list(model.stream("hi"))
    assert "".join(chunk.text for chunk in model.stream("hi", n=1)) == "You said: hi"


def test_invoke_by_stream() -> None:
    """LangChain adds the chunks up by itself, and what comes out is the same."""
    asked = {"model": "simulator/any", "protocol": WIRES[0]}
    by_stream = ChatAIProtocol(**asked, streaming=True).invoke("hi")  # type: ignore[arg-type]
    assert type(by_stream) is AIMessage
    assert by_stream.content == ChatAIProtocol(**asked).invoke("hi", stream=False).content  # type: ignore[arg-type]


async def test_a_chain() -> None:
    chain = ChatPromptTemplate([("system", "Be {how}."), ("human", "{what}")]) | ChatAIProtocol(model="simulator/echo")
    asked = {"how": "brief", "what": "Say it again."}
    assert (chain | StrOutputParser()).invoke(asked) == "Say it again."
    assert "".join([text async for text in (chain | StrOutputParser()).astream(asked)]) == "Say it again."
    assert [message.text for message in chain.batch([asked, asked])] == ["Say it again."] * 2


@every_way
async def test_errors_are_ours(ask: Ask) -> None:
    model = ChatAIProtocol(model="simulator/error-429", max_retries=0)
    with pytest.raises(RateLimitedError) as caught:
        await ask(model, "hi")
    assert caught.value.status == 429


@everywhere
@pytest.mark.parametrize("ask", [streamed, astreamed])
async def test_a_stream_that_is_cut_is_an_error(wire: str, ask: Ask) -> None:
    model = ChatAIProtocol(model="simulator/cut", protocol=wire, max_retries=0)
    with pytest.raises(StreamInterruptedError) as caught:
        await ask(model, "Tell me a long story about a cut wire.")
    assert caught.value.partial is not None


@everywhere
def test_a_refusal(wire: str) -> None:
    message = ChatAIProtocol(model="simulator/refuse", protocol=wire).invoke("hi")
    assert message.response_metadata["finish_reason"] == "content_filter"


def test_what_the_provider_has_no_place_for() -> None:
    def model(policy: str, wire: str) -> ChatAIProtocol:
        return ChatAIProtocol(model="simulator/any", protocol=wire, on_unsupported=policy)  # type: ignore[arg-type]

    wire = next(w for w in WIRES if w.startswith("anthropic"))
    with pytest.warns(UnsupportedWarning, match="seed"):
        model("warn", wire).invoke("hi", seed=1)
    with pytest.raises(UnsupportedError, match="seed"):
        model("error", wire).invoke("hi", seed=1)
    model("drop", wire).invoke("hi", seed=1)


def test_leaving_a_stream_closes_it() -> None:
    with simulate("left", "one two three four five") as simulated:
        stream = ChatAIProtocol(model="simulator/left").stream("hi")
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert len(simulated.requests) == 1
