"""LlamaIndex's tools -> JSON that can be shown and traced, and answers -> the calls that are to be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool

from ai_protocol_integrations._growing import PartialObjects
from ai_protocol_runtime.types.errors import ArgumentError

from ._inputs import listed_calls
from .errors import OutputError

_growing = PartialObjects()
"""Agents ask for the calls with every piece of a stream: what was read of them is not read again."""

_NONE_CAME = "Expected at least one tool call, but got 0 tool calls."  # LlamaIndex's own words


def json_tool(tool: BaseTool | Mapping[str, Any], *, strict: bool | None = None) -> dict[str, Any]:
    """A tool in OpenAI's form; a dict, such as a provider's own tool, stays as it is. `strict`: whether arguments must
    follow the schema exactly (None: not said). Raises `ArgumentError` for what is no tool."""
    if isinstance(tool, Mapping):
        return dict(tool)
    if not isinstance(tool, BaseTool):
        raise ArgumentError(f"this is no tool: {tool!r}; wrap a function with FunctionTool.from_defaults")
    made: dict[str, Any] = tool.metadata.to_openai_tool(skip_length_check=True)
    if strict is not None:
        made["function"]["strict"] = strict
    return made


def selections(response: ChatResponse) -> list[ToolSelection]:
    """The calls of an answer; of one that is still coming, as far as it has come.

    Raises `OutputError` for a finished answer in which the arguments of a call are no JSON object: half a call must not
    be made, nor one without its arguments.
    """
    message = response.message
    for call in message.additional_kwargs.get("invalid_tool_calls") or ():
        said = f"the model's call of {call.get('name')} cannot be made, because {call.get('error')}"
        if isinstance(response.raw, dict) and response.raw.get("finish_reason") == "length":
            said += " (the answer was cut off at max_tokens)"
        raise OutputError(said, call.get("args"))
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks:
        blocks = listed_calls(message)
    return [
        ToolSelection(
            tool_id=block.tool_call_id or "",
            tool_name=block.tool_name,
            tool_kwargs=_arguments(block, number),
        )
        for number, block in enumerate(blocks)
    ]


def _arguments(block: ToolCallBlock, number: int) -> dict[str, Any]:
    if isinstance(block.tool_kwargs, str):
        return _growing.read(f"{block.tool_call_id}/{block.tool_name}/{number}", block.tool_kwargs)
    return block.tool_kwargs


def expected(found: list[ToolSelection], response: ChatResponse) -> list[ToolSelection]:
    """The calls, of which there has to be one. Raises `OutputError`."""
    if not found:
        raise OutputError(_NONE_CAME, response.message.content)
    return found


def only_first(response: ChatResponse) -> ChatResponse:
    """The answer with the first of its calls; the others are named in ``additional_kwargs["dropped_tool_calls"]``, and
    are not sent back, since they will have no results."""
    message = response.message
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if len(calls) < 2:
        return response
    others = calls[1:]
    more = dict(message.additional_kwargs)
    listed = more.get("tool_calls") or []
    more["tool_calls"] = listed[:1]
    blocks = [block for block in message.blocks if block not in others]
    kept = message.model_copy(update={"blocks": blocks, "additional_kwargs": more})
    dropped = {"dropped_tool_calls": listed[1:]}
    additional = {**response.additional_kwargs, **dropped}
    return response.model_copy(update={"message": kept, "additional_kwargs": additional})
