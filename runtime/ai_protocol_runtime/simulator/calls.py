"""Which of the offered tools a simulated model calls, and with what."""

from __future__ import annotations

import json
import re

from ai_protocol_runtime.types import Request, Tool, ToolCall, ToolChoice, ToolResult

from .hints import mentioned, words
from .history import news
from .schema import Unsatisfiable, example


def calls_for(request: Request, asked: str) -> list[ToolCall]:
    """The calls to make, without ids.

    A forced tool is always called. Where the choice is free, tools are called when a user's turn has come and no result
    has come with it. Which: those that the text names, one call each (``f(1) and f(2)`` are two), else the one whose
    name shares most words with the text, else the first.
    """
    choice = request.tool_choice if isinstance(request.tool_choice, ToolChoice) else None
    kind = choice.kind if choice else "auto"
    tools = [tool for tool in request.tools if isinstance(tool, Tool)]
    if choice and kind == "named":
        return [
            ToolCall(name=tool.name, arguments=_arguments(tool, asked)) for tool in tools if tool.name == choice.name
        ]
    if choice and kind == "allowed":
        tools = [tool for tool in tools if tool.name in (choice.names or ())]
    if not tools or kind == "none" or (kind != "any" and not _users_turn(request)):
        return []
    named = sorted((at, tool) for tool in tools for at in _mentions(tool.name, asked))
    if not named:
        likely = max(tools, key=lambda tool: _shared(tool, asked))
        return [ToolCall(name=likely.name, arguments=_arguments(likely, asked))]
    # What a call is about stands after its name; what stands before the first name may concern them all.
    ends = [at for at, _ in named[1:]] + [len(asked)]
    before = asked[: named[0][0]]
    calls = [
        ToolCall(name=tool.name, arguments=_arguments(tool, f"{asked[at:end]}\n{before}"))
        for (at, tool), end in zip(named, ends, strict=True)
    ]
    return calls[:1] if request.parallel_tool_calls is False else calls


def _users_turn(request: Request) -> bool:
    turn = news(request)
    results = any(isinstance(part, ToolResult) for message in turn for part in message.parts)
    return not results and any(message.role == "user" for message in turn)


def _mentions(name: str, text: str) -> list[int]:
    calls = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(name)}\(", text)]
    first = mentioned(name, text)
    return calls or ([] if first is None else [first])


def _shared(tool: Tool, text: str) -> int:
    return sum(mentioned(word, text) is not None for word in words(tool.name))


def _arguments(tool: Tool, prompt: str) -> str:
    try:
        value = example(tool.parameters or {"type": "object"}, prompt)
    except Unsatisfiable:
        value = {}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
