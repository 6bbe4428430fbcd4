"""Tools and the choice among them: whatever LangChain takes for a tool -> JSON that can be bound -> our types.

Bound tools are JSON, because LangChain shows, traces and caches what is bound: a function in the form that LangChain's
own tests and tracers know, and a provider's own tool (a web search, say) exactly as it was given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool as to_json_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel

from ai_protocol_runtime.jsonschema import resolve
from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import Raw, Tool, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError

ToolLike = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
"""What may be given as a tool: a function, a pydantic or TypedDict class, a LangChain tool, or a dict."""

JsonTool = dict[str, Any]

_FUNCTION = "function"
_DESCRIBED = ("name", "title", "parameters", "input_schema", "properties", "toolSpec")
"""Keys by which a dict describes a function, unless its type says that it is something else."""
_KNOWN = {"type", "name", "description", "input_schema", "strict", "cache_control"}
_WORDS = ("auto", "any", "none")


def bound_tool(tool: ToolLike, *, strict: bool | None = None) -> JsonTool:
    """The tool as JSON. `strict` (None: not said) is whether a function's arguments must follow its schema exactly;
    what is no function does not know the word. A tool that is bound already stays as it is.

    Raises `ArgumentError` for what is no tool.
    """
    given: Any = tool
    if isinstance(tool, Mapping):
        if not _is_function(tool):
            return dict(tool)
        named = tool.get("type") in (_FUNCTION, "custom")  # otherwise the type is the schema's own
        given = tool.get(_FUNCTION) or {key: value for key, value in tool.items() if not named or key != "type"}
    try:
        made: JsonTool = to_json_tool(given, strict=strict)
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"this is no tool: {error}") from error
    own = own_schema(tool)
    if own is not None and _is_recursive(own):  # LangChain cuts such a schema off where it comes back to itself
        made[_FUNCTION]["parameters"] = {key: own[key] for key in own if key not in ("title", "description")}
    cache = _cache(tool)
    return made if cache is None else {**made, "cache_control": cache}


def is_pydantic(schema: Any) -> bool:
    """Whether it is a pydantic class, of version 2 or 1."""
    return isinstance(schema, type) and is_basemodel_subclass(schema)


def own_schema(schema: Any) -> JsonTool | None:
    """A pydantic class's own JSON Schema, None for anything else."""
    if not is_pydantic(schema):
        return None
    made: JsonTool = schema.model_json_schema() if issubclass(schema, BaseModel) else schema.schema()
    root = made.pop("$ref", None)
    return made if root is None else {**made, **resolve(root, made)}


def _is_recursive(schema: JsonTool) -> bool:
    """Whether one of its definitions refers to itself, be it by way of others."""
    named: dict[str, Any] = schema.get("$defs") or schema.get("definitions") or {}
    leads = {name: {other for other in named if f'/{other}"' in json.dumps(inner)} for name, inner in named.items()}
    try:
        TopologicalSorter(leads).prepare()
    except CycleError:
        return True
    return False


def _is_function(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind == _FUNCTION:
        return True
    if "input_schema" in tool and not tool.keys() <= _KNOWN:  # it says what only its vendor understands
        return False
    if kind == "custom":  # a function by another word, or a tool that takes free text
        return "input_schema" in tool
    return kind in (None, "object") and any(key in tool for key in _DESCRIBED)


def _cache(tool: ToolLike) -> Any:
    said = tool if isinstance(tool, Mapping) else getattr(tool, "extras", None) or {}
    return said.get("cache_control")


def to_tool(tool: JsonTool) -> Tool | Raw:
    """Our type for a bound tool; a provider's own tool goes out as it is."""
    function = tool.get(_FUNCTION)
    if tool.get("type") != _FUNCTION or not isinstance(function, dict):
        return Raw(tool)
    return Tool(
        function["name"],
        function.get("description"),
        function.get("parameters") or {"type": "object", "properties": {}},
        function.get("strict"),
        tool.get("cache_control"),
    )


def bound_choice(choice: Any, tools: Sequence[JsonTool]) -> str | dict[str, Any] | None:
    """The choice as JSON: ``auto``, ``any``, ``none``, ``{"type": "tool", "name": ...}``, or ``{"type": "allowed",
    "names": [...]}``.

    `choice` may be one of these, ``required`` or True (both: any), the name of a tool, a list of names, or a dict as
    the vendors' APIs have it, which stays as it is where it says more; None and False say nothing. Raises
    `ArgumentError` for a tool that is not there, naming the nearest.
    """
    if isinstance(choice, Mapping):
        return _bound_dict(choice, tools)
    if isinstance(choice, list | tuple):
        return {"type": "allowed", "names": [_named(name, tools)["name"] for name in choice]}
    if choice is None or choice is False:
        return None
    if choice is True or choice == "required":
        return "any"
    return choice if choice in _WORDS else _named(choice, tools)


def _bound_dict(choice: Mapping[str, Any], tools: Sequence[JsonTool]) -> str | dict[str, Any] | None:
    match choice:
        case {"type": "function", "function": {"name": name}}:
            return _named(name, tools)
        case {"type": "function" | "tool", "name": name, **more} if not more:
            return _named(name, tools)
        case {"type": "allowed", "names": [*names]}:
            return bound_choice(names, tools)
        case {"type": str(word), **more} if not more and word in (*_WORDS, "required"):
            return bound_choice(word, tools)
    return dict(choice)


def _named(name: Any, tools: Sequence[JsonTool]) -> dict[str, str]:
    functions = [tool[_FUNCTION]["name"] for tool in tools if isinstance(tool.get(_FUNCTION), dict)]
    others = [tool["name"] for tool in tools if isinstance(tool.get("name"), str)]
    known = [*functions, *others]
    if not isinstance(name, str) or (known and name not in known):
        raise ArgumentError(f"tool_choice names no tool: {name!r}{nearest(str(name), known, all_of=True)}")
    return {"type": "tool", "name": name}


def to_choice(choice: Any, tools: Sequence[JsonTool]) -> ToolChoice | Raw | None:
    """Our type for a choice, bound or not; a provider's own goes out as it is."""
    made = bound_choice(choice, tools)
    if made is None:
        return None
    if isinstance(made, str):
        return ToolChoice(made)
    if made.get("type") == "allowed":
        return ToolChoice("allowed", names=made["names"])
    return ToolChoice("named", made["name"]) if made.get("type") == "tool" and len(made) == 2 else Raw(made)
