"""Tools and the choice among them, as JSON in OpenAI's form -> our types.

A provider's own tool (a web search, say) is JSON of any other form, and goes out exactly as it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import Raw, Tool, ToolChoice
from ai_protocol_runtime.types.errors import ArgumentError

JsonTool: TypeAlias = dict[str, Any]

FUNCTION = "function"
_WORDS = ("auto", "any", "none")


def to_tool(tool: JsonTool) -> Tool | Raw:
    """Our type for a tool; a provider's own goes out as it is."""
    function = tool.get(FUNCTION)
    if tool.get("type") != FUNCTION or not isinstance(function, dict):
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
    functions = [tool[FUNCTION]["name"] for tool in tools if isinstance(tool.get(FUNCTION), dict)]
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
