"""Structured output: what is sent for a schema, and what passes of what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, ConfigDict, Field

from ai_protocol_integrations._schemas import is_pydantic
from ai_protocol_integrations.langchain import ChatAIProtocol
from ai_protocol_integrations.langchain._structured import RefusalError, response_format, to_format
from ai_protocol_runtime.manifest import manifests
from ai_protocol_runtime.simulator import simulate
from ai_protocol_runtime.types import Part, Refusal, ResponseFormat, Text, ToolCall
from ai_protocol_runtime.types.errors import ArgumentError

WIRES = sorted(manifests().provider("simulator").protocols)
METHODS = ["auto", "json_schema", "function_calling"]


class Joke(BaseModel):
    """A joke."""

    setup: str = Field(description="The question.")
    rating: int


class JokeDict(TypedDict):
    """A joke."""

    setup: Annotated[str, ..., "The question."]
    rating: Annotated[int, ..., "From 1 to 10."]


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


SCHEMAS: list[Any] = [Joke, JokeDict, Joke.model_json_schema()]
GOOD = {"setup": "Why?", "rating": 5}
JSON = json.dumps(GOOD)
ANY: dict[str, Any] = {"type": "object", "properties": {}}


def structured(answer: str | list[Part], schema: Any = Joke, **how: Any) -> Any:
    """What a model that answers like this gives."""
    with simulate("structured", lambda request: answer):
        model = ChatAIProtocol(model="simulator/structured")
        return model.with_structured_output(schema, **({"method": "json_schema"} | how)).invoke("a joke")


# --- what is sent


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("method", METHODS)
async def test_a_schema_is_kept_to(wire: str, schema: Any, method: Any) -> None:
    """The simulator obeys a schema that reaches it; each way of asking brings the same kind of object."""
    model = ChatAIProtocol(model="simulator/any", protocol=wire, on_unsupported="drop")
    asking = model.with_structured_output(schema, method=method)
    streamed = list(asking.stream("a joke"))
    for found in (asking.invoke("a joke"), await asking.ainvoke("a joke"), streamed[-1]):
        if schema is Joke:
            assert isinstance(found, Joke)
            assert len(streamed) == 1
        else:
            assert set(found) == {"setup", "rating"}
            assert isinstance(found["rating"], int)
    assert [item async for item in asking.astream("a joke")][-1] == streamed[-1]


@pytest.mark.parametrize(
    ("method", "kind", "tools"), [("json_schema", "schema", 0), ("json_mode", "json", 0), ("function_calling", None, 1)]
)
def test_each_method_is_what_it_says(method: Any, kind: str | None, tools: int) -> None:
    with simulate("asked", JSON) as simulated:
        ChatAIProtocol(model="simulator/asked").with_structured_output(Joke, method=method, include_raw=True).invoke(
            "x"
        )
    (request,) = simulated.requests
    assert (request.format.kind if request.format else None) == kind
    assert len(request.tools) == tools


def test_the_name_and_strictness_travel() -> None:
    with simulate("strict", JSON) as simulated:
        model = ChatAIProtocol(model="simulator/strict", protocol="openai-chat")
        model.with_structured_output({**Joke.model_json_schema(), "title": "A joke!"}, strict=True).invoke("x")
    sent = simulated.received[0].body["response_format"]
    assert sent["type"] == "json_schema"
    assert (sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("A_joke_", True)
    assert sent["json_schema"]["description"] == "A joke."
    assert sent["json_schema"]["schema"]["additionalProperties"] is False


@pytest.mark.parametrize("wire", WIRES)
def test_a_label_is_no_loss(wire: str) -> None:
    """A wire that has no place for a schema's name says the same without it (a warning would be an error here)."""
    with simulate("label", JSON):
        model = ChatAIProtocol(model="simulator/label", protocol=wire)
        assert model.with_structured_output(Joke, method="json_schema").invoke("x") == Joke(**GOOD)


