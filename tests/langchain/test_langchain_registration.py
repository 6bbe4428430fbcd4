"""`register()`: LangChain's own functions make our models, when asked to, and only then."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import langchain.chat_models.base as chat_base
import langchain.embeddings.base as embeddings_base
import pytest
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain.embeddings import init_embeddings

from ai_protocol_integrations.langchain import AIProtocolEmbeddings, ChatAIProtocol, _registration, register


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    for module in (chat_base, embeddings_base):
        monkeypatch.setattr(module, "_BUILTIN_PROVIDERS", dict(module._BUILTIN_PROVIDERS))


def test_models() -> None:
    register()
    register()
    for model in (
        init_chat_model("ai-protocol:simulator/any", temperature=0.5),
        init_chat_model("ai-protocol:simulator:any", temperature=0.5),
        init_chat_model("simulator/any", model_provider="ai-protocol", temperature=0.5),
    ):
        assert isinstance(model, ChatAIProtocol)
        assert (model._client.model, model.temperature) == ("any", 0.5)
    assert init_chat_model("ai-protocol:simulator/any").invoke("hi").text == "You said: hi"


def test_a_configurable_model() -> None:
    register()
    model = init_chat_model(
        "simulator/any", model_provider="ai-protocol", configurable_fields=("model", "temperature"), config_prefix="my"
    )
    config: Any = {"configurable": {"my_model": "simulator/other", "my_temperature": 1}}
    answer = model.invoke("hi", config=config)
    assert (answer.text, answer.response_metadata["model_name"]) == ("You said: hi", "other")
    assert model.invoke("hi").response_metadata["model_name"] == "any"
    nobody = init_chat_model(configurable_fields="any")
    config = {"configurable": {"model": "simulator/any", "model_provider": "ai-protocol"}}
    assert nobody.invoke("hi", config=config).text == "You said: hi"


def test_agents() -> None:
    register()
    agent: Any = create_agent("ai-protocol:simulator/any")
    assert agent.invoke({"messages": "hi"})["messages"][-1].text == "You said: hi"


def test_embeddings() -> None:
    register()
    for made in (
        init_embeddings("ai-protocol:simulator/any"),
        init_embeddings("simulator/any", provider="ai-protocol"),
        init_embeddings("simulator/any", provider="ai_protocol"),
    ):
        assert isinstance(made, AIProtocolEmbeddings)
        assert made.embed_query("hi")


def test_nothing_happens_unasked() -> None:
    code = (
        "import sys\nimport ai_protocol_integrations.langchain\n"
        "assert 'langchain' not in sys.modules, 'imported'\n"
        "from langchain.chat_models import init_chat_model\n"
        "try:\n    init_chat_model('ai-protocol:simulator/any')\nexcept ValueError:\n    print('unknown')"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "unknown"


def test_without_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registration, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install langchain"):
        register()


@pytest.mark.parametrize("table", [None, [], {"x": "y"}, {"x": ("module", "Class")}, {"x": ("module", "Class", None)}])
def test_a_langchain_of_another_form(monkeypatch: pytest.MonkeyPatch, table: Any) -> None:
    monkeypatch.setattr(embeddings_base, "_BUILTIN_PROVIDERS", table)
    with pytest.raises(RuntimeError, match=r"use AIProtocolEmbeddings\(model=...\) instead"):
        register()
    assert "ai-protocol" not in chat_base._BUILTIN_PROVIDERS
