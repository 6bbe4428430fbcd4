"""Profiles: what manifests know of a model, and that LangChain's agents go by it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.language_models import ModelProfile
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import Server, simulate

DOCS = "docs: {checked: 2026-11-21, pages: ['https://shop.test']}"


class City(BaseModel):
    name: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "providers").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "providers" / "shop.yaml").write_text(
        f"id: shop\nname: Shop\n{DOCS}\nbase_url: https://shop.test\ncredentials: {{env: [SHOP_KEY]}}\n"
        "protocols:\n  openai-chat: {path: /v1/chat/completions}\nmodels: {structured_output: true}\n"
    )
    (tmp_path / "models" / "shop.yaml").write_text(
        f"provider: shop\n{DOCS}\nmodels:\n"
        "  small: {name: Small, context_window: 1000, max_output: 100, released: 2026-01-31, temperature: false}\n"
        "  strict: {context_window: 9000, max_input: 8000, structured_output: strict, inputs: [text, image, pdf]}\n"
        "  deep: {reasoning: {efforts: [low, high], default: low}, tool_calling: false, deprecated: true}\n"
        "  thinks: {reasoning: true, outputs: [text, image]}\n"
    )
    return tmp_path


Shop = Callable[..., ChatAIProtocol]


@pytest.fixture
def shop(folder: Path, simulated: Server) -> Shop:
    def make(model: str, **arguments: Any) -> ChatAIProtocol:
        usual: dict[str, Any] = {"api_key": "k", "base_url": simulated.url, "manifests": folder}
        return ChatAIProtocol(model=f"shop/{model}", **usual | arguments)

    return make


def test_what_is_known(shop: Shop) -> None:
    assert shop("small").profile == {
        "name": "Small",
        "status": "active",
        "release_date": "2026-01-31",
        "max_input_tokens": 1000,
        "max_output_tokens": 100,
        "text_inputs": True,
        "image_inputs": False,
        "audio_inputs": False,
        "video_inputs": False,
        "pdf_inputs": False,
        "attachment": False,
        "text_outputs": True,
        "image_outputs": False,
        "audio_outputs": False,
        "video_outputs": False,
        "tool_calling": True,
        "tool_choice": True,
        "tool_call_streaming": True,
        "structured_output": False,
        "reasoning_output": False,
        "temperature": False,
    }
    strict = dict(shop("strict").profile or {})
    assert (strict["max_input_tokens"], strict["structured_output"]) == (8000, True)
    assert (strict["image_inputs"], strict["pdf_inputs"], strict["attachment"]) == (True, True, True)
    deep = dict(shop("deep").profile or {})
    assert (deep["reasoning_effort_levels"], deep["reasoning_effort_default"]) == (["low", "high"], "low")
    assert (deep["status"], deep["tool_calling"], deep["reasoning_output"]) == ("deprecated", False, True)
    thinks = dict(shop("thinks").profile or {})
    assert (thinks["reasoning_output"], thinks["image_outputs"]) == (True, True)
    assert {"reasoning_effort_levels", "name", "max_input_tokens"} & thinks.keys() == set()


def test_of_an_unknown_model_only_what_its_provider_says(shop: Shop) -> None:
    with pytest.warns(UserWarning, match="no manifest knows"):
        model = shop("never-heard-of")
    assert model.profile == {"structured_output": True}


def test_langchain_knows_every_key_of_every_model() -> None:
    known = set(ModelProfile.__annotations__)
    for entry in manifests().models():
        profile = ChatAIProtocol(model=f"{entry.provider}:{entry.id}").profile
        assert profile
        assert set(profile) <= known, entry.id
        assert profile["tool_calling"] is entry.tool_calling


def test_it_follows_the_model(shop: Shop) -> None:
    model = shop("small")
    assert (model.model_copy(update={"model": "shop/strict"}).profile or {})["max_input_tokens"] == 8000
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.model_copy()):
        assert other.profile == model.profile
        other.model = "shop/strict"
        assert (other.profile or {})["max_input_tokens"] == 8000
    assert (model.profile or {})["max_input_tokens"] == 1000
    model.model = "nobody/small"
    assert model.profile == {}
    model.model = "shop/strict"
    assert (model.profile or {})["max_input_tokens"] == 8000


def test_one_that_was_given_stays(shop: Shop) -> None:
    given: ModelProfile = {"max_input_tokens": 7}
    model = shop("small", profile=given)
    model.model = "shop/strict"
    assert model.profile == given
    assert model.model_copy(update={"model": "shop/deep"}).profile == given
    other = shop("small").model_copy(update={"model": "shop/strict", "profile": given})
    assert other.profile == given


def test_it_follows_a_configured_model(shop: Shop) -> None:
    from langchain_core.runnables import ConfigurableField

    chosen: Any = shop("small").configurable_fields(model=ConfigurableField(id="model"))
    other, _ = chosen.prepare({"configurable": {"model": "shop/strict"}})
    assert other.profile["max_input_tokens"] == 8000


@pytest.mark.parametrize(("model", "strict"), [("strict", True), ("small", False)])
def test_an_agent_asks_for_schemas_where_the_model_keeps_to_them(shop: Shop, model: str, strict: bool) -> None:
    agent: Any = create_agent(shop(model), response_format=City)
    with simulate(model, {"name": "Rome"}) as asked:
        answer = agent.invoke({"messages": "The capital of Italy?"})
    assert answer["structured_response"] == City(name="Rome")
    (request,) = asked.requests
    assert (request.format is not None and request.format.kind == "schema") is strict
    assert bool(request.tools) is not strict


def test_a_simulated_model_keeps_to_schemas() -> None:
    agent: Any = create_agent(ChatAIProtocol(model="simulator/any"), response_format=City)
    assert isinstance(agent.invoke({"messages": "The capital of Italy?"})["structured_response"], City)


def test_a_share_of_the_window(shop: Shop) -> None:
    summary = SummarizationMiddleware(shop("small"), trigger=("fraction", 0.5), keep=("messages", 1))
    agent: Any = create_agent(shop("small"), middleware=[summary])
    long = [HumanMessage("word " * 500), AIMessage("ok"), HumanMessage("hi")]
    answer = agent.invoke({"messages": long})
    assert "summary" in answer["messages"][0].text.lower()
    assert len(agent.invoke({"messages": "hi"})["messages"]) == 2
