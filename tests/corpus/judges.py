"""The official SDKs as judges: what their own types say of a request, a whole answer or one event of a stream.

Their types are taken as they are, with two things made plain: iterables are validated at once, like lists (pydantic
would only look at them when they are read), and JSON is read strictly (``"1"`` is no number). Beside the types stand
the rules that the services enforce and no type can say.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

import anthropic.types
import openai.types.chat
import openai.types.chat.completion_create_params
import openai.types.responses
import openai.types.responses.response_create_params
from google.genai import types as genai
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from .sameness import Path, canonical

_REQUESTS: dict[str, Any] = {
    "anthropic-messages": anthropic.types.MessageCreateParams,
    "openai-chat": openai.types.chat.completion_create_params.CompletionCreateParams,
    "openai-responses": openai.types.responses.response_create_params.ResponseCreateParams,
}
_ANSWERS: dict[str, Any] = {
    "anthropic-messages": anthropic.types.Message,
    "openai-chat": openai.types.chat.ChatCompletion,
    "openai-responses": openai.types.responses.Response,
    "gemini-generate": genai.GenerateContentResponse,
}
_EVENTS: dict[str, Any] = {
    "anthropic-messages": anthropic.types.RawMessageStreamEvent,
    "openai-chat": openai.types.chat.ChatCompletionChunk,
    "openai-responses": openai.types.responses.ResponseStreamEvent,
    "gemini-generate": genai.GenerateContentResponse,
}


def _eager(schema: Any) -> Any:
    """A core schema in which an iterable is a list."""
    if isinstance(schema, dict):
        now = {key: _eager(value) for key, value in schema.items()}
        return {**now, "type": "list"} if now.get("type") == "generator" else now
    if isinstance(schema, (list, tuple)):
        return type(schema)(_eager(value) for value in schema)
    return schema


@cache
def _validator(annotation: Any) -> SchemaValidator | TypeAdapter[Any]:
    """Of a request's dictionary; the models of answers have no iterables, and are taken as they are."""
    adapter = TypeAdapter(annotation)
    return SchemaValidator(_eager(adapter.core_schema)) if annotation in _REQUESTS.values() else adapter


def _place(loc: tuple[str | int, ...], value: Any) -> Path:
    """Where in the JSON an error is: its location without the names of types that pydantic puts in between."""
    path: list[str | int] = []
    step: Any
    for number, step in enumerate(loc):
        held = isinstance(value, dict) and isinstance(step, str)
        if (held and step in value) or (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            value = value[step]
        elif held and number == len(loc) - 1:
            value = None  # a key that is not there
        else:
            continue
        path.append(step)
    return tuple(path)


_MARKS = (("type",), ("role",), ("stream",), ("object",))


def _said(error: ValidationError, value: Any, at: str = "") -> list[str]:
    """What is wrong, in few words. Of a union's many complaints only those of the alternatives whose own `type`,
    `role` ... fit, and of those only the deepest; where no alternative fits, that."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    marks = {e["loc"] for e in errors if e["type"] in ("literal_error", "missing") and e["loc"][-1:] in _MARKS}
    others = {mark[:-1] for mark in marks if len(mark) > 1}

    def elsewhere(loc: tuple[str | int, ...]) -> bool:
        return any(loc[:n] in others for n in range(1, len(loc)))

    fitting = [e for e in errors if not elsewhere(e["loc"])]
    placed = [(_place(e["loc"], value), e["msg"]) for e in fitting]
    deepest = max((len(path) for path, _ in placed), default=-1)
    unknown = [path for m in marks if not elsewhere(m[:-1]) and len(path := _place(m, value)) > deepest]
    if unknown:
        deepest = max(map(len, unknown))
        placed = [(path, f"no alternative fits {_at(value, path)!r}") for path in unknown]
    texts = []
    for path, message in placed:
        if len(path) == deepest:
            where = at + "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
            texts.append(f"{where.removeprefix('.')}: {message[:120]}")
    return list(dict.fromkeys(texts))[:4]


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def _typed(annotation: Any, value: Any, at: str = "") -> tuple[list[str], Any]:
    """The complaints, and what the type made of the value."""
    try:
        return [], _validator(annotation).validate_json(canonical(value), strict=True)
    except ValidationError as error:
        return _said(error, value, at), None


def _strays(value: Any, made: Any, at: str = "") -> Iterator[str]:
    """Keys that the types do not know: those that they dropped, or kept as extra."""
    if isinstance(made, BaseModel):
        for name in made.model_extra or ():
            yield f"{at}.{name}".removeprefix(".")
        by_alias = {f.alias or name: name for name, f in type(made).model_fields.items()}
        made = {key: getattr(made, name) for key, name in by_alias.items() if name in made.model_fields_set}
    if isinstance(value, dict) and isinstance(made, dict):
        for key, inner in value.items():
            if key in made:
                yield from _strays(inner, made[key], f"{at}.{key}")
            elif not isinstance(made, BaseModel):
                yield f"{at}.{key}".removeprefix(".")
    elif isinstance(value, list) and isinstance(made, list):
        for one, other in zip(value, made, strict=False):
            yield from _strays(one, other, f"{at}[]")


def strays(wire: str, body: dict[str, Any]) -> list[str]:
    """Keys of a request that the SDK's types do not know (Google's types forbid them, so that it has none)."""
    if wire == "gemini-generate":
        return []
    problems, made = _typed(_REQUESTS[wire], body)
    return [] if problems else list(dict.fromkeys(_strays(body, made)))


# requests


def request_problems(wire: str, body: dict[str, Any]) -> list[str]:
    """What the SDK's types, and the rules no type can say, have against a request."""
    return type_problems(wire, body) or broken_rules(wire, body)


