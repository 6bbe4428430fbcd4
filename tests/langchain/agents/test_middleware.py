"""LangChain's middleware, as far as it looks at the model: its profile, its errors."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ModelRetryMiddleware, SummarizationMiddleware
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, HumanMessage

from ai_protocol_runtime.types import Request, Text
from ai_protocol_runtime.types.errors import AuthenticationError, OverloadedError, ProviderError, RateLimitedError

from ..standard.formats import FORMATS
from .conftest import EXPECTED, Stage, Way

pytestmark = EXPECTED

QUESTION = {"messages": [HumanMessage("Hello")]}
LISTED = [protocol for protocol, format in FORMATS.items() if format.provider in ("openai", "anthropic", "gemini")]
"""Formats of providers whose models are known, with the size of what they can read."""

retrying = ModelRetryMiddleware(max_retries=2, initial_delay=0, on_failure="error")


@pytest.mark.parametrize("error", [RateLimitedError("slower"), OverloadedError("busy")], ids=lambda error: error.name)
async def test_retry(stage: Stage, way: Way, error: ProviderError) -> None:
    model = stage.play([error, error, "Here I am."])
    answer = await way.invoke(create_agent(model, [], middleware=[retrying]), QUESTION)
    assert answer["messages"][-1].text == "Here I am."
    assert len(stage.asked.requests) == 3


async def test_no_retry_of_what_stays(stage: Stage, way: Way) -> None:
    """A wrong key is wrong the second time, too."""
    model = stage.play([AuthenticationError("no such key"), "Never said."])
    with pytest.raises(ModelError) as caught:
        await way.invoke(create_agent(model, [], middleware=[retrying]), QUESTION)
    assert not caught.value.is_retryable
    assert len(stage.asked.requests) == 1


@pytest.mark.parametrize("how", ["middleware", "with_fallbacks"])
async def test_fallback(stage: Stage, way: Way, how: str) -> None:
    first = stage.play([OverloadedError("busy")])
    second = stage.play(["I am here instead."], second=True)
    if how == "middleware":
        agent = create_agent(first, [], middleware=[ModelFallbackMiddleware(second)])
        answer = (await way.invoke(agent, QUESTION))["messages"][-1]
    else:
        answer = await way.invoke(first.with_fallbacks([second]), QUESTION["messages"])
    assert answer.text == "I am here instead."
    assert stage.format.other in answer.response_metadata["model_name"]
    assert len(stage.asked.requests) == len(stage.asked_second.requests) == 1


TALK = [
    HumanMessage("Tell me of Oslo."),
    AIMessage("It lies at the end of a fjord."),
    HumanMessage("And of Rome?"),
    AIMessage("It lies on seven hills."),
    HumanMessage("Which is warmer?"),
]


@pytest.mark.parametrize("stage", [FORMATS[protocol] for protocol in LISTED], ids=LISTED, indirect=True)
async def test_summary(stage: Stage, way: Way) -> None:
    """When the conversation fills a fraction of what the model that sums it up can read, by its profile."""
    model, writer = stage.play(["Rome."]), stage.play(["They spoke of two cities."], second=True)
    window: Any = (writer.profile or {})["max_input_tokens"]
    summary = SummarizationMiddleware(writer, trigger=("fraction", 20 / window), keep=("messages", 1))
    answer = await way.invoke(create_agent(model, [], middleware=[summary]), {"messages": TALK})
    assert answer["messages"][-1].text == "Rome."
    (written,), (asked,) = stage.asked_second.requests, stage.asked.requests
    assert "seven hills" in texts(written)
    assert "They spoke of two cities." in texts(asked)
    assert "seven hills" not in texts(asked)
    assert "Which is warmer?" in texts(asked)


def texts(request: Request) -> str:
    return "\n".join(part.text for message in request.messages for part in message.parts if isinstance(part, Text))
