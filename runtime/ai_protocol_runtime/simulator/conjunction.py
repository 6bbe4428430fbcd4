"""A JSON Schema as a choice of plain ones: without references, ``allOf``, ``anyOf``, ``oneOf`` or conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import gcd, lcm
from typing import Any, TypeAlias

from ai_protocol_runtime.jsonschema import number, resolve, same, types_of

Plain: TypeAlias = dict[str, Any]
Refs: TypeAlias = frozenset[str]
"""The references that were followed to get somewhere: meeting one of them again is a recursion."""

_COMPOUND = {"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "$defs", "definitions"}


def plain(schema: Any, root: Any, within: Refs = frozenset()) -> Iterator[tuple[Plain, Refs]]:
    """The alternatives of `schema`, each with the references it came by; those that recurse into `within` come last.

    An alternative is necessary, not sufficient (``oneOf`` also excludes): what is made from it still has to be checked.
    """
    return _expand([schema], {}, root, within, frozenset())


def _expand(todo: list[Any], joined: Plain, root: Any, within: Refs, here: Refs) -> Iterator[tuple[Plain, Refs]]:
    if not todo:
        yield joined, here
        return
    schema, *todo = todo
    if schema is False:
        return
    if not isinstance(schema, dict):
        yield from _expand(todo, joined, root, within, here)
        return
    own = merged(joined, {key: value for key, value in schema.items() if key not in _COMPOUND})
    if own is None:
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in here:
        todo.append(resolve(reference, root))
        here |= {reference}
    todo += schema.get("allOf") or ()
    choices = [schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)]
    if "if" in schema:
        choices.append([{"allOf": [schema["if"], schema.get("then", True)]}, schema.get("else", True)])

    def recurs(option: Any) -> bool:
        return isinstance(option, dict) and option.get("$ref") in within

    for chosen in product(*(sorted(options, key=recurs) for options in choices)):
        yield from _expand([*todo, *chosen], own, root, within, here)


def merged(a: Plain, b: Plain) -> Plain | None:
    """One plain schema for both; None where no value could satisfy it."""
    both = {**a, **b}
    for key in a.keys() & b.keys():
        join = _JOIN.get(key)
        if join is not None:
            both[key] = join(a[key], b[key])
    if types_of(a) and types_of(b):
        both["type"] = _common_types(types_of(a), types_of(b))
        if not both["type"]:
            return None
    if "enum" in a and "enum" in b and not both["enum"]:
        return None
    return both


def _common_types(a: list[str], b: list[str]) -> list[str]:
    if "integer" in a and "number" in b:
        b = [*b, "integer"]
    if "integer" in b and "number" in a:
        a = [*a, "integer"]
    return [name for name in a if name in b]


def _each(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    return {**a, **{key: {"allOf": [a[key], value]} if key in a else value for key, value in b.items()}}


def _both(a: Any, b: Any) -> Any:
    return {"allOf": [a, b]}


def _bound(choose: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def join(a: Any, b: Any) -> Any:
        first, second = number(a), number(b)
        return b if first is None else a if second is None else a if choose(first, second) == first else b

    return join


def common_multiple(a: Fraction, b: Fraction) -> Fraction:
    """The least number that both divide."""
    return Fraction(lcm(a.numerator, b.numerator), gcd(a.denominator, b.denominator))


def _multiple(a: Any, b: Any) -> Any:
    first, second = number(a), number(b)
    return a if not second else b if not first else str(common_multiple(first, second))


_JOIN: dict[str, Callable[[Any, Any], Any]] = {
    "enum": lambda a, b: [x for x in a if any(same(x, y) for y in b)],
    "required": lambda a, b: [*a, *(name for name in b if name not in a)],
    "properties": _each,
    "patternProperties": _each,
    "additionalProperties": _both,
    "propertyNames": _both,
    "items": _both,
    "not": lambda a, b: {"anyOf": [a, b]},
    "multipleOf": _multiple,
    **{f"min{of}": _bound(max) for of in ("imum", "Items", "Length", "Properties")},
    **{f"max{of}": _bound(min) for of in ("imum", "Items", "Length", "Properties")},
    "exclusiveMinimum": _bound(max),
    "exclusiveMaximum": _bound(min),
}
