"""JSON Schemas that answers keep to: a pydantic class or a vendor's dict -> our `ResponseFormat`, and what the answers
are checked by.

Nothing is repaired, and nothing passes that does not satisfy the schema: a provider that was asked to keep to one may
not have done so.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from pydantic import BaseModel

from ai_protocol_runtime.jsonschema import fits, resolve, types_of
from ai_protocol_runtime.types import ResponseFormat
from ai_protocol_runtime.types.errors import ArgumentError

Schema: TypeAlias = dict[str, Any]

VENDORS_FORMATS = ("text", "json_object", "json_schema")
"""The types of a vendor's dict that says in which format to answer."""

_FENCED = re.compile(r"\s*```\w*\n(.*)\n\s*```\s*", re.DOTALL)
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64

_VALUES = ("default", "const", "enum", "examples")
_SAYING = frozenset(("type", "$ref", "anyOf", "enum", "const"))
_NEVER_STRICT = frozenset(
    ("allOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "patternProperties", "prefixItems")
)

# pydantic's classes


def is_pydantic(schema: Any) -> bool:
    """Whether it is a pydantic class, of version 2 or 1."""
    old = sys.modules.get("pydantic.v1.main")  # whoever has such a class has imported it; newer Pythons warn of that
    return isinstance(schema, type) and issubclass(schema, (BaseModel, getattr(old, "BaseModel", BaseModel)))


def own_schema(schema: Any) -> Schema | None:
    """A pydantic class's own JSON Schema, None for anything else. A class that has none is pydantic's error."""
    if not is_pydantic(schema):
        return None
    made = dict(schema.model_json_schema() if issubclass(schema, BaseModel) else schema.schema())
    root = made.pop("$ref", None)
    return made if root is None else {**made, **resolve(root, made)}


def is_recursive(schema: Schema) -> bool:
    """Whether one of its definitions refers to itself, be it by way of others."""
    named: dict[str, Any] = schema.get("$defs") or schema.get("definitions") or {}
    leads = {name: {other for other in named if f'/{other}"' in json.dumps(inner)} for name, inner in named.items()}
    try:
        TopologicalSorter(leads).prepare()
    except CycleError:
        return True
    return False


# schemas -> what is asked for


def class_format(cls: type, *, strict: bool | None = None, only_strict: bool = False) -> ResponseFormat:
    """The format for objects of a pydantic class: its own schema, which allows nothing beside its fields unless it is
    said whether it is `strict`, because some providers take no other.

    With `only_strict` the model keeps to strict schemas only, so that the class has the strict form unasked, if there
    is one: what is made of the answer has every field anyway. Raises `ArgumentError` for what is no such class.
    """
    own = own_schema(cls)
    if own is None:
        raise ArgumentError(f"this is no pydantic class: {cls!r}")
    if strict is None and only_strict:
        strict = is_strict(strict_form(own)) or None
    return make_format(own.get("title") or cls.__name__, own.get("description"), own, strict, close=strict is None)


def make_format(
    name: str, description: str | None, schema: Schema, strict: bool | None = None, *, close: bool = False
) -> ResponseFormat:
    """The format for a schema: in strict form if it is to be `strict`, else as it is, but `close` its objects. The name
    gets by every provider."""
    if strict:
        schema = strict_form(schema)
    elif close:
        schema = closed(schema)
    return ResponseFormat("schema", _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME], schema, strict, description)


def json_format(made: ResponseFormat) -> dict[str, Any]:
    """A format for a schema as the JSON that `read_format` reads."""
    said = {"name": made.name, "description": made.description, "schema": made.schema, "strict": made.strict}
    return {"type": "json_schema", "json_schema": {key: value for key, value in said.items() if value is not None}}


