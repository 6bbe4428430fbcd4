"""Changes to JSON Schemas, at any depth, for providers that know only some of their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from . import jsontext

Change: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

_OF_SCHEMAS = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"))
_VALUES = frozenset(("default", "const", "enum", "examples"))


def changed(schema: Any, change: Change) -> Any:
    """The schema, changed; those within it first."""
    if isinstance(schema, list):
        return [changed(inner, change) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key in _OF_SCHEMAS and isinstance(value, dict):
            made[key] = {name: changed(inner, change) for name, inner in value.items()}
        else:
            made[key] = value if key in _VALUES else changed(value, change)
    return change(made)


def described(words: str) -> Change:
    """These keywords are said in the description instead; with ``... but a b`` only values other than those."""
    names, _, kept = words.partition(" but ")
    moved, known = frozenset(names.split()), frozenset(kept.split())

    def change(schema: dict[str, Any]) -> dict[str, Any]:
        said = {key: _text(value) for key, value in schema.items() if key in moved}
        said = {key: text for key, text in said.items() if text not in known}
        if not said:
            return schema
        words = "{" + ", ".join(f"{key}: {text}" for key, text in said.items()) + "}"
        before = schema.get("description")
        left = {key: value for key, value in schema.items() if key not in said}
        return {**left, "description": f"{before}\n\n{words}" if before else words}

    return change


def renamed(words: str) -> Change:
    """``a b``: the keyword `a` is called `b`."""
    old, new = words.split()
    return lambda schema: {new if key == old else key: value for key, value in schema.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else jsontext.dumps(value)