def type_problems(wire: str, body: dict[str, Any]) -> list[str]:
    return _gemini_types(body) if wire == "gemini-generate" else _typed(_REQUESTS[wire], body)[0]


def broken_rules(wire: str, body: dict[str, Any]) -> list[str]:
    """The rules alone, for a body that the types take."""
    return list(dict.fromkeys(_RULES[wire](body)))


_GEMINI_TOP = {
    "contents": list[genai.Content],
    "systemInstruction": genai.Content,
    "tools": list[genai.Tool],
    "toolConfig": genai.ToolConfig,
    "safetySettings": list[genai.SafetySetting],
    "cachedContent": str,
    "labels": dict[str, str],
    "serviceTier": str,
    "model": str,
    "modelArmorConfig": genai.ModelArmorConfig,
}


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(word.title() for word in rest)


def _gemini_types(body: dict[str, Any]) -> list[str]:
    """The REST body by the SDK's types: its `generationConfig` is spread over the SDK's configuration."""
    problems = [] if "contents" in body else ["contents: Field required"]
    for key, value in body.items():
        name = _camel(key)
        if name == "generationConfig":
            problems += _generation(dict(value))
        elif name not in _GEMINI_TOP:
            problems.append(f"{name}: there is no such key")
        elif value is not None:
            problems += _google(_GEMINI_TOP[name], value, name)
    return problems


def _generation(config: dict[str, Any]) -> list[str]:
    schema = config.pop("responseSchema", config.pop("response_schema", None))
    problems = [] if schema is None else _google(genai.Schema, schema, "generationConfig.responseSchema")
    own = {key for key in config if _camel(key) in _GEMINI_TOP}
    problems += [f"generationConfig.{key}: there is no such key" for key in own]
    return problems + _google(genai.GenerateContentConfig, config, "generationConfig")


def _google(annotation: Any, value: Any, at: str) -> list[str]:
    """Google's enums take any word and warn: here that is a complaint."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _adapter(annotation).validate_json(canonical(value))
        except ValidationError as error:
            return _said(error, value, at)
        except AttributeError as error:  # its enums want words
            return [f"{at}: {error}"]
    return list(dict.fromkeys(f"{at}: {w.message}" for w in caught if "is not a valid" in str(w.message)))


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


# answers and events


def answer_problems(wire: str, body: dict[str, Any]) -> list[str]:
    """What the SDK's types have against a whole answer."""
    return _google(_ANSWERS[wire], body, "") if wire == "gemini-generate" else _typed(_ANSWERS[wire], body)[0]


def event_problems(wire: str, event: Any) -> list[str]:
    """What the SDK's types have against one event of a stream."""
    return _google(_EVENTS[wire], event, "") if wire == "gemini-generate" else _typed(_EVENTS[wire], event)[0]


# rules that no type can say


_ID = re.compile("[a-zA-Z0-9_-]+")


