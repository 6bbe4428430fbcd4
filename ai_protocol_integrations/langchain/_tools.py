"""Tools and the choice among them: whatever LangChain takes for a tool -> JSON that can be bound -> our types.

Bound tools are JSON, because LangChain shows, traces and caches what is bound: a function in the form that LangChain's
own tests and tracers know, and a provider's own tool (a web search, say) exactly as it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool as to_json_tool

from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import Raw, Tool, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError

ToolLike = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
"""What may be given as a tool: a function, a pydantic or TypedDict class, a LangChain tool, or a dict."""

JsonTool = dict[str, Any]

_FUNCTION = "function"
_DESCRIBED = ("name", "title", "parameters", "input_schema", "properties", "toolSpec")
"""Keys by which a dict describes a function, unless its type says that it is something else."""


def bound_tool(tool: ToolLike, *, strict: bool | None = None) -> JsonTool:
    """The tool as JSON. `strict` (None: not said) is whether a function's arguments must follow its schema exactly;
    what is no function does not know the word. A tool that is bound already stays as it is.

    Raises `ArgumentError` for what is no tool.
    """
    given: Any = tool
    if isinstance(tool, Mapping):
        if not _is_function(tool):
            return dict(tool)
        given = {key: value for key, value in tool.items() if key != "type"}
        given = given.get(_FUNCTION) or given
    try:
        made: JsonTool = to_json_tool(given, strict=strict)
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"this is no tool: {error}") from error
    cache = _cache(tool)
    return made if cache is None else {**made, "cache_control": cache}


def _is_function(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind == _FUNCTION:
        return True
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


def bound_choice(choice: Any, tools: Sequence[JsonTool]) -> str | dict[str, str] | None:
    """The choice as JSON: ``auto``, ``any``, ``none`` or ``{"type": "tool", "name": ...}``.

    `choice` may be one of these, ``required`` or True (both: any), the name of a tool, or a dict as the vendors' APIs
    have it; None and False say nothing. Raises `ArgumentError` for a tool that is not there, naming the nearest.
    """
    if isinstance(choice, Mapping):
        function = choice.get(_FUNCTION)
        named = function if isinstance(function, Mapping) else choice
        name = named.get("name")
        return _named(name, tools) if name else bound_choice(choice.get("type"), tools)
    if choice is None or choice is False:
        return None
    if choice is True or choice == "required":
        return "any"
    return choice if choice in ("auto", "any", "none") else _named(choice, tools)


def _named(name: Any, tools: Sequence[JsonTool]) -> dict[str, str]:
    functions = [tool[_FUNCTION]["name"] for tool in tools if isinstance(tool.get(_FUNCTION), dict)]
    others = [tool["name"] for tool in tools if isinstance(tool.get("name"), str)]
    known = [*functions, *others]
    if not isinstance(name, str) or (known and name not in known):
        raise ArgumentError(f"tool_choice names no tool: {name!r}{nearest(str(name), known, all_of=True)}")
    return {"type": "tool", "name": name}


def to_choice(choice: Any, tools: Sequence[JsonTool]) -> ToolChoice | None:
    """Our type for a choice, bound or not."""
    made = bound_choice(choice, tools)
    if made is None:
        return None
    return ToolChoice(made) if isinstance(made, str) else ToolChoice("named", made["name"])
