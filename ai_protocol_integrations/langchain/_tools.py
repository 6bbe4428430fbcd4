"""Tools: whatever LangChain takes for one -> JSON that can be bound.

Bound tools are JSON, because LangChain shows, traces and caches what is bound: a function in the form that LangChain's
own tests and tracers know, and a provider's own tool (a web search, say) exactly as it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool as to_json_tool

from ai_protocol_integrations._schemas import is_recursive, own_schema
from ai_protocol_integrations._tools import FUNCTION, JsonTool
from ai_protocol_runtime.types.errors import ArgumentError

ToolLike = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
"""What may be given as a tool: a function, a pydantic or TypedDict class, a LangChain tool, or a dict."""

_DESCRIBED = ("name", "title", "parameters", "input_schema", "properties", "toolSpec")
"""Keys by which a dict describes a function, unless its type says that it is something else."""
_KNOWN = {"type", "name", "description", "input_schema", "strict", "cache_control"}


def bound_tool(tool: ToolLike, *, strict: bool | None = None) -> JsonTool:
    """The tool as JSON. `strict` (None: not said) is whether a function's arguments must follow its schema exactly;
    what is no function does not know the word. A tool that is bound already stays as it is.

    Raises `ArgumentError` for what is no tool.
    """
    given: Any = tool
    if isinstance(tool, Mapping):
        if not _is_function(tool):
            return dict(tool)
        named = tool.get("type") in (FUNCTION, "custom")  # otherwise the type is the schema's own
        given = tool.get(FUNCTION) or {key: value for key, value in tool.items() if not named or key != "type"}
    try:
        made: JsonTool = to_json_tool(given, strict=strict)
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"this is no tool: {error}") from error
    own = own_schema(tool)
    if own is not None and is_recursive(own):  # LangChain cuts such a schema off where it comes back to itself
        made[FUNCTION]["parameters"] = {key: own[key] for key in own if key not in ("title", "description")}
    cache = _cache(tool)
    return made if cache is None else {**made, "cache_control": cache}


def _is_function(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind == FUNCTION:
        return True
    if "input_schema" in tool and not tool.keys() <= _KNOWN:  # it says what only its vendor understands
        return False
    if kind == "custom":  # a function by another word, or a tool that takes free text
        return "input_schema" in tool
    return kind in (None, "object") and any(key in tool for key in _DESCRIBED)


def _cache(tool: ToolLike) -> Any:
    said = tool if isinstance(tool, Mapping) else getattr(tool, "extras", None) or {}
    return said.get("cache_control")
