"""What a model tells of itself: to traces, to caches, to LangChain's JSON."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumpd, dumps, load, loads

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.manifest import loader
from ai_protocol_runtime.simulator import simulate

Connect = Callable[..., ChatAIProtocol]

HERE = Path(__file__).parents[1] / "client" / "manifests"
ALLOWED: dict[str, Any] = {
    "valid_namespaces": ["ai_protocol_integrations"],
    "allowed_objects": [ChatAIProtocol],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tests' manifests, and of a wire format, that may be edited; a change is seen at once."""
    monkeypatch.setattr(loader, "CHECK_EVERY", 0.0)
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    shutil.copytree(Path(__file__).parents[2] / "manifests" / "wire", tmp_path / "wire")
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


# traces


def test_what_is_said_in_a_call_counts(connect: Connect) -> None:
    model = connect(temperature=0.5, max_tokens=5, stop="x")
    said = model._get_ls_params(model="chat-2", temperature=1, max_tokens=7, stop=["y"])
    assert said == {
        "ls_provider": "acme",
        "ls_model_name": "chat-2",
        "ls_model_type": "chat",
        "ls_temperature": 1,
        "ls_max_tokens": 7,
        "ls_stop": ["y"],
    }
    assert model._get_ls_params()["ls_stop"] == ["x"]
    about = model._get_invocation_params(["y"], model="chat-2", temperature=1)
    assert (about["model"], about["protocol"]) == ("chat-2", "anthropic-messages")
    assert (about["temperature"], about["stop"], about["_type"]) == (1, ["y"], "ai-protocol-chat")
    assert model._get_invocation_params()["protocol"] == "openai-chat"


def test_no_key_in_a_call_is_told(connect: Connect) -> None:
    model = connect(headers={"X-Api-Key": "key-first", "x-org": "acme"})
    headers = {"Authorization": "Bearer key-second", "x-team": "blue"}
    told = repr((model._get_invocation_params(headers=headers), model._get_llm_string(headers=headers)))
    assert "sk-" not in told
    assert "blue" in told


# caches


def test_an_edited_manifest_is_another_answer(connect: Connect, folder: Path) -> None:
    model = connect(manifests=folder)
    keys = [model._get_llm_string()]

    def fresh() -> bool:
        keys.append(model._get_llm_string())
        return keys[-1] not in keys[:-1]

    edit(folder / "providers" / "acme.yaml", "defaults: {user: nobody}", "defaults: {user: somebody}")
    assert fresh()
    edit(folder / "models" / "acme.yaml", "chat-1: {}", "chat-1: {temperature: false}")
    assert fresh()
    wire = folder / "wire" / "openai-chat.yaml"
    edit(wire, "docs:", "docs:  # of today")
    assert not fresh()
    edit(wire, "max_completion_tokens", "max_tokens_of_answer")
    assert fresh()
    edit(folder / "models" / "acme.yaml", "efforts: [low, high]", "efforts: [high]")
    assert not fresh()


def test_a_cache(connect: Connect, folder: Path) -> None:
    model = connect(manifests=folder, cache=InMemoryCache())
    with simulate("chat-1", ["first", "second", "third", "fourth", "fifth", "sixth"]):
        assert model.invoke("hi").text == "first"
        assert model.invoke("hi").text == "first"
        assert model.invoke("hi", timeout=5, max_retries=1).text == "first"
        assert model.invoke("hi", temperature=1).text == "second"
        assert model.invoke("hi", extra_body={"user": "me"}).text == "third"
        assert model.model_copy(update={"temperature": 1.0}).invoke("hi").text == "fourth"
        model.temperature = 0.5
        assert model.invoke("hi").text == "fifth"
        model.temperature = None
        assert model.invoke("hi").text == "first"
        edit(folder / "providers" / "acme.yaml", "user: nobody", "user: somebody")
        assert model.invoke("hi").text == "sixth"


