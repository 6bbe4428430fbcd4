"""Does a JSON value satisfy a JSON Schema? The keywords that tools and structured output use.

Structured output is judged by it, and what the simulator proposes. Unknown keywords say nothing, as the standard has
it. Spellings of providers are understood: types in capitals, counts as text, ``nullable``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any] | bool

MAX_DEPTH = 60


def fits(value: Any, schema: Any, root: Any = None) -> bool:
    """Whether `value` satisfies `schema`. `root` is the document that ``$ref`` points into (default: `schema`)."""
    return _fits(value, schema, schema if root is None else root, MAX_DEPTH)


def _fits(value: Any, schema: Any, root: Any, depth: int) -> bool:
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, dict):
        return True
    if depth == 0:  # only a reference that never reaches a value goes this deep
        return False
    if value is None and schema.get("nullable") is True:
        return True

    def sub(inner: Any, inner_schema: Any) -> bool:
        return _fits(inner, inner_schema, root, depth - 1)

    for keyword, argument in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None and not check(value, argument, schema, sub):
            return False
    reference = schema.get("$ref")
    return not isinstance(reference, str) or sub(value, resolve(reference, root))


def resolve(reference: str, root: Any) -> Any:
    """What a local ``$ref`` such as ``#/$defs/Node`` points to; one that leads nowhere allows nothing."""
    node = root
    for key in reference.removeprefix("#").split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif isinstance(node, dict) and key in node:
            node = node[key]
        else:
            return False
    return node if reference.startswith("#") else False


def types_of(schema: dict[str, Any]) -> list[str]:
    """The types a schema names, in lower case; empty when it names none."""
    named = schema.get("type")
    listed = named if isinstance(named, list) else [] if named is None else [named]
    return [str(name).lower() for name in listed]


def number(bound: Any) -> Fraction | None:
    """A limit as an exact number. Some wires send counts as text."""
    if isinstance(bound, bool) or not isinstance(bound, int | float | str):
        return None
    try:
        return Fraction(str(bound))
    except ValueError:
        return None


def matches(pattern: str, text: str) -> bool:
    """Whether `pattern` occurs in `text`; a pattern that Python cannot read forbids nothing."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def same(a: Any, b: Any) -> bool:
    """Equality as JSON has it: 1 is 1.0, but not true."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: is_number(v) and v == int(v),
    "number": is_number,
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}

Sub: TypeAlias = Callable[[Any, Any], bool]
Check: TypeAlias = Callable[[Any, Any, dict[str, Any], Sub], bool]


def _type(value: Any, _: Any, schema: dict[str, Any], sub: Sub) -> bool:
    named = types_of(schema)
    return not named or any(name not in _TYPES or _TYPES[name](value) for name in named)


def _properties(value: Any, properties: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if not isinstance(value, dict) or not isinstance(properties, dict):
        return True
    return all(sub(value[name], inner) for name, inner in properties.items() if name in value)


def _pattern_properties(value: Any, patterns: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if not isinstance(value, dict) or not isinstance(patterns, dict):
        return True
    return all(sub(value[k], inner) for pattern, inner in patterns.items() for k in value if matches(pattern, k))


def _additional(value: Any, additional: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if not isinstance(value, dict):
        return True
    known = schema.get("properties") or {}
    patterns = schema.get("patternProperties") or {}
    rest = (k for k in value if k not in known and not any(matches(p, k) for p in patterns))
    return all(sub(value[k], additional) for k in rest)


def _items(value: Any, items: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if not isinstance(value, list):
        return True
    if isinstance(items, list):  # the older spelling of prefixItems
        return _prefix_items(value, items, schema, sub)
    return all(sub(item, items) for item in value[len(schema.get("prefixItems") or ()) :])


def _prefix_items(value: Any, items: Any, schema: dict[str, Any], sub: Sub) -> bool:
    return not isinstance(value, list) or all(sub(v, s) for v, s in zip(value, items, strict=False))


def _contains(value: Any, wanted: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if not isinstance(value, list):
        return True
    found = sum(sub(item, wanted) for item in value)
    return int(schema.get("minContains", 1)) <= found <= int(schema.get("maxContains", found))


def _unique(value: Any, wanted: Any, schema: dict[str, Any], sub: Sub) -> bool:
    if wanted is not True or not isinstance(value, list):
        return True
    return not any(same(value[i], value[j]) for i in range(len(value)) for j in range(i))


def _conditional(value: Any, condition: Any, schema: dict[str, Any], sub: Sub) -> bool:
    return sub(value, schema.get("then" if sub(value, condition) else "else", True))


def _compared(
    applies: Callable[[Any], bool], measure: Callable[[Any], Any], within: Callable[[Any, Any], bool]
) -> Check:
    def check(value: Any, bound: Any, schema: dict[str, Any], sub: Sub) -> bool:
        limit = number(bound)
        return limit is None or not applies(value) or within(measure(value), limit)

    return check


def _number_check(within: Callable[[Any, Any], bool]) -> Check:
    return _compared(is_number, lambda v: Fraction(str(v)), within)


def _length_check(kind: type, within: Callable[[Any, Any], bool]) -> Check:
    return _compared(lambda v: isinstance(v, kind), len, within)


_CHECKS: dict[str, Check] = {
    "type": _type,
    "enum": lambda v, options, schema, sub: any(same(v, option) for option in options),
    "const": lambda v, only, schema, sub: same(v, only),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": lambda v, names, schema, sub: not isinstance(v, dict) or all(sub(k, names) for k in v),
    "required": lambda v, names, schema, sub: not isinstance(v, dict) or all(k in v for k in names),
    "dependentRequired": lambda v, needs, schema, sub: (
        not isinstance(v, dict) or all(k in v for name, keys in needs.items() if name in v for k in keys)
    ),
    "minProperties": _length_check(dict, lambda n, limit: n >= limit),
    "maxProperties": _length_check(dict, lambda n, limit: n <= limit),
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "uniqueItems": _unique,
    "minItems": _length_check(list, lambda n, limit: n >= limit),
    "maxItems": _length_check(list, lambda n, limit: n <= limit),
    "minLength": _length_check(str, lambda n, limit: n >= limit),
    "maxLength": _length_check(str, lambda n, limit: n <= limit),
    "pattern": lambda v, pattern, schema, sub: not isinstance(v, str) or matches(pattern, v),
    "minimum": _number_check(lambda v, limit: v >= limit),
    "maximum": _number_check(lambda v, limit: v <= limit),
    "exclusiveMinimum": _number_check(lambda v, limit: v > limit),
    "exclusiveMaximum": _number_check(lambda v, limit: v < limit),
    "multipleOf": _number_check(lambda v, step: step == 0 or v % step == 0),
    "allOf": lambda v, schemas, schema, sub: all(sub(v, s) for s in schemas),
    "anyOf": lambda v, schemas, schema, sub: any(sub(v, s) for s in schemas),
    "oneOf": lambda v, schemas, schema, sub: sum(sub(v, s) for s in schemas) == 1,
    "not": lambda v, forbidden, schema, sub: not sub(v, forbidden),
    "if": _conditional,
}
