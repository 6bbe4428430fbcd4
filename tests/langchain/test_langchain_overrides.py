"""What is said for one call counts in it, over loopback; and LangChain's own means around a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.exceptions import ModelConnectionError, ModelError, ModelInvalidRequestError, ModelRateLimitError
from langchain_core.messages import HumanMessage
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.simulator import Server, simulate
from ai_protocol_runtime.types.errors import ArgumentError, ConnectionFailedError, OverloadedError, RateLimitedError

Connect = Callable[..., ChatAIProtocol]

FIELDS: dict[str, tuple[Any, Any]] = {
    "temperature": (0.1, 0.9),
    "max_tokens": (10, 20),
    "top_p": (0.1, 0.9),
    "n": (1, 1),
    "stop": (["x"], ["y"]),
    "reasoning": ("low", "high"),
}
SAID: dict[str, Any] = {
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "logprobs": True,
    "top_logprobs": 2,
    "verbosity": "low",
    "service_tier": "flex",
    "store": False,
    "user": "ann",
    "parallel_tool_calls": False,
}


@pytest.mark.parametrize("name", FIELDS)
async def test_the_call_counts_more_than_the_field(connect: Connect, name: str) -> None:
    usual, now = FIELDS[name]
    protocol = "openai-responses" if name == "reasoning" else "openai-chat"
    model = ChatAIProtocol(model="openai/any-model", **_at(connect), protocol=protocol, **{name: usual})
    with simulate("any-model", lambda request: "ok") as asked:
        model.invoke("hi")
        model.invoke("hi", **{name: now})
        await model.ainvoke("hi", **{name: now})
        list(model.stream("hi", **{name: now}))
        [chunk async for chunk in model.astream("hi", **{name: now})]
        model.bind(**{name: now}).invoke("hi")
        model.generate([[HumanMessage("hi")]], **{name: now})
    field = "effort" if name == "reasoning" else name
    assert [getattr(request, field) for request in asked.requests] == [usual, *[now] * 6]


def _at(connect: Connect) -> dict[str, Any]:
    """Where the simulator listens, for models of packaged providers."""
    return {"base_url": connect().base_url, "api_key": "made-up", "max_retries": 0}


@pytest.mark.parametrize("name", SAID)
def test_the_rest_of_what_a_request_may_say(connect: Connect, name: str) -> None:
    more: dict[str, Any] = {"logprobs": True} if name == "top_logprobs" else {}
    model = ChatAIProtocol(model="openai/gpt-5", **_at(connect), protocol="openai-chat")
    with simulate("gpt-5", lambda request: "ok") as asked:
        model.invoke("hi", **{name: SAID[name]}, **more)
    assert getattr(asked.requests[0], name) == SAID[name]


def test_how_a_call_is_sent(connect: Connect) -> None:
    model = connect(headers={"x-org": "acme", "x-team": "red"}, extra_body={"a": {"b": 1}}, timeout=60)
    with simulate("chat-1", lambda request: "ok") as asked:
        model.invoke("hi", headers={"X-Team": "blue"}, extra_body={"a": {"c": 2}})
        model.invoke("hi")
    first, second = asked.received
    assert (first.headers["x-org"], first.headers["x-team"], first.body["a"]) == ("acme", "blue", {"b": 1, "c": 2})
    assert (second.headers["x-team"], second.body["a"]) == ("red", {"b": 1})


def test_metadata_belongs_to_langchain(connect: Connect) -> None:
    with simulate("chat-1", "ok") as asked:
        connect().invoke("hi", config={"metadata": {"a": "trace"}}, extra_body={"metadata": {"b": "provider"}})
    assert asked.received[0].body["metadata"] == {"b": "provider"}


def test_timeout_and_retries(connect: Connect) -> None:
    with pytest.raises(ModelError, match=r"0\.2 s"):
        connect("stall").invoke("hi", timeout=0.2)
    script: list[Any] = [RateLimitedError("slow down", status=429, retry_after=0.01), "ok"]
    with simulate("chat-1", script) as asked:
        assert connect().invoke("hi", max_retries=1).text == "ok"
    assert len(asked.requests) == 2
    with simulate("chat-1", script) as asked, pytest.raises(ModelRateLimitError):
        connect(max_retries=3).invoke("hi", max_retries=0)
    assert len(asked.requests) == 1


def test_what_there_is_no_place_for(connect: Connect) -> None:
    model = connect(on_unsupported="error")
    assert model.invoke("hi", seed=1, on_unsupported="drop").text == "You said: hi"
    with pytest.raises(ModelInvalidRequestError, match="seed"):
        model.invoke("hi", seed=1)


def test_another_model(connect: Connect) -> None:
    model = connect()
    assert model.invoke("hi", model="chat-2").response_metadata["model_name"] == "chat-2"
    assert model.bind(model="acme/org/chat-3").invoke("hi").response_metadata["model_name"] == "org/chat-3"
    there = model.invoke("hi", model="simulator/any")
    assert there.response_metadata["model_provider"] == "simulator"


@pytest.mark.parametrize(
    ("wrong", "near"), [("temprature", "temperature"), ("max_token", "max_tokens"), ("model_name", ""), ("api_key", "")]
)
async def test_unknown_arguments(connect: Connect, wrong: str, near: str) -> None:
    if wrong != "api_key":
        with pytest.raises(ArgumentError, match=f"{wrong}.*{near}"):
            connect(**{wrong: 1})
    model = connect()
    said: dict[str, Any] = {wrong: 1}
    with pytest.raises(ArgumentError, match=f"{wrong}.*{near}"):
        model.invoke("hi", **said)
    with pytest.raises(ArgumentError, match=f"{wrong}.*{near}"):
        await model.ainvoke("hi", **said)
    with pytest.raises(ArgumentError, match=f"{wrong}.*{near}"):
        list(model.stream("hi", **said))


# configurable


def test_configurable_fields(connect: Connect, simulated: Server) -> None:
    names = ("model", "api_key", "base_url", "protocol", "temperature", "headers")
    fields: Any = {name: ConfigurableField(id=name) for name in names}
    model = connect(base_url="http://127.0.0.1:1", api_key="key-first").configurable_fields(**fields)
    chosen: Any = {
        "model": "acme/chat-2",
        "api_key": "key-second",
        "base_url": simulated.url,
        "protocol": "openai-chat",
        "temperature": 0.9,
        "headers": {"x-org": "acme"},
    }
    with simulate("chat-2", "ok") as asked:
        assert model.invoke("hi", config={"configurable": chosen}).text == "ok"
    (received,) = asked.received
    assert (received.request.temperature, received.headers["x-org"]) == (0.9, "acme")
    assert received.headers["authorization"] == "Bearer key-second"
    with pytest.raises(ArgumentError, match="openai-chta"):
        model.invoke("hi", config={"configurable": {**chosen, "protocol": "openai-chta"}})


def test_configurable_alternatives(connect: Connect) -> None:
    model = connect().configurable_alternatives(
        ConfigurableField(id="which"), default_key="first", second=connect("chat-2")
    )
    assert model.invoke("hi").response_metadata["model_name"] == "chat-1"
    answer = model.invoke("hi", config={"configurable": {"which": "second"}})
    assert answer.response_metadata["model_name"] == "chat-2"


# retries and fallbacks of LangChain's


def test_with_retry(connect: Connect) -> None:
    """It retries what it is told to: the classes say which, since it asks no error whether that is of use."""
    script: list[Any] = [OverloadedError("busy", status=503), RateLimitedError("slow", status=429), "ok"]
    again: Any = {"stop_after_attempt": 3, "wait_exponential_jitter": False}
    with simulate("chat-1", script) as asked:
        assert connect().with_retry(**again).invoke("hi").text == "ok"
    assert len(asked.requests) == 3
    with simulate("chat-1", script) as asked, pytest.raises(RateLimitedError):
        connect().with_retry(retry_if_exception_type=(OverloadedError,), **again).invoke("hi")
    assert len(asked.requests) == 2


async def test_with_fallbacks(connect: Connect) -> None:
    others = [connect("drop"), connect("chat-2")]
    model = connect("error-429").with_fallbacks(others, exceptions_to_handle=(ModelError,))
    assert model.invoke("hi").response_metadata["model_name"] == "chat-2"
    assert (await model.ainvoke("hi")).response_metadata["model_name"] == "chat-2"
    with pytest.raises(ModelConnectionError):  # something of its answer had been handed on
        list(model.stream("tell me a long story"))
    model = connect("error-429").with_fallbacks(others[1:])
    assert "".join(chunk.text for chunk in model.stream("hi")) == "You said: hi"
    narrow = connect("error-401").with_fallbacks([connect("chat-2")], exceptions_to_handle=(ConnectionFailedError,))
    with pytest.raises(ModelError):
        narrow.invoke("hi")


# what LangChain does for every model


def test_rate_limiter(connect: Connect) -> None:
    slow = InMemoryRateLimiter(requests_per_second=20, check_every_n_seconds=0.005, max_bucket_size=1)
    model = connect(rate_limiter=slow, cache=InMemoryCache())
    began = time.monotonic()
    for text in ("a", "b", "c", "c", "c"):  # what the cache has is not limited
        model.invoke(text)
    assert 0.1 <= time.monotonic() - began < 2
    assert model.model_copy().rate_limiter is slow


async def test_a_cache_for_both_ways(connect: Connect) -> None:
    model = connect(cache=InMemoryCache())
    with simulate("chat-1", ["first", "second", "third"]) as asked:
        whole = model.invoke("hi")
        again = await model.ainvoke("hi")
        assert (again.text, again.tool_calls, again.response_metadata["model_name"]) == ("first", [], "chat-1")
        assert again.content == whole.content
        assert (await model.ainvoke("hi", temperature=1)).text == "second"
        assert model.with_config(tags=["x"]).invoke("hi").text == "first"
    assert len(asked.requests) == 2


def test_callbacks(connect: Connect) -> None:
    usage = UsageMetadataCallbackHandler()
    answer = connect().invoke("hi", config={"callbacks": [usage]})
    assert usage.usage_metadata == {"chat-1": answer.usage_metadata}
    told: list[str] = []
    list(connect(callbacks=[_Heard(told)]).stream("hi there"))
    assert "".join(told) == "You said: hi there"


class _Heard(UsageMetadataCallbackHandler):
    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self.told = told

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.told.append(token)