def test_keys_of_calls(connect: Connect) -> None:
    model = connect()
    said: list[dict[str, Any]] = [
        {},
        {"model": "chat-2"},
        {"temperature": 0},
        {"stop": ["x"]},
        {"tools": [{"name": "f"}]},
    ]
    keys = [model._get_llm_string(**kwargs) for kwargs in said]
    keys += [connect(base_url="http://localhost:1")._get_llm_string(), connect(extra_body={"a": 1})._get_llm_string()]
    keys += [connect(protocol="anthropic-messages")._get_llm_string(), connect(output_version="v1")._get_llm_string()]
    keys += [connect(headers={"x-org": "acme"})._get_llm_string(), connect(reasoning="low")._get_llm_string()]
    assert len(set(keys)) == len(keys)
    assert connect(extra_body={"a": 1})._get_llm_string(extra_body={"b": 1}) != model._get_llm_string(
        extra_body={"b": 1}
    )
    assert connect("chat-2")._get_llm_string() == model._get_llm_string(model="chat-2")


def test_the_key_is_the_same_in_every_process() -> None:
    code = (
        "from ai_protocol_integrations.langchain import ChatAIProtocol\n"
        "print(ChatAIProtocol(model='openai/gpt-4o', temperature=0)._get_llm_string())"
    )
    ask = [sys.executable, "-c", code]
    told = subprocess.run(ask, check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}).stdout
    assert told.strip() == ChatAIProtocol(model="openai/gpt-4o", temperature=0)._get_llm_string()


# JSON

EVERYTHING: dict[str, Any] = {
    "model": "acme/chat-1",
    "base_url": "http://localhost:1",
    "protocol": "anthropic-messages",
    "temperature": 0.5,
    "max_tokens": 5,
    "top_p": 0.5,
    "top_k": 5,
    "stop": ["x", "y"],
    "seed": 1,
    "n": 1,
    "timeout": {"idle": 5, "total": 60},
    "max_retries": 3,
    "streaming": True,
    "reasoning": {"effort": "low", "include": True},
    "headers": {"x-org": "acme"},
    "extra_body": {"a": {"b": [1, None]}},
    "manifests": str(HERE),
    "on_unsupported": "error",
    "output_version": "v1",
    "disable_streaming": "tool_calling",
}


@pytest.mark.filterwarnings("ignore:The function `loads?` is in beta")
def test_everything_comes_back() -> None:
    assert EVERYTHING.keys() >= ChatAIProtocol.model_fields.keys() - {
        *("api_key", "http_client", "http_async_client"),
        *(
            "name",
            "cache",
            "verbose",
            "callbacks",
            "tags",
            "metadata",
            "custom_get_token_ids",
            "rate_limiter",
            "profile",
        ),
    }
    model = ChatAIProtocol(**EVERYTHING, api_key="made-up")
    said = dumps(model)
    assert "made-up" not in said
    back = loads(said, secrets_map={"ACME_API_KEY": "made-up"}, **ALLOWED)
    assert back == model
    assert dumps(back) == said
    assert back.profile == model.profile


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_path_and_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ChatAIProtocol(model="acme/chat-1", manifests=HERE, timeout=5, api_key="made-up")
    monkeypatch.setenv("ACME_API_KEY", "made-up")
    back = load(dumpd(model), secrets_from_env=True, **ALLOWED)
    assert (back.manifests, back.timeout, back.api_key) == (str(HERE), 5, model.api_key)
    assert back._get_llm_string() == model._get_llm_string()


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_timeout_of_httpx() -> None:
    model = ChatAIProtocol(model="simulator/any", timeout=httpx.Timeout(5, connect=1))
    assert load(dumpd(model), **ALLOWED).timeout == {"connect": 1, "first_byte": 5, "idle": 5}


def test_what_was_dumped_is_not_kept_for_other_fields(connect: Connect) -> None:
    model = connect(temperature=0.5)
    assert model._serialized["kwargs"]["temperature"] == 0.5
    assert model.model_copy(update={"temperature": 1.0})._serialized["kwargs"]["temperature"] == 1.0
    model.temperature = 0.7
    assert model._serialized["kwargs"]["temperature"] == 0.7


def test_names() -> None:
    assert ChatAIProtocol.lc_id() == ["ai_protocol_integrations", "langchain", "chat_models", "ChatAIProtocol"]
    assert ChatAIProtocol(model="anthropic/claude-haiku-4-5").lc_secrets == {"api_key": "ANTHROPIC_API_KEY"}
    assert ChatAIProtocol(model="simulator/any", headers={"x-org": "a", "x-key": "s"}).lc_attributes == {
        "headers": {"x-org": "a"}
    }
