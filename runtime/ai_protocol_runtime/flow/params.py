"""Keyword arguments of a call -> a `Request`, and how to send it. What does not fit is an error that says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ai_protocol_runtime.manifest.validation import nearest
from ai_protocol_runtime.types import (
    EmbeddingInput,
    EmbeddingRequest,
    Message,
    RankDocument,
    RankRequest,
    Raw,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolChoice,
)
from ai_protocol_runtime.types.errors import ArgumentError

ON_UNSUPPORTED = ("warn", "error", "drop")

Check: TypeAlias = Callable[[str, Any], Any]
"""From an argument's name and value to the value as a request has it; an `ArgumentError` for one that does not fit."""


@dataclass(slots=True)
class Options:
    """How one call is sent, as far as it is said for this call alone; None keeps what the client says."""

    headers: dict[str, str] | None = field(default=None, repr=False)
    extra_body: dict[str, Any] | None = None
    timeout: Any = None
    max_retries: int | None = None
    on_unsupported: str | None = None


def read_params(asked: Request | str | list[Message], params: Mapping[str, Any]) -> tuple[Request, Options]:
    """What is asked (a text, messages or a whole request) with the arguments laid over it.

    An argument has the name of a field of `Request`; `reasoning` (an effort word, a budget in tokens, a bool, or a dict
    of ``effort``, ``budget``, ``summary`` and ``include``) stands for its five fields on reasoning; and the fields of
    `Options` are arguments too. None means "not said". The request is one of its own: the caller's is left as it is.

    Raises `ArgumentError` for an argument nobody knows, naming the nearest, and for one of the wrong type.
    """
    said, how = _checked(params, _FIELDS)
    if "reasoning" in said:
        said |= said.pop("reasoning") or dict.fromkeys(_ON_REASONING)
    if said.get("tools", ...) is None:
        said["tools"] = []
    return _request(asked, said), how


def read_embedding(
    inputs: str | Sequence[str | EmbeddingInput] | EmbeddingRequest, params: Mapping[str, Any]
) -> tuple[EmbeddingRequest, Options]:
    """What is to be embedded (texts, inputs of several parts, or a whole request), with the arguments laid over it: the
    fields of `EmbeddingRequest` and of `Options`. Raises `ArgumentError` as `read_params` does."""
    said, how = _checked(params, _EMBEDDING)
    if isinstance(inputs, EmbeddingRequest):
        return replace(inputs, **said), how
    inputs = [inputs] if isinstance(inputs, str | EmbeddingInput) else inputs
    if not isinstance(inputs, Sequence) or not all(isinstance(one, str | EmbeddingInput) for one in inputs):
        raise _wrong("inputs", inputs, "a text, a list of texts or of EmbeddingInput, or an EmbeddingRequest")
    asked = [EmbeddingInput([Text(one)]) if isinstance(one, str) else one for one in inputs]
    return EmbeddingRequest(inputs=asked, **said), how


def read_ranking(
    query: str | RankRequest, documents: Sequence[str | RankDocument], params: Mapping[str, Any]
) -> tuple[RankRequest, Options]:
    """What is to be ranked (or a whole request, instead of the query), with the arguments laid over it: the fields of
    `RankRequest` and of `Options`. Raises `ArgumentError` as `read_params` does."""
    said, how = _checked(params, _RANKING)
    if isinstance(query, RankRequest):
        return replace(query, **said), how
    if not isinstance(query, str):
        raise _wrong("query", query, "a text, or a RankRequest")
    many = isinstance(documents, Sequence) and not isinstance(documents, str)
    if not many or not all(isinstance(one, str | RankDocument) for one in documents):
        raise _wrong("documents", documents, "a list of texts or of RankDocument")
    asked = [RankDocument(one) if isinstance(one, str) else one for one in documents]
    return RankRequest(query=query, documents=asked, **said), how


def _checked(params: Mapping[str, Any], fields: Mapping[str, Check]) -> tuple[dict[str, Any], Options]:
    """The arguments that are fields of a request, and those that are options. None means "not said"."""
    said: dict[str, Any] = {}
    how = Options()
    for name, value in params.items():
        if name in _OPTIONS:
            setattr(how, name, None if value is None else _OPTIONS[name](name, value))
        elif name in fields:
            said[name] = None if value is None else fields[name](name, value)
        else:
            known = sorted((*fields, *_OPTIONS))
            raise ArgumentError(f"there is no argument {name!r}{nearest(name, known, all_of=True)}")
    return said, how


def _request(asked: Request | str | list[Message], said: dict[str, Any]) -> Request:
    if isinstance(asked, Request):
        return replace(asked, **said)
    if isinstance(asked, str):
        return Request(messages=[Message("user", [Text(asked)])], **said)
    if isinstance(asked, list | tuple) and all(isinstance(message, Message) for message in asked):
        return Request(messages=list(asked), **said)
    raise _wrong("request", asked, "a text, a list of Message, or a Request")


