"""Inputs: tools, the choice among them, and structured output."""

from __future__ import annotations

from copy import deepcopy
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, tool
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1

from .inputs import CACHE, Input
from .peers import ANTHROPIC, CHAT, GEMINI, RESPONSES, Ask

OPENAI = (CHAT, RESPONSES)


def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Args:
        a: The first.
        b: The second.
    """
    return a + b


class Weather(BaseModel):
    """Look the weather up."""

    city: str = Field(description="The city.")
    days: int | None = Field(default=None, ge=1, le=14)
    unit: Literal["C", "F"] = "C"


class WeatherV1(BaseModelV1):
    """Look the weather up."""

    city: str = FieldV1(description="The city.")


class WeatherDict(TypedDict):
    """Look the weather up."""

    city: Annotated[str, ..., "The city."]
    unit: Annotated[Literal["C", "F"] | None, None, "The unit."]


@tool
def search(query: str, limit: int = 5) -> str:
    """Search for a text."""
    return query * limit


class Shout(BaseTool):
    name: str = "shout"
    description: str = "Say it loudly."
    args_schema: type[BaseModel] = Weather

    def _run(self, city: str) -> str:
        return city.upper()


@tool(extras={"cache_control": CACHE})
def cached(query: str) -> str:
    """Search, with a definition that is cached."""
    return query


def _add_ten(given: WeatherDict) -> str:
    return given["city"] + "10"


add_ten = RunnableLambda(_add_ten)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    value: float
    colour: Colour


class Nested(BaseModel):
    """Things in things."""

    inner: Inner
    many: list[Inner]
    either: int | str
    tags: dict[str, str] = {}


class Tree(BaseModel):
    """A tree."""

    name: str
    children: list[Tree] = []


SCHEMA: dict[str, Any] = {
    "title": "Person",
    "description": "A person.",
    "type": "object",
    "properties": {"name": {"type": "string", "description": "Who."}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
INNER = {key: SCHEMA[key] for key in ("type", "properties", "required")}
FUNCTION = {"name": "person", "description": "A person.", "parameters": INNER}


def bound(*tools: Any, **how: Any) -> Ask:
    return lambda model: model.bind_tools([_copied(tool) for tool in tools], **how)


def structured(schema: Any, method: str, **how: Any) -> Ask:
    return lambda model: model.with_structured_output(_copied(schema), method=method, include_raw=True, **how)


def _copied(given: Any) -> Any:
    """One of the partners writes into the dicts it is given."""
    return deepcopy(given) if isinstance(given, dict) else given


TOOLS = [
    Input("tool: a function", ask=bound(add)),
    Input("tool: a pydantic class", ask=bound(Weather)),
    Input("tool: a pydantic class of version 1", ask=bound(WeatherV1)),
    Input("tool: a TypedDict", ask=bound(WeatherDict)),
    Input("tool: of the decorator", ask=bound(search)),
    Input("tool: a BaseTool", ask=bound(Shout())),
    Input("tool: a StructuredTool", ask=bound(StructuredTool.from_function(add, name="plus"))),
    Input("tool: a Runnable", ask=lambda model: bound(add_ten.as_tool(name="add_ten", description="d"))(model)),
    Input("tool: a function's dict", ask=bound({"type": "function", "function": FUNCTION})),
    Input("tool: a bare function's dict", ask=bound(FUNCTION)),
    Input("tool: Anthropic's dict", ask=bound({"name": "person", "description": "A person.", "input_schema": INNER})),
    Input("tool: a JSON Schema", ask=bound(SCHEMA)),
    Input("tool: without arguments", ask=bound({"name": "now", "description": "The time."})),
    Input("tool: nested", ask=bound(Nested)),
    Input("tool: recursive", ask=bound(Tree)),
    Input("tools: several kinds", ask=bound(add, Weather, search, FUNCTION)),
    Input("tools: none", ask=bound()),
    Input("tool: cached", ask=bound(cached), peers=(ANTHROPIC,)),
    Input("tool: cached, a dict", ask=bound({**FUNCTION, "cache_control": CACHE}), peers=(ANTHROPIC,)),
    Input("strict", ask=bound(Weather, strict=True), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("strict: not", ask=bound(Weather, strict=False), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("strict, several kinds", ask=bound(add, Nested, strict=True), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("strict in the dict", ask=bound({**FUNCTION, "strict": True}), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("parallel calls: no", ask=bound(add, parallel_tool_calls=False), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input("parallel calls: yes", ask=bound(add, parallel_tool_calls=True), peers=(CHAT, RESPONSES, ANTHROPIC)),
    Input(
        "parallel calls: no, and a choice",
        ask=bound(add, search, tool_choice="any", parallel_tool_calls=False),
        peers=(CHAT, RESPONSES, ANTHROPIC),
    ),
    Input("choice: auto", ask=bound(add, search, tool_choice="auto")),
    Input("choice: any", ask=bound(add, search, tool_choice="any")),
    Input("choice: required", ask=bound(add, search, tool_choice="required"), peers=(CHAT, RESPONSES, GEMINI)),
    Input("choice: true", ask=bound(add, search, tool_choice=True), peers=(CHAT, RESPONSES, GEMINI)),
    Input("choice: false", ask=bound(add, search, tool_choice=False)),
    Input("choice: none", ask=bound(add, search, tool_choice="none"), peers=(CHAT, RESPONSES, GEMINI)),
    Input("choice: a name", ask=bound(add, search, tool_choice="add")),
    Input("choice: a name, one tool", ask=bound(add, tool_choice="add")),
    Input("choice: several names", ask=bound(add, search, Weather, tool_choice=["add", "search"]), peers=(GEMINI,)),
    Input(
        "choice: a dict of Chat Completions",
        ask=bound(add, search, tool_choice={"type": "function", "function": {"name": "add"}}),
        peers=OPENAI,
    ),
    Input(
        "choice: a dict of Anthropic's",
        ask=bound(add, search, tool_choice={"type": "tool", "name": "add"}),
        peers=(ANTHROPIC,),
    ),
    Input(
        "choice: any, a dict of Anthropic's", ask=bound(add, search, tool_choice={"type": "any"}), peers=(ANTHROPIC,)
    ),
    Input(
        "choice: a dict of Anthropic's, one call",
        ask=bound(add, search, tool_choice={"type": "any", "disable_parallel_tool_use": True}),
        peers=(ANTHROPIC,),
    ),
    Input(
        "choice: allowed tools",
        ask=bound(
            add,
            search,
            tool_choice={"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "add"}]},
        ),
        peers=(RESPONSES,),
    ),
    Input(
        "choice: allowed tools of Chat Completions",
        ask=bound(
            add,
            search,
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "add"}}]},
            },
        ),
        peers=(CHAT,),
    ),
    Input(
        "choice: a server's tool",
        ask=bound({"type": "web_search"}, tool_choice={"type": "web_search"}),
        peers=(RESPONSES,),
    ),
    Input(
        "server tool: web search", ask=bound({"type": "web_search", "search_context_size": "low"}), peers=(RESPONSES,)
    ),
    Input("server tool beside a function", ask=bound({"type": "web_search"}, add), peers=(RESPONSES,)),
    Input(
        "server tool: MCP",
        ask=bound(
            {"type": "mcp", "server_label": "d", "server_url": "https://example.com", "require_approval": "never"}
        ),
        peers=(RESPONSES,),
    ),
    Input(
        "server tool of Anthropic's",
        ask=bound({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}, add),
        peers=(ANTHROPIC,),
    ),
    Input("server tool of Google's", ask=bound({"google_search": {}}), peers=(GEMINI,)),
    Input("code execution of Google's", ask=bound({"code_execution": {}}), peers=(GEMINI,)),
    Input(
        "free-form tool", ask=bound({"type": "custom", "name": "sql", "description": "Any SQL."}), peers=(RESPONSES,)
    ),
]

STRUCTURED = [
    *(
        Input(f"structured, {method}: {kind}", "Ada, 36", ask=structured(schema, method))
        for method in ("json_schema", "function_calling")
        for kind, schema in (
            ("a pydantic class", Weather),
            ("a TypedDict", WeatherDict),
            ("a JSON Schema", SCHEMA),
            ("nested", Nested),
        )
    ),
    Input("structured, json_schema: a function's dict", ask=structured(FUNCTION, "json_schema"), peers=OPENAI),
    Input("structured, json_schema: recursive", ask=structured(Tree, "json_schema")),
    Input("structured, function_calling: pydantic 1", ask=structured(WeatherV1, "function_calling")),
    Input("structured, json_mode", "JSON please", ask=structured(Weather, "json_mode"), peers=OPENAI),
    Input("structured, json_mode, no schema", "JSON please", ask=structured(None, "json_mode"), peers=OPENAI),
    Input("structured, json_schema, strict", ask=structured(SCHEMA, "json_schema", strict=True), peers=OPENAI),
    Input("structured, json_schema, not strict", ask=structured(SCHEMA, "json_schema", strict=False), peers=OPENAI),
    Input(
        "structured, function_calling, strict", ask=structured(Weather, "function_calling", strict=True), peers=OPENAI
    ),
    Input(
        "structured, with tools",
        ask=structured(Weather, "json_schema", tools=[add], strict=True),
        peers=(CHAT, RESPONSES),
    ),
    Input("structured, streamed", ask=structured(SCHEMA, "json_schema"), stream=True),
    Input(
        "response_format for one call",
        call={"response_format": {"type": "json_schema", "json_schema": {"name": "Person", "schema": SCHEMA}}},
    ),
    Input(
        "response_format: any JSON",
        "JSON please",
        call={"response_format": {"type": "json_object"}},
        peers=(CHAT, RESPONSES, GEMINI),
    ),
    Input("response_format: text", call={"response_format": {"type": "text"}}, peers=OPENAI),
    Input("response_format: a pydantic class", call={"response_format": Weather}, peers=OPENAI),
]

ASKED = [*TOOLS, *STRUCTURED]
