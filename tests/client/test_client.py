"""The public class: what it is built from, what a call overrides, whose key goes where, and what is never shown."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
import time
import traceback
import warnings
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from ai_protocol_runtime import client as client_module
from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.flow.notices import UnknownModelWarning, UnsupportedWarning
from ai_protocol_runtime.types import Message, Request, Text
from ai_protocol_runtime.types.errors import (
    ArgumentError,
    AuthenticationError,
    CredentialError,
    ManifestError,
    UnsupportedError,
)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACME_API_KEY", "ACME_KEY", "ACME_BASE_URL", "ACME_REGION", "ACME_ACCOUNT", "LOCAL_ACME_KEY"):
        monkeypatch.delenv(name, raising=False)


# construction


@pytest.mark.parametrize("model", ["acme/chat-1", "acme:chat-1", "acme-labs/chat-1"])
def test_who_is_meant(connect: Any, model: str) -> None:
    client = connect(model)
    assert (client.provider.id, client.protocol, client.model) == ("acme", "openai-chat", "chat-1")


@pytest.mark.parametrize(
    ("model", "arguments", "cls", "words"),
    [
        ("acmee/chat-1", {}, ManifestError, "acme"),
        ("chat-1", {}, ArgumentError, "provider/model"),
        ("acme/", {}, ArgumentError, "provider/model"),
        ("acme/chat-1", {"protocol": "openai-chats"}, ArgumentError, "did you mean `openai-chat`"),
        ("acme/chat-1", {"timeout": "long"}, ArgumentError, "timeout must be"),
        ("acme/chat-1", {"timeout": 0}, ArgumentError, "timeout must be"),
        ("acme/chat-1", {"timeout": {"idel": 1}}, ArgumentError, "did you mean `idle`"),
        ("acme/chat-1", {"timeout": {"idle": "x"}}, ArgumentError, "seconds"),
        ("acme/chat-1", {"max_retries": -1}, ArgumentError, "max_retries"),
        ("acme/chat-1", {"on_unsupported": "shout"}, ArgumentError, "on_unsupported"),
        ("acme/chat-1", {"api_key": 7}, CredentialError, "api_key"),
    ],
)
def test_what_is_wrong_is_said_at_once(connect: Any, model: str, arguments: Any, cls: type, words: str) -> None:
    with pytest.raises(cls, match=words):
        connect(model, **arguments)


async def test_clients_are_not_mixed_up(connect: Any) -> None:
    with httpx.Client() as one:
        async with httpx.AsyncClient() as other:
            with pytest.raises(ArgumentError, match="http_async_client"):
                connect(http_client=other)
            with pytest.raises(ArgumentError, match="http_client"):
                connect(http_async_client=one)
            connect(http_client=one, http_async_client=other)


def test_a_model_that_is_not_known_is_warned_of_once(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_warned", set())
    with pytest.warns(UnknownModelWarning, match="did you mean `chat-2`") as caught:
        connect("acme/chat-9")
    assert caught[0].filename == __file__ or caught[0].filename.endswith("conftest.py")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connect("acme/chat-9")
        connect("local-acme/anything")  # no models of it are listed
        connect("acme/org/chat-3")


def test_building_is_cheap(connect: Any) -> None:
    connect()
    best = 1.0
    for _ in range(200):
        began = time.perf_counter()
        AIClient("acme/chat-1", manifests=connect.manifests)
        best = min(best, time.perf_counter() - began)
    assert best < 200e-6


def test_neither_http_nor_tls_is_touched_before_a_call(connect: Any) -> None:
    code = (
        "import sys; from ai_protocol_runtime.client import AIClient; "
        f"AIClient('acme/chat-1', api_key='k', manifests={str(connect.manifests)!r}).explain('hi'); "
        "print([name for name in ('httpx', 'ai_protocol_runtime.simulator.brain') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


# keys


def sent_key(server: Any) -> str | None:
    key: str | None = server.requests[-1].headers.get("authorization")
    return key


@pytest.mark.parametrize(
    "key", ["given-key", SecretStr("given-key"), lambda: "given-key", lambda: SecretStr(" given-key\n")]
)
async def test_a_key_that_is_given_counts_most(
    server: Any, say: Any, connect: Any, caller: Any, monkeypatch: pytest.MonkeyPatch, key: Any
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "from-environment")
    server.play(say.answer(say.completion()))
    await caller.chat(connect(api_key=key), "hi")
    assert sent_key(server) == "Bearer given-key"


async def test_the_environment_is_asked_in_order_at_each_call(
    server: Any, say: Any, connect: Any, caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(say.answer(say.completion()))
    client = connect(api_key=None)
    monkeypatch.setenv("ACME_KEY", "second")
    monkeypatch.setenv("ACME_API_KEY", " ")
    await caller.chat(client, "hi")
    assert sent_key(server) == "Bearer second"
    monkeypatch.setenv("ACME_API_KEY", "first")
    await caller.chat(client, "hi")
    assert sent_key(server) == "Bearer first"


async def test_without_a_key_nothing_is_sent(server: Any, connect: Any, caller: Any) -> None:
    with pytest.raises(CredentialError, match=r"Acme: pass api_key, or set ACME_API_KEY or ACME_KEY.*simulator/"):
        await caller.chat(connect(api_key=None), "hi")
    assert server.requests == []


async def test_a_key_may_not_be_needed(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer(say.completion()))
    await caller.chat(connect("local-acme/m", api_key=None), "hi")
    assert sent_key(server) is None
    await caller.chat(connect(api_key=None, headers={"Authorization": "Custom x"}), "hi")
    assert sent_key(server) == "Custom x"


@pytest.mark.parametrize("key", ["line\nbreak", "schlüssel", "two words"])
def test_a_key_that_cannot_be_sent_is_not_shown(connect: Any, key: str) -> None:
    with pytest.raises(CredentialError, match="characters that no header can carry") as caught:
        connect(api_key=key).chat("hi")
    assert key not in "".join(traceback.format_exception(caught.value))


async def test_each_protocol_has_its_own_way_for_the_key(server: Any, say: Any, connect: Any, caller: Any) -> None:
    said = {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn", "stop_sequence": None}
    said |= {"usage": {"input_tokens": 1, "output_tokens": 1}}
    server.play(say.answer({"id": "m", "type": "message", "role": "assistant", "model": "chat-1", **said}))
    answer = await caller.chat(connect(protocol="anthropic-messages"), "hi", max_tokens=5)
    headers = server.requests[0].headers
    assert (headers["x-acme-key"], headers["x-acme"], headers["x-version"]) == (connect.key, "1", "2")
    assert "authorization" not in headers
    assert server.requests[0].path == "/v1/messages"
    assert answer.text == "Hello"


async def test_a_key_is_never_shown(server: Any, say: Any, connect: Any, caller: Any) -> None:
    key = connect.key
    echo = {"error": {"message": f"Incorrect API key provided: {key[:8]}****{key[-4:]}", "key": key, key: 1}}
    server.play(say.answer(echo, 401, x_echo=f"Bearer {key}"))
    client = connect(headers={"X-Other-Token": "other-secret-value"})
    with pytest.raises(AuthenticationError) as caught:
        await caller.chat(client, "hi")
    error = caught.value
    shown = [
        *traceback.format_exception(error),
        repr(error.__dict__),
        pickle.dumps(error).decode("latin-1"),
        repr(client),
        repr(vars(client)),
        pickle.dumps(client).decode("latin-1"),
        repr(client.explain(f"my key is {key}")),
        repr(client.explain("hi").headers),
    ]
    for text in shown:
        assert key not in text
        assert key[-4:] not in text
        assert "other-secret-value" not in text
    assert "Incorrect API key provided: ***" in str(error)
    assert connect.key in server.requests[0].headers["authorization"]


def test_a_pickled_client_finds_its_key_again(
    server: Any, say: Any, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.play(say.answer(say.completion()))
    client = pickle.loads(pickle.dumps(connect(headers={"X-Plain": "1", "X-Token": "t"}, timeout=5)))
    monkeypatch.setenv("ACME_API_KEY", "found-again")
    assert client.chat("hi").text == "Hello"
    assert sent_key(server) == "Bearer found-again"
    assert server.requests[0].headers["x-plain"] == "1"
    assert "x-token" not in server.requests[0].headers
    assert copy.deepcopy(client) is client


# addresses


@pytest.mark.parametrize(
    ("arguments", "env", "url"),
    [
        ({}, {}, "https://eu.acme.test/v1/chat/completions"),
        ({}, {"ACME_REGION": "us"}, "https://us.acme.test/v1/chat/completions"),
        ({}, {"ACME_BASE_URL": "http://proxy/v1"}, "http://proxy/v1/chat/completions"),
        ({"base_url": "http://mine"}, {"ACME_BASE_URL": "http://proxy"}, "http://mine/v1/chat/completions"),
        ({"protocol": "openai-responses"}, {"ACME_ACCOUNT": "7"}, "https://eu.acme.test/v1/accounts/7/responses"),
        ({"protocol": "gemini-generate"}, {}, "https://eu.acme.test/v1/models/chat-1:generate"),
        (
            {"protocol": "gemini-generate", "stream": True},
            {},
            "https://eu.acme.test/v1/models/chat-1:stream?alt=sse",
        ),
        (
            {"protocol": "gemini-generate", "model": "org/chat-3"},
            {},
            "https://eu.acme.test/v1/models/org%2Fchat-3:generate",
        ),
    ],
)
def test_where_a_request_goes(
    connect: Any, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], env: dict[str, str], url: str
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    call = {name: arguments[name] for name in ("stream", "model") if name in arguments}
    own = {name: value for name, value in arguments.items() if name not in call}
    assert connect(**{"base_url": None, "api_key": None, **own}).explain("hi", **call).url == url


def test_a_variable_that_is_missing_is_named(connect: Any) -> None:
    with pytest.raises(ArgumentError, match=r"account \(the number on the bill\): set ACME_ACCOUNT"):
        connect(protocol="openai-responses", base_url=None).chat("hi")


# what a call overrides


async def test_headers_and_body_of_ones_own(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer(say.completion()))
    client = connect(headers={"X-Acme": "9", "X-A": "1"}, extra_body={"a": {"b": 1, "c": 2}, "user": "me"})
    await caller.chat(client, "hi", headers={"x-a": "2"}, extra_body={"a": {"c": 3}, "model": "other"})
    request = server.requests[0]
    assert (request.headers["x-acme"], request.headers["x-a"]) == ("9", "2")
    assert request.json["a"] == {"b": 1, "c": 3}
    assert (request.json["user"], request.json["model"]) == ("me", "other")


@pytest.mark.parametrize("headers", [{"x-bad": "a\r\nb: c"}, {"x bad": "a"}, {"x-bad": "ü"}])
def test_a_header_that_cannot_be_sent(connect: Any, headers: dict[str, str]) -> None:
    with pytest.raises(ArgumentError, match="characters that cannot be sent"):
        connect(headers=headers).chat("hi")


def test_a_body_that_is_no_json(connect: Any) -> None:
    with pytest.raises(ArgumentError, match="no JSON"):
        connect(extra_body={"a": object()}).chat("hi")


@pytest.mark.parametrize(
    ("model", "provider", "sent"),
    [
        ("chat-2", "acme", "chat-2"),
        ("acme/chat-2", "acme", "chat-2"),
        ("org/chat-3", "acme", "org/chat-3"),
        ("nobody/has-this", "acme", "nobody/has-this"),
        ("local-acme/chat-1", "local-acme", "chat-1"),
        ("local-acme:llama:8b", "local-acme", "llama:8b"),
    ],
)
@pytest.mark.filterwarnings("ignore::ai_protocol_runtime.flow.notices.UnknownModelWarning")
def test_a_call_may_name_another_model(connect: Any, model: str, provider: str, sent: str) -> None:
    client = connect(headers={"x-mine": "1"}, protocol="openai-chat")
    request = client.explain("hi", model=model)
    assert f'"model":"{sent}"'.encode() in request.body
    # What was given for one provider is not taken to another.
    mine = provider == "acme"
    assert (client._base_url in request.url, "authorization" in request.headers, "x-mine" in request.headers) == (
        mine,
    ) * 3
    assert client.model == "chat-1"


def test_a_model_may_prefer_a_protocol(connect: Any) -> None:
    assert connect("acme/chat-2").protocol == "anthropic-messages"
    assert connect().explain("hi", model="chat-2").url.endswith("/v1/messages")
    assert connect(protocol="openai-chat").explain("hi", model="chat-2").url.endswith("/v1/chat/completions")


def test_a_request_and_messages_may_be_given(connect: Any) -> None:
    messages = [Message("user", [Text("hi")])]
    client = connect()
    for asked in ("hi", messages, Request(messages=messages), Request(model="chat-1", messages=messages)):
        assert client.explain(asked).body == client.explain("hi").body


# what there is no place for


@pytest.mark.parametrize(
    ("given", "efforts", "budget"),
    [
        ({"model": "chat-1", "reasoning": "low"}, None, 1024),  # nothing is known of its words
        ({"model": "chat-2", "reasoning": "low"}, "low", None),  # its manifest lists the word
        ({"model": "chat-1", "reasoning": "max"}, "max", None),
        ({"model": "chat-1", "reasoning": {"effort": "low", "budget": 7}}, "low", 7),
    ],
)
def test_effort_words_become_budgets(
    connect: Any, given: dict[str, Any], efforts: str | None, budget: int | None
) -> None:

    body = json.loads(connect(protocol="anthropic-messages").explain("hi", **given).body)
    assert body.get("output_config", {}).get("effort") == efforts
    assert body.get("thinking", {}).get("budget_tokens") == budget


async def test_what_is_not_sent_is_said_once(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer(say.completion()))
    client = connect()
    with pytest.warns(UnsupportedWarning) as caught:
        answer = await caller.chat(client, "hi", seed=7, temperature=1, top_p=0.5)
    assert [str(warning.message) for warning in caught] == [
        "not sent to Acme: seed=7 (Acme does not take it)",
        "not sent to Acme: top_p=0.5 (Acme does not take it together with temperature)",
    ]
    assert [loss.what for loss in answer.call.losses] == ["seed", "top_p"]
    assert "seed" not in server.requests[0].json
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = await caller.chat(client, "hi", seed=8)
    assert [loss.value for loss in answer.call.losses] == [8]


async def test_what_is_not_sent_may_be_an_error_or_nothing(server: Any, say: Any, connect: Any, caller: Any) -> None:
    server.play(say.answer(say.completion()))
    with pytest.raises(UnsupportedError, match=r"seed=7.*; top_p=0\.5"):
        await caller.chat(connect(on_unsupported="error"), "hi", seed=7, temperature=1, top_p=0.5)
    assert server.requests == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await caller.chat(connect(), "hi", seed=7, on_unsupported="drop")


def test_the_warning_points_to_the_users_line(server: Any, say: Any, connect: Any) -> None:
    server.play(say.answer(say.completion()))
    with pytest.warns(UnsupportedWarning) as caught:
        connect().chat("hi", seed=7)
    assert caught[0].filename == __file__


def test_a_stream_says_nothing_of_how_it_travels(connect: Any) -> None:
    client = connect(on_unsupported="error", protocol="gemini-generate")
    client.explain("hi", stream=True)
    assert b"stream" not in client.explain("hi", stream=True).body


# life


def test_explain_is_what_is_sent(server: Any, say: Any, client: Any) -> None:
    server.play(say.answer(say.completion()))
    shown = client.explain("hi", temperature=0.5)
    client.chat("hi", temperature=0.5)
    sent = server.requests[0]
    assert (shown.method, shown.body) == (sent.method, sent.body)
    assert shown.url == client._base_url + sent.path
    for name, value in shown.headers.items():
        assert sent.headers[name] == value or value == "Bearer ***"


async def test_closing_is_a_courtesy(server: Any, say: Any, connect: Any) -> None:
    server.play(say.answer(say.completion()))
    with connect() as client:
        client.chat("hi")
    async with client:
        await client.achat("hi")
    assert client.chat("hi").text == "Hello"


def test_threads_with_loops_of_their_own(server: Any, say: Any, client: Any) -> None:
    server.play(say.answer(say.completion()))
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(asyncio.run(client.achat("hi")).text)),
        threading.Thread(target=lambda: texts.append(client.chat("hi").text)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["Hello", "Hello"]


async def test_the_simulator_needs_neither_key_nor_network(caller: Any) -> None:
    client = AIClient("simulator/anything")
    answer = await caller.chat(client, "hi")
    assert answer.text
    assert answer.call.provider == "simulator"
    events = await caller.stream(client, "hi")
    assert events[-1].answer.text