def _wrong(name: str, value: Any, wanted: str) -> ArgumentError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return ArgumentError(f"{name} must be {wanted}, not {shown} ({type(value).__name__})")


def _number(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(name, value, "a number")
    return value


def _count(least: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _wrong(name, value, f"a whole number from {least}")
        return value

    return check


def _of(kind: type, wanted: str) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _wrong(name, value, wanted)
        return value

    return check


def _list_of(kinds: tuple[type, ...], wanted: str) -> Callable[[str, Any], list[Any]]:
    def check(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list | tuple) or not all(isinstance(item, kinds) for item in value):
            raise _wrong(name, value, wanted)
        return list(value)

    return check


def _word_of(*words: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in words:
            raise _wrong(name, value, " or ".join(repr(word) for word in words))
        return str(value)

    return check


def _stop(name: str, value: Any) -> list[str]:
    return [value] if isinstance(value, str) else _list_of((str,), "a text or a list of texts")(name, value)


def _tool_choice(name: str, value: Any) -> ToolChoice | Raw:
    if isinstance(value, ToolChoice | Raw):
        return value
    if not isinstance(value, str):
        raise _wrong(name, value, "'auto', 'any', 'none', the name of a tool, or a ToolChoice")
    return ToolChoice(value) if value in ("auto", "any", "none") else ToolChoice("named", name=value)


def _format(name: str, value: Any) -> ResponseFormat:
    if isinstance(value, ResponseFormat):
        return value
    if isinstance(value, dict):
        title = value.get("title")
        return ResponseFormat("schema", name=title if isinstance(title, str) else "answer", schema=value)
    return ResponseFormat(_word_of("plain", "json")(name, value))


def _headers(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        # The value is not shown: headers hold keys.
        raise ArgumentError(f"{name} must be a dict of texts, not a {type(value).__name__} of other things")
    return {key.lower(): text for key, text in value.items()}


def _reasoning(name: str, value: Any) -> dict[str, Any]:
    said: dict[str, Any] = dict.fromkeys(_ON_REASONING)
    match value:
        case bool():
            said["thinking"] = "enabled" if value else "disabled"
        case str():
            said["effort"] = value
        case int():
            said["reasoning_budget"] = _count(0)(name, value)
        case dict():
            for key, part in value.items():
                if key not in _REASONING:
                    raise ArgumentError(f"reasoning has no key {key!r}{nearest(str(key), _REASONING, all_of=True)}")
                said |= {} if part is None else _REASONING[key](f"reasoning[{key!r}]", part)
        case _:
            raise _wrong(name, value, "an effort word, a number of tokens, a bool or a dict")
    return said


_TEXT, _BOOL, _TEXTS = _of(str, "a text"), _of(bool, "True or False"), _list_of((str,), "a list of texts")

_ON_REASONING = ("thinking", "effort", "reasoning_budget", "include_thoughts", "reasoning_summary")
_REASONING: dict[str, Check] = {
    "effort": lambda name, value: {"effort": _TEXT(name, value)},
    "budget": lambda name, value: {"reasoning_budget": _count(0)(name, value)},
    "summary": lambda name, value: {"reasoning_summary": _TEXT(name, value)},
    "include": lambda name, value: {"include_thoughts": _BOOL(name, value)},
}

_OPTIONS: dict[str, Check] = {
    "headers": _headers,
    "extra_body": _of(dict, "a dict"),
    "timeout": lambda name, value: value,
    "max_retries": _count(0),
    "on_unsupported": _word_of(*ON_UNSUPPORTED),
}

_FIELDS: dict[str, Check] = {
    "model": _TEXT,
    "tools": _list_of((Tool, Raw), "a list of Tool"),
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _BOOL,
    "format": _format,
    "temperature": _number,
    "top_p": _number,
    "top_k": _count(0),
    "max_tokens": _count(1),
    "stop": _stop,
    "seed": _of(int, "a whole number"),
    "n": _count(1),
    "reasoning": _reasoning,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "logprobs": _BOOL,
    "top_logprobs": _count(0),
    "verbosity": _TEXT,
    "service_tier": _TEXT,
    "store": _BOOL,
    "include": _TEXTS,
    "user": _TEXT,
    "metadata": _of(dict, "a dict"),
    "modalities": _TEXTS,
    "previous_id": _TEXT,
}

positive: Check = _count(1)
"""A whole number from 1."""

_EMBEDDING: dict[str, Check] = {
    "model": _TEXT,
    "input_type": _TEXT,
    "dimensions": _count(1),
    "encoding": _word_of("float", "base64"),
    "truncate": _BOOL,
    "user": _TEXT,
}

_RANKING: dict[str, Check] = {"model": _TEXT, "top_n": _count(1), "max_tokens": _count(1), "truncate": _BOOL}

ARGUMENTS = frozenset((*_FIELDS, *_OPTIONS))
"""The names `read_params` knows."""
