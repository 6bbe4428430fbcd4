"""A JSON value that satisfies a JSON Schema, with what a prompt names put where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from math import ceil, floor
from typing import Any, NamedTuple

from ai_protocol_runtime.jsonschema import fits, matches, number, same, types_of

from .conjunction import Plain, Refs, common_multiple, plain
from .hints import Hints, words
from .patterns import samples

FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:30:00Z",
    "time": "12:30:00Z",
    "duration": "P1D",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "iri": "https://example.com/",
    "uri-reference": "/path",
    "iri-reference": "/path",
    "uri-template": "/path/{id}",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "json-pointer": "/a/b",
    "relative-json-pointer": "0/a",
    "regex": "^a+$",
    "byte": "aGVsbG8=",
}
"""A value for each string format."""

_FORMAT_LOOKS = {
    "date": r"^\d{4}-\d\d-\d\d$",
    "date-time": r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$",
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}
"""How a value of the prompt has to look to be taken for one; of other formats nothing is taken."""

MAX_DEPTH = 12
MAX_STEPS = 5_000
VARIANTS = 50
"""How many values are tried for one place."""

_KEYWORDS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class Unsatisfiable(ValueError):
    """No value was found: the schema contradicts itself, or asks for more than this module can think of."""


def example(schema: Any, prompt: str = "") -> Any:
    """A value that satisfies `schema`, always the same for the same arguments.

    Numbers, quoted strings, names, dates and options that `prompt` names are preferred. Optional properties are filled
    only where the prompt has something for them. Raises `Unsatisfiable`.
    """
    return _Writer(schema, Hints(prompt)).value(schema, "")


class Scope(NamedTuple):
    """Where in the schema a value is being made: how deep, and by which references."""

    depth: int = 0
    refs: Refs = frozenset()


class _Writer:
    def __init__(self, root: Any, hints: Hints) -> None:
        self.root = root
        self.hints = hints
        self.steps = 0

    def value(self, schema: Any, name: str, scope: Scope = Scope()) -> Any:  # noqa: B008 (it is immutable)
        for value in self.values(schema, name, scope):
            return value
        raise Unsatisfiable(f"no value found for {name or 'the schema'}: {schema!r:.200}")

    def values(self, schema: Any, name: str, scope: Scope) -> Iterator[Any]:
        """Values that fit, the preferred first."""
        self.steps += 1
        if self.steps > MAX_STEPS or scope.depth > MAX_DEPTH:
            return
        for alternative, refs in plain(schema, self.root, scope.refs):
            inner = Scope(scope.depth + 1, scope.refs | refs)
            for kind in _types(alternative):
                try:
                    for value in islice(self._of_type(kind, alternative, name, inner), VARIANTS):
                        if fits(value, schema, self.root):
                            yield value
                except Unsatisfiable:
                    continue

    def _of_type(self, kind: str, schema: Plain, name: str, scope: Scope) -> Iterator[Any]:
        if "const" in schema:
            yield schema["const"]
            return
        if "enum" in schema:
            yield from sorted(schema["enum"], key=lambda option: not self.hints.mentions(option))
            return
        if kind == "object":
            yield from self._objects(schema, scope)
        elif kind == "array":
            yield from self._arrays(schema, name, scope)
        elif kind in ("integer", "number"):
            yield from self._hinted(schema, name, ("number",))
            yield from _suggested(schema)
            yield from _numbers(schema, whole=kind == "integer")
        elif kind == "boolean":
            yield from self._hinted(schema, name, ("boolean",), near=True)
            yield from _suggested(schema)
            yield from (True, False)
        elif kind == "null":
            yield None
        else:
            yield from self._strings(schema, name)

    def _hinted(self, schema: Plain, name: str, kinds: tuple[str, ...], *, near: bool = False) -> Iterator[Any]:
        for hint in self.hints.find(name, kinds, near=near):
            if fits(hint.value, schema, self.root):
                # Taken before it is handed out: the caller may need no other value and never come back.
                self.hints.take(hint)
                yield hint.value

    def _strings(self, schema: Plain, name: str) -> Iterator[Any]:
        form = schema.get("format")
        look = _FORMAT_LOOKS.get(str(form)) if form in FORMATS else ""
        if look is not None:
            yield from self._hinted({**schema, "allOf": [{"pattern": look}]}, name, ("text", "name", "topic"))
        yield from _suggested(schema)
        if form in FORMATS:
            yield FORMATS[str(form)]
        if "pattern" in schema:
            yield from samples(str(schema["pattern"]))
        least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
        plain_text = " ".join(["some", *words(name)]) if name else "some text"
        for number_ in range(1, VARIANTS):
            text = plain_text if number_ == 1 else f"{plain_text} {number_}"
            while len(text) < least:
                text += " " + text
            cut = text if most is None else text[max(0, len(text) - int(most)) :]
            yield text if cut == text else cut.strip().rjust(least, "x")

    def _arrays(self, schema: Plain, name: str, scope: Scope) -> Iterator[Any]:
        least, most = int(schema.get("minItems") or 0), schema.get("maxItems")
        limit = int(most) if most is not None else max(least, 10)
        old_style = isinstance(schema.get("items"), list)
        firsts = schema["items"] if old_style else schema.get("prefixItems") or []
        rest = schema.get("additionalItems", True) if old_style else schema.get("items", True)
        items: list[Any] = []
        if "contains" in schema:
            items += [self.value(schema["contains"], name, scope) for _ in range(int(schema.get("minContains") or 1))]
        unique = schema.get("uniqueItems") is True
        recurs = isinstance(rest, dict) and rest.get("$ref") in scope.refs
        needed = max(least, 0 if recurs else min(1, limit), len(firsts))
        try:
            while len(items) < limit:
                left = len(self.hints.left)
                item = firsts[len(items)] if len(items) < len(firsts) else rest
                wanted = len(items) < needed
                if not wanted and not left:
                    break
                value = self._another(item, name, items if unique else [], scope)
                # Beyond what has to be there, only what the prompt names.
                if not wanted and len(self.hints.left) == left:
                    break
                items.append(value)
        except Unsatisfiable:
            if len(items) < least:
                raise
        yield items
        yield items[:least]

    def _another(self, schema: Any, name: str, others: list[Any], scope: Scope) -> Any:
        for value in islice(self.values(schema, name, scope), VARIANTS):
            if not any(same(value, other) for other in others):
                return value
        raise Unsatisfiable(f"no further value for {name}")

    def _objects(self, schema: Plain, scope: Scope) -> Iterator[Any]:
        properties: dict[str, Any] = schema.get("properties") or {}
        wanted = list(schema.get("required") or ())
        wanted += [name for name in properties if name not in wanted and self.hints.best(name) > 0]
        for name in wanted:
            wanted += [also for also in (schema.get("dependentRequired") or {}).get(name, ()) if also not in wanted]
        filled: dict[str, Any] = {}
        # The surest values are given out first, so that no other property takes them.
        for name in sorted(wanted, key=lambda name: -self.hints.best(name)):
            self._fill(filled, name, schema, scope, needed=name in (schema.get("required") or ()))
        spare = [name for name in properties if name not in filled]
        for name in [*spare, *self._names(schema, scope)]:
            if len(filled) >= int(schema.get("minProperties") or 0):
                break
            self._fill(filled, name, schema, scope, needed=False)
        order = [*properties, *(name for name in filled if name not in properties)]
        whole = {name: filled[name] for name in order if name in filled}
        yield whole
        for name in whole:
            for value in islice(self.values(_property(schema, name), name, scope), VARIANTS):
                yield {**whole, name: value}

    def _fill(self, filled: dict[str, Any], name: str, schema: Plain, scope: Scope, *, needed: bool) -> None:
        try:
            filled[name] = self.value(_property(schema, name), name, scope)
        except Unsatisfiable:
            if needed:
                raise

    def _names(self, schema: Plain, scope: Scope) -> Iterator[str]:
        """Names for properties that only a count asks for."""
        if "propertyNames" in schema:
            yield from (name for name in self.values(schema["propertyNames"], "name", scope) if isinstance(name, str))
        for pattern in schema.get("patternProperties") or {}:
            yield from samples(pattern)
        yield from (f"key{i}" for i in range(1, VARIANTS))


def _property(schema: Plain, name: str) -> Any:
    """What the value of this property has to satisfy."""
    parts = [schema["properties"][name]] if name in (schema.get("properties") or {}) else []
    parts += [inner for pattern, inner in (schema.get("patternProperties") or {}).items() if matches(pattern, name)]
    if not parts:
        return schema.get("additionalProperties", True)
    return parts[0] if len(parts) == 1 else {"allOf": parts}


def _types(schema: Plain) -> list[str]:
    named = types_of(schema)
    if named:
        return sorted(named, key=lambda name: name == "null")
    for kind, keywords in _KEYWORDS.items():
        if any(keyword in schema for keyword in keywords):
            return [kind]
    return ["string", "object"]


def _suggested(schema: Plain) -> Iterator[Any]:
    if schema.get("default") is not None:
        yield schema["default"]
    if isinstance(schema.get("examples"), list):
        yield from schema["examples"]
    if schema.get("example") is not None:
        yield schema["example"]


def _numbers(schema: Plain, *, whole: bool) -> Iterator[int | float]:
    low, high = number(schema.get("minimum")), number(schema.get("maximum"))
    above, below = number(schema.get("exclusiveMinimum")), number(schema.get("exclusiveMaximum"))
    low = above if low is None or (above is not None and above > low) else low
    high = below if high is None or (below is not None and below < high) else high
    step = number(schema.get("multipleOf"))
    if whole:
        step = common_multiple(step, Fraction(1)) if step else Fraction(1)
    if step:
        first = ceil(low / step) if low is not None else floor(high / step) if high is not None else 1
        if low is not None and low <= step and (high is None or step <= high):
            first = 1
        turn = -1 if low is None and high is not None else 1
        for i in range(VARIANTS):  # in turns, because only so many are looked at
            yield _json_number((first + turn * i) * step)
            yield _json_number((first - turn * (i + 1)) * step)
        return
    if low is not None and high is not None:
        yield from (_json_number(low + (high - low) / i) for i in range(2, VARIANTS))
        yield from (_json_number(low), _json_number(high))
    elif low is not None:
        yield from (_json_number(floor(low) + i) for i in range(1, VARIANTS))
    elif high is not None:
        yield from (_json_number(ceil(high) - i) for i in range(1, VARIANTS))
    else:
        yield from (1, 1.5, 0, -1, *range(2, VARIANTS))


def _json_number(exact: Fraction | int) -> int | float:
    return int(exact) if exact == int(exact) else float(exact)
