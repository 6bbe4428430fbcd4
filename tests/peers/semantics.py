"""When two request bodies say the same: by wire, what the API's page has as another spelling or as the default."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .recording import Asked

Json = dict[str, Any]
ABSENT = "(absent)"


def said(wire: str, asked: Asked) -> Json:
    """The body in one spelling, with what the path says."""
    url = urlsplit(asked.path)
    body = _CANONICAL[wire](json.loads(json.dumps(asked.body)))
    if len(body.get("tools", ())) == 1 and "tool_choice" in body:
        body["tool_choice"] = _only_tool(body["tool_choice"])
    return body | {"path": url.path, "query": parse_qs(url.query)}


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """`(path, theirs, ours)` wherever they are not equal, as deep down as they can be compared."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            yield from differences(theirs.get(key, ABSENT), ours.get(key, ABSENT), f"{path}/{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(one, other, f"{path}/{number}")
    elif theirs != ours or isinstance(theirs, bool) is not isinstance(ours, bool):
        yield path, theirs, ours


def _without(thing: Json, **defaults: Any) -> Json:
    """`thing` without what only repeats a default; null is one everywhere."""
    return {key: value for key, value in thing.items() if value is not None and defaults.get(key, ...) != value}


def _only_tool(choice: Any) -> Any:
    """To call the one tool there is, or any: the same."""
    if choice == "required":
        return {"type": "any"}
    if isinstance(choice, dict) and choice.get("type") in ("function", "tool"):
        return {key: value for key, value in choice.items() if key not in ("name", "function")} | {"type": "any"}
    return choice


def _texts(content: Any, kind: str = "text") -> Any:
    """A text is a list of one part; no text is no part."""
    return [{"type": kind, "text": content}] if isinstance(content, str) and content else content or []


def _chat(body: Json) -> Json:
    body = _without(body, stream=False)
    if "max_tokens" in body:  # deprecated in favour of the other
        body["max_completion_tokens"] = body.pop("max_tokens")
    body["messages"] = [_chat_message(message) for message in body["messages"]]
    return body


def _chat_message(message: Json) -> Json:
    message = _without(message)
    message["content"] = _texts(message.get("content"))
    for call in message.get("tool_calls", ()):
        call["function"]["arguments"] = _arguments(call["function"]["arguments"])
    return message


def _arguments(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _responses(body: Json) -> Json:
    body = _without(body, stream=False)
    body["input"] = [_item(item) for item in body["input"]]
    return body


def _item(item: Json) -> Json:
    """`status` and `type` may be left out of what is sent in, as may empty annotations."""
    item = _without({key: value for key, value in item.items() if key != "status"}, type="message")
    if "role" in item:
        item["content"] = _texts(item["content"], "output_text" if item["role"] == "assistant" else "input_text")
        item["content"] = [_without(part, annotations=[], detail="auto") for part in item["content"]]
    if isinstance(item.get("output"), str | list):
        item["output"] = [_without(part, detail="auto") for part in _texts(item["output"], "input_text")]
    if "arguments" in item:
        item["arguments"] = _arguments(item["arguments"])
    return item


def _anthropic(body: Json) -> Json:
    body = _without(body, stream=False)
    body["messages"] = [{**message, "content": _blocks(message["content"])} for message in body["messages"]]
    if "system" in body:
        body["system"] = _blocks(body["system"])
    body["tools"] = [_without(tool, type="custom") for tool in body.get("tools", ())]
    if "tool_choice" in body:
        body["tool_choice"] = _without(body["tool_choice"], disable_parallel_tool_use=False)
    return body


def _blocks(content: Any) -> list[Json]:
    blocks = [_without(block, is_error=False) for block in _texts(content)]
    return [{**b, "content": _blocks(b.get("content"))} if b["type"] == "tool_result" else b for b in blocks]


def _gemini(body: Json) -> Json:
    body = _without(_camel(body), safetySettings=[], toolConfig={})
    body["generationConfig"] = _without(body.get("generationConfig", {}), candidateCount=1)
    thinking = body["generationConfig"].get("thinkingConfig", {})
    if "thinkingLevel" in thinking:
        thinking["thinkingLevel"] = thinking["thinkingLevel"].lower()
    body.get("systemInstruction", {}).pop("role", None)
    turns: list[Json] = []
    for content in body["contents"]:  # neighbours of one role are one turn
        parts = [_part(part) for part in content["parts"]]
        if turns and turns[-1]["role"] == content["role"]:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": content["role"], "parts": parts})
    names = []
    for tool in body.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            names.append(function["name"])
            function["parameters"] = _lower(function.pop("parametersJsonSchema", function.get("parameters")))
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if calling.get("allowedFunctionNames") == names:  # all of them is any
        del calling["allowedFunctionNames"]
    return {**body, "contents": turns}


_FREE = ("args", "response", "properties", "responseJsonSchema", "parameters", "parametersJsonSchema")


def _camel(value: Any) -> Any:
    """Keys are read in both spellings; those of programs are left as they are."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub("_(.)", lambda found: found[1].upper(), key): inner for key, inner in value.items()}
    return {key: inner if key in _FREE else _camel(inner) for key, inner in named.items()}


def _part(part: Json) -> Json:
    return {key: _without(value, args={}) if key == "functionCall" else value for key, value in part.items()}


def _lower(schema: Any) -> Any:
    """Types are written in both cases."""
    if isinstance(schema, list):
        return [_lower(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {"anyOf" if key == "any_of" else key: _lower(value) for key, value in schema.items()}
    return {**made, "type": made["type"].lower()} if isinstance(made.get("type"), str) else made


_CANONICAL: dict[str, Callable[[Json], Json]] = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _anthropic,
    "gemini-generate": _gemini,
}