def read_format(said: Any, *, only_strict: bool = False) -> ResponseFormat | str:
    """Our type for a vendor's dict. The objects of its schema are closed unless it says ``strict: False``, because some
    providers take no other; with `only_strict` (see `class_format`) one that is then in strict form is strict. Raises
    `ArgumentError`."""
    kind = said.get("type") if isinstance(said, Mapping) else None
    if kind == "text":
        return "plain"
    if kind == "json_object":
        return "json"
    if kind != "json_schema":
        raise ArgumentError(f"response_format must be a dict with a type, or a schema, not {said!r}")
    inner = said.get("json_schema", said)
    if not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), dict):
        raise ArgumentError("response_format of type json_schema needs a schema")
    schema, strict = inner["schema"], inner.get("strict")
    if strict is not False:
        schema = closed(schema)
    if strict is None and only_strict and is_strict(schema):
        strict = True
    return ResponseFormat("schema", inner.get("name") or "answer", schema, strict, inner.get("description"))


# their forms


def closed(schema: Any) -> Any:
    """The schema with all its objects closed that do not say whether they are."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value if key in _VALUES else closed(value) for key, value in schema.items()}
    if schema.get("properties") and schema.get("type") == "object":  # without any, it is an object of any form
        made.setdefault("additionalProperties", False)
    return made


def strict_form(schema: Schema) -> Schema:
    """The schema as strictness wants it: all its objects closed, every field there (what had a default of null is null
    instead), and nothing beside a reference, so that one with words of its own is written out."""
    made: Schema = _demanding(closed(schema), schema, frozenset())
    return made


def _demanding(schema: Any, root: Schema, within: frozenset[str]) -> Any:
    """`within`: the references that are being written out; inside, they stay references."""
    if isinstance(schema, list):
        return [_demanding(item, root, within) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(reference := schema.get("$ref"), str) and len(schema) > 1 and "$defs" not in schema:
        if reference in within:
            return {"$ref": reference}
        found = resolve(reference, root)
        if isinstance(found, dict):
            written = closed({**found, **{key: schema[key] for key in schema if key != "$ref"}})
            return _demanding(written, root, within | {reference})
    made = {key: value if key in _VALUES else _demanding(value, root, within) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made["required"] = list(made["properties"])
    if "default" in made and made["default"] is None:
        del made["default"]
    return made


def is_strict(schema: Schema) -> bool:
    """Whether a schema is in strict form: an object, and all its objects closed with all of their fields required."""
    return "object" in types_of(schema) and "anyOf" not in schema and _is_strict_within(schema)


def _is_strict_within(schema: Any) -> bool:
    if not isinstance(schema, dict) or schema.keys() & _NEVER_STRICT or not schema.keys() & _SAYING:
        return False
    if "$ref" in schema and len(schema) > 1:
        return False
    if "object" in types_of(schema):
        fields, required = schema.get("properties", {}), schema.get("required", [])
        if schema.get("additionalProperties") is not False or any(name not in required for name in fields):
            return False
    named = [inner for key in ("properties", "$defs", "definitions") for inner in schema.get(key, {}).values()]
    listed = [schema["items"]] if "items" in schema else []
    return all(map(_is_strict_within, [*named, *listed, *schema.get("anyOf", [])]))


# answers


def load_json(text: str) -> Any:
    """What a JSON text says; it may stand in a Markdown fence. Raises `ValueError`."""
    fenced = _FENCED.fullmatch(text)
    try:
        return json.loads(fenced[1] if fenced else text, strict=False)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the answer is not JSON: {error}") from error


def fault(value: Any, schema: Any) -> str | None:
    """Why a value does not satisfy a JSON Schema (None: any object), as near as can be said; None if it does."""
    schema = {"type": "object"} if schema is None else schema
    if fits(value, schema):
        return None
    if isinstance(value, dict):
        missing = [name for name in schema.get("required") or () if name not in value]
        if missing:
            return f"it lacks {', '.join(missing)}"
        properties = schema.get("properties") or {}
        wrong = [name for name in value if name in properties and not fits(value[name], properties[name], schema)]
        if wrong:
            return f"its {', '.join(wrong)} is not as the schema has it"
    shown = json.dumps(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