def _anthropic_rules(body: dict[str, Any]) -> Iterator[str]:
    messages = body["messages"]
    if not messages:
        yield "messages: there is none"
    system = body.get("system")
    if isinstance(system, list) and any(block.get("text") == "" for block in system):
        yield "system: a text is empty"
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        last_word = number == len(messages) - 1 and message["role"] == "assistant"
        if not blocks and not last_word:
            yield "messages[].content: it is empty"
        if any(b["type"] == "text" and b["text"] == "" for b in blocks) and not last_word:
            yield "messages[].content: a text is empty"
        results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if set(results) - open_calls:
            yield "messages[].content: a tool_result without its tool_use in the message before"
        if open_calls - set(results):
            yield "messages[].content: a tool_use without its tool_result in the message after"
        if not all(_ID.fullmatch(b["id"]) for b in blocks if b["type"] == "tool_use"):
            yield "messages[].content[].id: only letters, digits, _ and -"
        kinds = [b["type"] for b in blocks]
        if "tool_result" in kinds[len(results) :]:
            yield "messages[].content: a tool_result after other content"
        open_calls = {b["id"] for b in blocks if b["type"] == "tool_use"}


def _chat_rules(body: dict[str, Any]) -> Iterator[str]:
    open_calls: set[Any] = set()
    if not body["messages"]:
        yield "messages: there is none"
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield "messages[]: a tool message without its call before"
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            yield "messages[].tool_calls: a call without its tool message after"
        calls = message.get("tool_calls") or []
        open_calls = {call["id"] for call in calls}
        if "" in open_calls or len(open_calls) < len(calls):
            yield "messages[].tool_calls: calls without ids of their own"
        saying = [message.get(key) for key in ("content", "refusal", "audio", "function_call", "tool_calls")]
        if message.get("content") == [] or all(value is None for value in saying):
            yield "messages[]: it says nothing"


def _responses_rules(body: dict[str, Any]) -> Iterator[str]:
    items = body.get("input") or []
    if isinstance(items, str):
        return
    if not items and not body.get("prompt") and not body.get("previous_response_id"):
        yield "input: there is none"
    earlier = body.get("previous_response_id") or body.get("conversation")
    calls = [i["call_id"] for i in items if i.get("type") == "function_call"]
    others = [i.get("call_id") for i in items if i.get("type", "").endswith("_call")]
    results = [i["call_id"] for i in items if i.get("type") == "function_call_output"]
    if set(results) - {*calls, *others} and not earlier:
        yield "input[]: a function_call_output without its function_call"
    if set(calls) - set(results):
        yield "input[]: a function_call without its function_call_output"
    if len(set(calls)) < len(calls) or "" in calls:
        yield "input[]: calls without ids of their own"
    if any(item.get("content") == [] for item in items if item.get("type", "message") == "message"):
        yield "input[].content: it is empty"


def _gemini_rules(body: dict[str, Any]) -> Iterator[str]:
    contents = body["contents"]
    if not contents:
        yield "contents: there is none"
    for content in contents:
        if content.get("role") not in ("user", "model", "function", None):
            yield f"contents[].role: there is no {content['role']}"
        if not content.get("parts"):
            yield "contents[].parts: there is none"
    for before, turn, parts in _gemini_turns(contents):
        if any(not part for part in parts):
            yield "contents[].parts[]: it is empty"
        called = [name for p in before if (name := _named(p, "functionCall", "function_call")) is not None]
        answered = [name for p in parts if (name := _named(p, "functionResponse", "function_response")) is not None]
        if turn != "model" and sorted(called) != sorted(answered):
            yield "contents[].parts[].functionResponse: not one for each functionCall of the turn before"


def _gemini_turns(contents: list[Any]) -> Iterator[tuple[list[Any], str, list[Any]]]:
    """The parts of each turn with those of the turn before; neighbours of one role are one turn."""
    before: list[Any] = []
    for model, group in groupby(contents, key=lambda content: content.get("role") == "model"):
        parts = [part for content in group for part in content.get("parts") or []]
        yield before, "model" if model else "user", parts
        before = parts


def _named(part: dict[str, Any], *keys: str) -> str | None:
    return next((part[key].get("name", "") for key in keys if key in part), None)


_RULES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "anthropic-messages": _anthropic_rules,
    "openai-chat": _chat_rules,
    "openai-responses": _responses_rules,
    "gemini-generate": _gemini_rules,
}