def test_schemas() -> None:
    tree = response_format(Tree)["json_schema"]["schema"]
    assert tree["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert tree["$defs"]["Tree"]["additionalProperties"] is tree["additionalProperties"] is False
    assert response_format(Open)["json_schema"]["schema"]["additionalProperties"] is True
    given = Joke.model_json_schema()
    assert response_format(given)["json_schema"]["schema"] == given
    assert "additionalProperties" not in response_format(Joke, strict=False)["json_schema"]["schema"]
    default = {"title": "d", "type": "object", "properties": {"a": {"default": {"type": "object", "properties": {}}}}}
    assert response_format(default, strict=True)["json_schema"]["schema"]["properties"] == default["properties"]


class Leaf(BaseModel):
    value: int | None = None


class Branch(BaseModel):
    leaf: Leaf = Field(description="The only one.")
    others: list[Leaf] = []
    colour: str = "green"


def test_strictness_wants_every_field() -> None:
    """As strict providers have it: all of them required, at any depth, and no words beside a reference."""
    made = response_format(Branch, strict=True)["json_schema"]["schema"]
    leaf = made["$defs"]["Leaf"]
    assert made["required"] == ["leaf", "others", "colour"]
    assert leaf["required"] == ["value"]
    assert "default" not in leaf["properties"]["value"]
    assert made["properties"]["leaf"] == {**leaf, "description": "The only one."}
    assert made["properties"]["others"]["items"] == {"$ref": "#/$defs/Leaf"}
    assert made["properties"]["colour"]["default"] == "green"
    assert made["additionalProperties"] is leaf["additionalProperties"] is False
    chained = response_format(Chain, strict=True)["json_schema"]["schema"]["properties"]["next"]
    assert chained["description"] == "The one after it."
    assert chained["properties"]["next"] == {"$ref": "#/$defs/Chain"}
    assert response_format(Branch)["json_schema"]["schema"]["required"] == ["leaf"]


class Chain(BaseModel):
    next: Chain = Field(default=None, description="The one after it.")  # type: ignore[assignment]


class Partial(TypedDict):
    """A joke, rated or not."""

    setup: Annotated[str, ..., "The question."]
    rating: Annotated[int, None, "From 1 to 10."]


class Bag(BaseModel):
    inner: dict[str, str] = {}


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Either(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")


CLOSED = {**Joke.model_json_schema(), "additionalProperties": False}


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[tuple[ChatAIProtocol, Callable[[], ResponseFormat]]]:
    """A model that keeps to strict schemas only, and the format that it was last asked for."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "simulator.yaml").write_text(
        "provider: simulator\ndocs: {checked: 2026-11-21, pages: ['https://example.com']}\n"
        "models: {firm: {structured_output: strict}}\n"
    )
    with simulate("firm", lambda request: JSON) as simulated:

        def asked() -> ResponseFormat:
            found = simulated.requests[-1].format
            assert found is not None
            return found

        yield ChatAIProtocol(model="simulator/firm", manifests=tmp_path), asked


@pytest.mark.parametrize(
    ("schema", "how", "strict"),
    [
        (Joke, {}, True),
        (JokeDict, {}, True),
        (Branch, {}, True),
        (Tree, {}, True),
        (Joke, {"method": "auto"}, True),
        (Joke, {"strict": False}, False),
        # what has no strict form is asked for as it is
        (Open, {}, None),
        (Bag, {}, None),
        (Either, {}, None),
        # any other schema stays as it is, but for its objects being closed
        (Partial, {}, None),
        (CLOSED, {}, True),
        (Joke.model_json_schema(), {}, True),
        ({**CLOSED, "required": ["setup"]}, {}, None),
        ({**CLOSED, "properties": {**CLOSED["properties"], "more": {"allOf": []}}}, {}, None),
        ({**CLOSED, "properties": {**CLOSED["properties"], "setup": {"$ref": "#/$defs/x", "title": "S"}}}, {}, None),
        ({"title": "list", "type": "array", "items": CLOSED}, {}, None),
    ],
)
def test_a_model_that_keeps_to_strict_schemas_gets_those(firm: Any, schema: Any, how: Any, strict: bool | None) -> None:
    model, asked = firm
    model.with_structured_output(schema, **{"method": "json_schema"} | how, include_raw=True).invoke("x")
    assert asked().strict is strict
    if strict and is_pydantic(schema):
        assert asked().schema == response_format(schema, strict=True)["json_schema"]["schema"]


def test_strictness_of_one_call(firm: Any) -> None:
    model, asked = firm
    model.invoke("x", response_format=Branch)
    assert (asked().strict, asked().schema["required"]) == (True, ["leaf", "others", "colour"])
    by_agents = {"type": "json_schema", "json_schema": {"name": "Joke", "schema": Joke.model_json_schema()}}
    model.invoke("x", response_format=by_agents)
    assert (asked().strict, asked().schema["additionalProperties"]) == (True, False)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ({"type": "text"}, "plain"),
        ({"type": "json_object"}, "json"),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}},
            ResponseFormat("schema", "n", {"type": "object"}, True),
        ),
        ({"type": "json_schema", "schema": {}}, ResponseFormat("schema", "answer", {})),
        ({"title": "t", **ANY}, ResponseFormat("schema", "t", {"title": "t", **ANY})),
        (ANY, ResponseFormat("schema", "answer", {"title": "answer", **ANY})),
    ],
)
def test_response_format_for_one_call(said: Any, ours: Any) -> None:
    assert to_format(said) == ours
    with simulate("one", JSON) as simulated:
        ChatAIProtocol(model="simulator/one").invoke("x", response_format=said)
    (request,) = simulated.requests
    assert request.format
    assert replace(request.format, extra=None) == (ResponseFormat(ours) if isinstance(ours, str) else ours)


@pytest.mark.parametrize("said", [5, {"type": "json"}, {"type": "json_schema"}, {"type": "json_schema", "schema": 5}])
def test_what_is_no_response_format(said: Any) -> None:
    with pytest.raises(ArgumentError, match="response_format"):
        to_format(said)


@pytest.mark.parametrize(
    ("schema", "how", "said"),
    [
        (Joke, {"method": "json_shema"}, r"did you mean .json_schema."),
        (Joke, {"method": "json_mode", "strict": True}, "json_mode knows no strict"),
        (None, {"method": "json_schema"}, "needs a schema"),
        (None, {}, "needs a schema"),
        (Joke, {"method": "function_calling", "tools": [Tree]}, "itself a tool"),
        (5, {"method": "json_schema"}, "no tool"),
    ],
)
def test_what_does_not_fit(schema: Any, how: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        ChatAIProtocol(model="simulator/any").with_structured_output(schema, **how)


def test_the_method_is_the_manifest_s_choice() -> None:
    def method(usual: str, **more: Any) -> str:
        chat = ChatAIProtocol(model=usual)
        bound = chat.with_structured_output(Joke, **more).steps[0].kwargs  # type: ignore[attr-defined]
        return str(bound["ls_structured_output_format"]["kwargs"]["method"])

    assert method("simulator/any") == "json_schema"
    assert method("deepseek/deepseek-chat") == "function_calling"
    assert method("simulator/any", model="deepseek/deepseek-chat") == "function_calling"


@pytest.mark.parametrize("schema", [*SCHEMAS, {"type": "object", "properties": {"a": {"type": "string"}}}])
@pytest.mark.parametrize("method", [*METHODS, "json_mode"])
def test_traces_know_the_schema(schema: Any, method: Any) -> None:
    seen: list[Any] = []

    class Handler(BaseCallbackHandler):
        def on_chat_model_start(self, serialized: Any, messages: Any, *, options: Any = None, **kwargs: Any) -> None:
            seen.append(options["ls_structured_output_format"]["schema"])

    asking = ChatAIProtocol(model="simulator/any").with_structured_output(schema, method=method, include_raw=True)
    asking.invoke("x", config={"callbacks": [Handler()]})
    title = {} if isinstance(schema, type) or "title" in schema else {"title": "answer"}
    assert seen == [convert_to_json_schema({**title, **schema} if title else schema)]


# --- what passes


def test_what_passes() -> None:
    assert structured(JSON) == Joke(**GOOD)
    assert structured(f"```json\n{JSON}\n```") == Joke(**GOOD)
    assert structured(JSON, JokeDict) == GOOD
    assert structured(JSON, method="json_mode") == Joke(**GOOD)
    assert structured('{"a": 1}', None, method="json_mode") == {"a": 1}
    assert structured([ToolCall("c", "Joke", JSON)], method="function_calling") == Joke(**GOOD)


BAD = ["", "no", "{}", "null", "[]", JSON[:-1], '{"setup": "Why?"}', '{"setup": "Why?", "rating": "five"}']


@pytest.mark.parametrize("answer", BAD)
@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_what_does_not_pass(answer: str, schema: Any, method: Any) -> None:
    name = "JokeDict" if schema is JokeDict else "Joke"
    said: Any = answer if method != "function_calling" else [ToolCall("c", name, answer or "{}")]
    with pytest.raises(OutputParserException):
        structured(said, schema, method=method)
    kept = structured(said, schema, method=method, include_raw=True)
    assert isinstance(kept["raw"], AIMessage)
    assert kept["parsed"] is None
    assert isinstance(kept["parsing_error"], OutputParserException)
    with simulate("streamed", lambda request: said), pytest.raises(OutputParserException):
        list(ChatAIProtocol(model="simulator/streamed").with_structured_output(schema, method=method).stream("x"))


def test_why_it_does_not_pass() -> None:
    schema = Joke.model_json_schema()
    with pytest.raises(OutputParserException, match="it lacks rating"):
        structured('{"setup": ""}', schema)
    with pytest.raises(OutputParserException, match="its rating is not as the schema has it"):
        structured('{"setup": "", "rating": "x"}', schema)
    with pytest.raises(OutputParserException, match="did not call Joke"):
        structured("I would rather not", schema, method="function_calling")


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_refusal(method: Any) -> None:
    with pytest.raises(RefusalError, match="I will not"):
        structured([Refusal("I will not")], method=method)
    kept = structured([Refusal("I will not")], method=method, include_raw=True)
    assert isinstance(kept["parsing_error"], RefusalError)


def test_a_tool_called_instead() -> None:
    kept = structured([ToolCall("c", "Tree", "{}")], tools=[Tree], include_raw=True)
    assert (kept["parsed"], kept["parsing_error"]) == (None, None)
    assert kept["raw"].tool_calls[0]["name"] == "Tree"
    assert structured([Text(JSON)], tools=[Tree]) == Joke(**GOOD)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_dicts_grow_in_a_stream(method: Any) -> None:
    said: Any = json.dumps({"setup": "one two three four five", "rating": 1})
    said = (
        [Text("Well:"), ToolCall("c", "Joke", said), ToolCall("d", "Joke", JSON)]
        if method == "function_calling"
        else said
    )
    with simulate("grow", lambda request: said):
        asking = ChatAIProtocol(model="simulator/grow").with_structured_output(Joke.model_json_schema(), method=method)
        grown = list(asking.stream("x"))
    assert len(grown) > 2
    assert all(str(grown[-1]["setup"]).startswith(item.get("setup", "")) for item in grown)
    assert grown[-1] == {"setup": "one two three four five", "rating": 1}


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_what_nests_without_end(method: Any) -> None:
    """A reader that knows no limit meets a Python that does."""
    said: Any = '{"setup": ' + "[" * 5000
    with simulate("deep", lambda request: [ToolCall("c", "Joke", said)] if method == "function_calling" else said):
        asking = ChatAIProtocol(model="simulator/deep").with_structured_output(Joke.model_json_schema(), method=method)
        with pytest.raises(OutputParserException):
            list(asking.stream("x"))
