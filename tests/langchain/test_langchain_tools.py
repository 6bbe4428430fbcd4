"""Whatever LangChain takes for a tool, bound as JSON and turned into ours."""

from __future__ import annotations

import copy
import json
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.tools import BaseTool, Tool, tool
from pydantic import BaseModel, Field

from ai_protocol_integrations._tools import bound_choice, to_choice, to_tool
from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_integrations.langchain._tools import bound_tool
from ai_protocol_runtime import types
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.types import Raw, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError

CACHE = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: Where.
    """
    return city


class Weather(BaseModel):
    """Tell the weather."""

    city: str = Field(description="Where.")


class WeatherDict(TypedDict):
    """Tell the weather."""

    city: Annotated[str, ..., "Where."]


@tool(extras={"cache_control": CACHE})
def cached_weather(city: str) -> str:
    """Tell the weather."""
    return city


FUNCTIONS: list[Any] = [
    weather,
    Weather,
    WeatherDict,
    tool(weather),
    {"type": "function", "function": {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA}},
    {"type": "function", "name": "weather", "description": "Tell the weather.", "parameters": SCHEMA},
    {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA},
    {"name": "weather", "description": "Tell the weather.", "input_schema": SCHEMA},
    {"type": "custom", "name": "weather", "description": "Tell the weather.", "input_schema": SCHEMA},
    {"title": "weather", "description": "Tell the weather.", **SCHEMA},
    {"toolSpec": {"name": "weather", "description": "Tell the weather.", "inputSchema": {"json": SCHEMA}}},
]


@pytest.mark.parametrize("given", FUNCTIONS)
@pytest.mark.parametrize("strict", [None, True, False])
def test_a_function(given: Any, strict: bool | None) -> None:
    before = copy.deepcopy(given) if isinstance(given, dict) else None
    bound = bound_tool(given, strict=strict)
    assert json.loads(json.dumps(bound)) == bound
    assert bound_tool(bound) == bound
    assert before is None or given == before, "the caller's dict is changed"
    made = to_tool(bound)
    assert isinstance(made, types.Tool)
    assert made.name.lower().replace("dict", "") == "weather"
    assert (made.description or "").startswith("Tell the weather.")
    assert made.strict is strict
    assert made.parameters is not None
    assert made.parameters["required"] == ["city"]
    assert made.parameters["properties"]["city"]["type"] == "string"
    assert ("additionalProperties" in made.parameters) == (strict is True)


def test_what_else_is_said_of_a_function() -> None:
    assert to_tool(bound_tool(cached_weather)).cache == CACHE  # type: ignore[union-attr]
    assert to_tool(bound_tool({"name": "f", "input_schema": SCHEMA, "cache_control": CACHE})).cache == CACHE  # type: ignore[union-attr]
    assert to_tool(bound_tool({"name": "f"})).parameters == {"type": "object", "properties": {}}  # type: ignore[union-attr]
    simple: BaseTool = Tool("lookup", len, "Look it up.")
    assert to_tool(bound_tool(simple)).name == "lookup"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "given",
    [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        {"type": "web_search"},
        {"type": "mcp", "server_label": "x", "server_url": "https://x"},
        {"type": "custom", "name": "grammar", "format": {"type": "text"}},
        {"google_search": {}},
        {"functionDeclarations": [{"name": "f"}]},
        {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
    ],
)
def test_a_tool_of_the_provider_itself_goes_out_as_it_is(given: dict[str, Any]) -> None:
    assert bound_tool(given, strict=True) == given
    assert to_tool(bound_tool(given)) == Raw(given)


@pytest.mark.parametrize("given", [{"type": "object", "properties": {}}, 5, {"name": "f", "strict": False}])
def test_what_is_no_tool(given: Any) -> None:
    with pytest.raises(ArgumentError, match="this is no tool"):
        bound_tool(given, strict=True)


BOUND = [bound_tool(weather), {"type": "web_search", "name": "web"}]
NAMED = {"type": "tool", "name": "weather"}
OWN_CHOICES: list[dict[str, Any]] = [
    {"type": "web_search"},
    {"type": "custom", "name": "grammar"},
    {"type": "any", "disable_parallel_tool_use": True},
    {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "weather"}]},
]


@pytest.mark.parametrize(
    ("choice", "bound", "ours"),
    [
        (None, None, None),
        (False, None, None),
        ("auto", "auto", ToolChoice("auto")),
        ("any", "any", ToolChoice("any")),
        ("required", "any", ToolChoice("any")),
        (True, "any", ToolChoice("any")),
        ("none", "none", ToolChoice("none")),
        ("weather", NAMED, ToolChoice("named", "weather")),
        ({"type": "function", "function": {"name": "weather"}}, NAMED, ToolChoice("named", "weather")),
        ({"type": "function", "name": "weather"}, NAMED, ToolChoice("named", "weather")),
        (NAMED, NAMED, ToolChoice("named", "weather")),
        ({"type": "tool", "name": "web"}, {"type": "tool", "name": "web"}, ToolChoice("named", "web")),
        ({"type": "any"}, "any", ToolChoice("any")),
        ({"type": "required"}, "any", ToolChoice("any")),
        (["weather"], {"type": "allowed", "names": ["weather"]}, ToolChoice("allowed", names=["weather"])),
        *((own, own, Raw(own)) for own in OWN_CHOICES),
    ],
)
def test_a_choice(choice: Any, bound: Any, ours: ToolChoice | Raw | None) -> None:
    assert bound_choice(choice, BOUND) == bound
    assert to_choice(choice, BOUND) == to_choice(bound, BOUND) == ours


@pytest.mark.parametrize("choice", ["wether", {"type": "tool", "name": "wether"}, 5, ["weather", "wether"]])
def test_a_choice_of_nothing(choice: Any) -> None:
    with pytest.raises(ArgumentError, match="names no tool"):
        bound_choice(choice, BOUND)


def test_binding() -> None:
    model = ChatAIProtocol(model="simulator/any")
    bound = model.bind_tools([Weather, weather], tool_choice="weather", strict=True, parallel_tool_calls=False, seed=1)
    said = bound.kwargs  # type: ignore[attr-defined]
    assert json.loads(json.dumps(said)) == said
    assert [t["function"]["name"] for t in said["tools"]] == ["Weather", "weather"]
    assert [t["function"]["strict"] for t in said["tools"]] == [True, True]
    assert {key: said[key] for key in said if key != "tools"} == {
        "tool_choice": NAMED,
        "parallel_tool_calls": False,
        "seed": 1,
    }
    assert set(model.bind_tools([]).kwargs) == {"tools"}  # type: ignore[attr-defined]
    with pytest.raises(ArgumentError, match=r"'wether'.*did you mean .weather."):
        model.bind_tools([weather], tool_choice="wether")


def everything_in(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for item in inner for found in everything_in(item))]


_WIRES = sorted(manifests().provider("simulator").protocols)


@pytest.mark.parametrize("wire", _WIRES)
def test_a_tool_of_the_provider_itself_is_sent_as_it_is(wire: str) -> None:
    given = {"type": "web_search_20250305", "name": "web_search", "user_location": {"type": "approximate"}}
    model = ChatAIProtocol(model="simulator/any", protocol=wire)
    params = model._params(None, model.bind_tools([given, weather]).kwargs)  # type: ignore[attr-defined]
    body = json.loads(model._client.explain("hi", **params).body)
    assert everything_in(body).count(given) == 1


class Tree(BaseModel):
    """A tree."""

    name: str
    children: list[Tree] = []


def test_a_recursive_class_is_sent_whole() -> None:
    """LangChain's own conversion cuts it off where it comes back to itself."""
    parameters = bound_tool(Tree)["function"]["parameters"]
    assert parameters["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert "Tree" in parameters["$defs"]
    assert "$defs" not in bound_tool(Weather)["function"]["parameters"]


def test_a_schema_stays_an_object() -> None:
    schema = {"title": "t", "description": "d", "type": "object", "properties": {"a": {"type": "string"}}}
    assert bound_tool(schema)["function"]["parameters"]["type"] == "object"
