"""A graph written by hand, chains of runnables, and a cache."""

from __future__ import annotations

from typing import Any

from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langgraph.graph import END, START, MessagesState, StateGraph

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.types import Request, Text
from ai_protocol_runtime.types.errors import OverloadedError, ProviderError

from .conftest import EXPECTED, Stage, Way

pytestmark = EXPECTED


def graph_of(model: ChatAIProtocol, way: Way) -> Any:
    def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    async def aanswer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", aanswer if way.asynchronous else answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph.compile()


async def test_graph_streams(stage: Stage, way: Way) -> None:
    """Though its node only invokes the model."""
    said = "All of this comes in many pieces, one after the other."
    graph = graph_of(stage.play([said]), way)
    seen: list[Any] = []
    await way.stream(graph, {"messages": [("user", "Say it.")]}, seen.append, stream_mode=["messages", "values"])
    pieces = [value[0].text for mode, value in seen if mode == "messages" and isinstance(value[0], AIMessageChunk)]
    assert len([piece for piece in pieces if piece]) > 3
    assert "".join(pieces) == seen[-1][1]["messages"][-1].text == said
    assert stage.asked.requests[0].stream


def shout(request: Request) -> str:
    return "".join(part.text for part in request.messages[-1].parts if isinstance(part, Text)).upper()


async def test_chain(stage: Stage, way: Way) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "Shout."), ("user", "say {what}")])
    chain: Runnable[dict[str, str], str] = prompt | stage.play(shout) | StrOutputParser()
    assert await way.invoke(chain, {"what": "hello"}) == "SAY HELLO"
    pieces: list[str] = []
    await way.stream(chain, {"what": "hello, and then some more"}, pieces.append)
    assert len(pieces) > 2
    assert "".join(pieces) == "SAY HELLO, AND THEN SOME MORE"
    many = [{"what": str(number)} for number in range(8)]
    answers = await chain.abatch(many) if way.asynchronous else chain.batch(many)
    assert answers == [f"SAY {number}" for number in range(8)]


async def test_chain_falls_back(stage: Stage, way: Way) -> None:
    first = stage.play(lambda request: OverloadedError("busy")) | StrOutputParser()
    second = stage.play(shout, second=True) | StrOutputParser()
    chain = first.with_fallbacks([second], exceptions_to_handle=(ProviderError,))
    assert await way.invoke(chain, "hello") == "HELLO"
    pieces: list[str] = []
    await way.stream(chain, "hello", pieces.append)
    assert "".join(pieces) == "HELLO"


async def test_cache(stage: Stage, way: Way) -> None:
    """What was asked already is not asked again, and what was asked otherwise is."""
    model = stage.play(["one", "two", "three"], cache=InMemoryCache())
    assert [(await way.invoke(model, "Hello")).text for _ in range(3)] == ["one"] * 3
    assert (await way.invoke(model, "Hello", max_tokens=20)).text == "two"
    assert (await way.invoke(model.model_copy(update={"max_tokens": 30}), "Hello")).text == "three"
    assert len(stage.asked.requests) == 3
