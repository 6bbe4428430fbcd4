"""Counting tokens: by the provider in its own format, or by the estimate."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.estimate import estimate_tokens
from ai_protocol_runtime.simulator import Server, Simulator
from ai_protocol_runtime.types import Media, Message, Request, Text, Tool
from ai_protocol_runtime.types.errors import ArgumentError, MalformedResponseError, RateLimitedError

pytestmark = pytest.mark.filterwarnings("ignore:no manifest knows")

COUNTING = {
    "openai-responses": ("openai", "/v1/responses/input_tokens"),
    "anthropic-messages": ("anthropic", "/v1/messages/count_tokens"),
    "gemini-generate": ("gemini", "/v1beta/models/any:countTokens"),
}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SYSTEM = Message("system", [Text("You are brief, and polite.")])
USER = Message("user", [Text("What is the weather in Rome?")])
PICTURE = Media("image", data=base64.b64encode(b"picture").decode(), mime_type="image/png")
TALK = {
    "a text": Request(messages=[USER]),
    "a system message": Request(messages=[SYSTEM, USER]),
    "a tool": Request(messages=[USER], tools=[Tool("weather", "The weather now.", PARAMETERS)]),
    "a picture": Request(messages=[Message("user", [*USER.parts, PICTURE])]),
    "more": Request(messages=[SYSTEM, USER], max_tokens=99, temperature=0.5, stop=["x"], seed=1),
}


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """Each provider's side of the simulator."""
    with ExitStack() as stack:
        yield {
            provider: stack.enter_context(Server(Simulator(provider=provider, api_key="k"))).url
            for provider, _ in COUNTING.values()
        }


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def count(request: pytest.FixtureRequest) -> Any:
    async def call(client: AIClient, asked: Any, **params: Any) -> int:
        if request.param:
            return await client.acount_tokens(asked, **params)
        return client.count_tokens(asked, **params)

    return call


@pytest.mark.filterwarnings("ignore:not sent to")
@pytest.mark.parametrize("protocol", COUNTING)
@pytest.mark.parametrize("talk", TALK)
async def test_the_provider_counts_what_it_would_read(
    urls: dict[str, str], count: Any, protocol: str, talk: str
) -> None:
    provider, _ = COUNTING[protocol]
    client = AIClient(f"{provider}/any", protocol=protocol, base_url=urls[provider], api_key="k")
    usage = client.chat(TALK[talk]).usage
    assert usage is not None
    assert await count(client, TALK[talk]) == usage.input


@pytest.mark.parametrize("protocol", COUNTING)
async def test_what_is_sent(server: Any, say: Any, count: Any, protocol: str) -> None:
    """As it would be sent for an answer, without what only the writing of one needs."""
    told = {"input_tokens": 7, "totalTokens": 7, "object": "response.input_tokens"}
    server.play(say.answer(told))
    provider, path = COUNTING[protocol]
    client = AIClient(f"{provider}/any", protocol=protocol, base_url=server.origin, api_key="k")
    assert await count(client, TALK["more"], tools=TALK["a tool"].tools, max_tokens=5) == 7
    (request,) = server.requests
    assert request.path == path
    body = request.json.get("generateContentRequest", request.json)
    assert {"weather in Rome", "polite", "weather"} == {
        word for word in ("weather in Rome", "polite", "weather") if word in str(body)
    }
    assert not {"max_tokens", "max_output_tokens", "temperature", "stream", "stop_sequences"} & body.keys()


async def test_where_nobody_can_be_asked(server: Any, connect: Any, count: Any) -> None:
    client = connect(api_key=None)
    for asked in TALK.values():
        assert await count(client, asked) == estimate_tokens(asked) > 0
    assert await count(client, "Hello there") == estimate_tokens(
        Request(messages=[Message("user", [Text("Hello there")])])
    )
    assert server.requests == []


@pytest.mark.parametrize("body", [{}, [], {"input_tokens": "7"}, {"input_tokens": None}])
async def test_what_is_no_count(server: Any, say: Any, count: Any, body: Any) -> None:
    server.play(say.answer(body))
    client = AIClient("anthropic/any", base_url=server.origin, api_key="k", max_retries=0)
    with pytest.raises(MalformedResponseError):
        await count(client, "hi")


async def test_errors_and_arguments(server: Any, say: Any, count: Any) -> None:
    client = AIClient("anthropic/any", base_url=server.origin, api_key="k")
    with pytest.raises(ArgumentError, match="did you mean `temperature`"):
        await count(client, "hi", temprature=1)
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    wait = say.answer(error, status=429, retry_after="0.01")
    server.play(wait, say.answer({"input_tokens": 3}))
    assert await count(client, "hi", max_retries=1) == 3
    server.play(wait)
    with pytest.raises(RateLimitedError, match="slow down"):
        await count(client, "hi", max_retries=0)
