"""The class itself: its arguments, its secrets, its copies, and what it tells of itself."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.load import dumps, load
from langchain_core.load.dump import dumpd
from pydantic import SecretStr, ValidationError

import ai_protocol_integrations
from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.types.errors import ArgumentError, CredentialError, ManifestError

ROOT = Path(__file__).parents[2]
KEY = "made-up-0123456789abcdef"


def test_an_argument_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match=r"no argument 'temprature'.*did you mean .temperature."):
        ChatAIProtocol(model="simulator/any", temprature=0)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match=r"did you mean .max_tokens."):
        ChatAIProtocol.model_validate({"model": "simulator/any", "max_token": 5})


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"model": "simulatr/any"}, ManifestError, "simulator"),
        ({"model": "any"}, ArgumentError, "provider/model"),
        ({"model": "simulator/any", "protocol": "openai-chta"}, ArgumentError, "openai-chat"),
        ({"model": "simulator/any", "on_unsupported": "wran"}, ValidationError, "'warn'"),
        ({"model": "simulator/any", "temperature": "hot", "api_key": KEY}, ValidationError, "temperature"),
        ({"model": "simulator/any", "max_retries": -1, "api_key": KEY}, ArgumentError, "max_retries"),
    ],
)
def test_an_argument_that_does_not_fit(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        ChatAIProtocol(**arguments)
    assert KEY not in str(caught.value) + repr(caught.value)


def test_the_arguments_of_the_standard() -> None:
    model = ChatAIProtocol(
        model="simulator/any",
        temperature=0,
        max_tokens=100,
        timeout=60,
        stop=[],
        max_retries=2,
        api_key="test",
        base_url="http://localhost:1",
        streaming=True,
    )
    assert model.api_key == SecretStr("test")
    assert model.invoke("hi").text == "You said: hi"


def test_the_key_is_shown_nowhere() -> None:
    secrets = {"X-Auth": KEY, "Authorization": f"Bearer {KEY}", "x-org": "acme"}
    model = ChatAIProtocol(model="simulator/any", api_key=KEY, headers=secrets)
    shown = [
        repr(model),
        str(model),
        dumps(model),
        repr(model.model_dump()),
        model.model_dump_json(),
        repr(model.asdict()),
        repr(model._get_ls_params()),
        repr(pickle.dumps(model)),
        repr(model._client),
        repr(model._get_llm_string()),
    ]
    assert [text for text in shown if KEY in text] == []
    assert "acme" in dumps(model)
    assert model._client.explain("hi").headers["x-auth"] == "***"


def test_copies() -> None:
    client = httpx.Client()
    model = ChatAIProtocol(model="simulator/any", api_key=KEY, stop=["x"], http_client=client)
    deep = copy.deepcopy(model)
    assert deep == model
    assert deep.stop is not model.stop
    assert deep.http_client is client
    assert copy.copy(model) == model
    other = model.model_copy(update={"model": "simulator/other"})
    assert other.invoke("hi").response_metadata["model_name"] == "other"
    model.model = "simulator/third"
    assert model.invoke("hi").response_metadata["model_name"] == "third"
    thawed = pickle.loads(pickle.dumps(deep))
    assert (thawed.model, thawed.stop, thawed.api_key, thawed.http_client) == (deep.model, deep.stop, None, None)
    assert thawed.invoke("hi").text == "You said: hi"
    client.close()


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_it_comes_back_from_json() -> None:
    model = ChatAIProtocol(model="openai/gpt-4o", api_key=KEY, temperature=0.5, reasoning="low")
    said = dumpd(model)
    assert said["id"] == ["ai_protocol_integrations", "langchain", "chat_models", "ChatAIProtocol"]
    assert said["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    back = load(
        said,
        secrets_map={"OPENAI_API_KEY": KEY},
        valid_namespaces=["ai_protocol_integrations"],
        allowed_objects=[ChatAIProtocol],
    )
    assert back == model
    assert dumpd(back) == said


def test_what_it_tells_of_itself() -> None:
    model = ChatAIProtocol(model="simulator:any", temperature=0.5, max_tokens=5, stop=["x"], extra_body={"a": 1})
    assert model._llm_type == "ai-protocol-chat"
    told = model.asdict()
    assert len(told.pop("manifests")) == 16
    assert told == {
        "model": "any",
        "provider": "simulator",
        "protocol": model._client.protocol,
        "temperature": 0.5,
        "max_tokens": 5,
        "stop": ["x"],
        "extra_body": {"a": 1},
        "_type": "ai-protocol-chat",
    }
    usual = {"ls_model_type": "chat", "ls_temperature": 0.5, "ls_max_tokens": 5, "ls_stop": ["x"]}
    assert model._get_ls_params() == {"ls_provider": "simulator", "ls_model_name": "any", **usual}
    assert model._get_ls_params(model="other") == {"ls_provider": "simulator", "ls_model_name": "other", **usual}
    there = model._get_ls_params(model="google/gemini-2.5-flash", stop=["y"])
    assert (there["ls_provider"], there["ls_model_name"], there["ls_stop"]) == ("gemini", "gemini-2.5-flash", ["y"])
    odd = model._get_ls_params(model="nobody/x")
    assert (odd["ls_provider"], odd["ls_model_name"]) == ("simulator", "nobody/x")
    assert (model.metadata or {})["lc_versions"]["ai-protocol-integrations"] == ai_protocol_integrations.__version__


def test_version() -> None:
    assert f'\nversion = "{ai_protocol_integrations.__version__}"\n' in (ROOT / "pyproject.toml").read_text()


def test_front_door() -> None:
    assert ai_protocol_integrations.ChatAIProtocol is ChatAIProtocol
    assert "ChatAIProtocol" in dir(ai_protocol_integrations)
    with pytest.raises(AttributeError, match="ChatAIProtokol"):
        _ = ai_protocol_integrations.ChatAIProtokol


def test_without_the_framework() -> None:
    code = "import sys; sys.modules['langchain_core'] = None\nfrom ai_protocol_integrations import ChatAIProtocol"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "pip install 'ai-protocol-integrations[langchain]'" in done.stderr.splitlines()[-1]


def test_building_one_is_cheap() -> None:
    ChatAIProtocol(model="simulator/any")
    best = min(_seconds_to_build(100) for _ in range(5))
    assert best / 100 < 1e-3  # about 50 microseconds; whatever reads a file or makes a TLS context takes far longer


def _seconds_to_build(count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        ChatAIProtocol(model="simulator/any", temperature=0)
    return time.process_time() - start


def test_a_key_set_later_is_a_secret_too() -> None:
    model = ChatAIProtocol(model="simulator/any", api_key=lambda: KEY)
    assert callable(model.api_key)
    model.api_key = KEY
    assert model.api_key == SecretStr(KEY)
    with pytest.raises(CredentialError, match="not a int"):
        model.api_key = 5  # type: ignore[assignment]


def test_a_key_in_a_copy_is_a_secret_too() -> None:
    copy = ChatAIProtocol(model="simulator/echo").model_copy(update={"api_key": "not-to-be-seen"})
    assert "not-to-be-seen" not in repr(copy) + repr(copy.model_dump())
    assert copy.invoke("hi").text == "hi"


def test_a_type_checker_takes_a_plain_key() -> None:
    mypy = pytest.importorskip("mypy.api")
    typed = "from ai_protocol_integrations.langchain import ChatAIProtocol\nChatAIProtocol(model='a/b', api_key={})"
    checked = [mypy.run(["--strict", "--config-file=", "-c", typed.format(key)]) for key in ("'k'", "5")]
    assert [status for _, _, status in checked] == [0, 1], checked
