"""Arguments that `chat` and `explain` share, and what they mean for a call."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from ai_protocol_runtime.client import AIClient
from ai_protocol_runtime.types import Message, Text, Tool
from ai_protocol_runtime.types.errors import ArgumentError

_SIGNATURE = re.compile(r"\s*([\w.:-]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_SHORT = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="provider/model, for example simulator/echo")
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", help="what to say")
    parser.add_argument("--protocol", metavar="NAME", help="one of the provider's wire formats (default: its first)")
    parser.add_argument("--base-url", metavar="URL", help="another server than the manifest's")
    parser.add_argument("--manifests", metavar="FOLDER", help="manifests of your own, read before all others")
    parser.add_argument("--system", metavar="TEXT", help="a system message")
    parser.add_argument("--max-tokens", metavar="N", type=int, help="the most tokens to answer with")
    parser.add_argument("--temperature", metavar="T", type=float, help="how freely to choose, from 0 on")
    parser.add_argument(
        "--reasoning", metavar="HOW", type=_reasoning, help="an effort (low, high ...) or a budget in tokens"
    )


def client(options: argparse.Namespace) -> AIClient:
    return AIClient(options.model, protocol=options.protocol, base_url=options.base_url, manifests=options.manifests)


def params(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of the call, as far as they were given."""
    said = {name: getattr(options, name) for name in ("max_tokens", "temperature", "reasoning")}
    return {name: value for name, value in said.items() if value is not None}


def opening(options: argparse.Namespace) -> list[Message]:
    """The messages before the user's first."""
    return [Message("system", [Text(options.system)])] if options.system else []


def user(text: str) -> Message:
    return Message("user", [Text(text)])


def tool(text: str) -> Tool:
    """``get_weather(city: string, days: integer)``, or the JSON of name, description and parameters."""
    if text.lstrip().startswith("{"):
        try:
            fields = json.loads(text)
            return Tool(**fields)
        except (ValueError, TypeError) as error:
            raise ArgumentError(f"--tool: {error}") from None
    found = _SIGNATURE.fullmatch(text)
    if found is None:
        raise ArgumentError(f"--tool: {text!r} is not of the form name(parameter: type, ...)")
    properties = dict(_parameter(word) for word in (found[2] or "").split(",") if word.strip())
    return Tool(found[1], None, {"type": "object", "properties": properties, "required": list(properties)})


def _parameter(text: str) -> tuple[str, dict[str, str]]:
    name, _, kind = (word.strip() for word in text.partition(":"))
    kind = _SHORT.get(kind, kind or "string")
    if kind not in _TYPES:
        raise ArgumentError(f"--tool: {kind!r} is no type; there are {', '.join(_TYPES)}")
    return name, {"type": kind}


def _reasoning(text: str) -> str | int:
    return int(text) if text.isdigit() else text
