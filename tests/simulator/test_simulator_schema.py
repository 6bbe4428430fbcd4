"""Values for schemas: they satisfy them, and say what the prompt says."""

from __future__ import annotations

import time
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_protocol_runtime.jsonschema import fits
from ai_protocol_runtime.simulator.schema import FORMATS, Unsatisfiable, example

NAMES = st.sampled_from(["a", "b", "name", "count", "customer_name", "isOpen", "größe"])
PATTERNS = [
    "^[a-z]+$",
    r"^\d{3}-\d{4}$",
    "^(red|green|blue)$",
    r"^[A-Z][a-z]{2,8}\s?x*$",
    r"^\w+@\w+\.com$",
    "abc",
    "^[^,]{5}$",
]


@st.composite
def numbers(draw: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": draw(st.sampled_from(["integer", "number"]))}
    low = draw(st.integers(-50, 50))
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + draw(st.integers(30, 90))
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.integers(1, 9))
    return schema


@st.composite
def strings(draw: Any) -> dict[str, Any]:
    which = draw(st.integers(0, 2))
    if which == 0:
        return {"type": "string", "pattern": draw(st.sampled_from(PATTERNS))}
    if which == 1:
        return {"type": "string", "format": draw(st.sampled_from(sorted(FORMATS)))}
    low = draw(st.integers(0, 40))
    return {"type": "string", "minLength": low, "maxLength": low + draw(st.integers(0, 40))}


LEAVES = st.one_of(
    numbers(),
    strings(),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({}),
    st.builds(lambda v: {"const": v}, st.sampled_from([1, "x", None, True, [1], {"a": 1}])),
    st.builds(lambda v: {"enum": v}, st.lists(st.sampled_from([1, 2, "x", "y", None, False]), min_size=1)),
    st.builds(lambda t: {"type": t}, st.lists(st.sampled_from(["string", "integer", "null"]), min_size=1, unique=True)),
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    @st.composite
    def objects(draw: Any) -> dict[str, Any]:
        properties = draw(st.dictionaries(NAMES, inner, max_size=4))
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        schema["required"] = draw(st.lists(st.sampled_from([*properties, "extra"]), unique=True))
        schema["additionalProperties"] = True if "extra" in schema["required"] else draw(st.sampled_from([True, False]))
        return schema

    @st.composite
    def arrays(draw: Any) -> dict[str, Any]:
        low = draw(st.integers(0, 3))
        schema: dict[str, Any] = {"type": "array", "items": draw(inner), "minItems": low}
        if draw(st.booleans()):
            schema["maxItems"] = low + draw(st.integers(0, 2))
        if draw(st.booleans()):
            schema["prefixItems"] = draw(st.lists(inner, max_size=low))
        return schema

    return st.one_of(
        objects(),
        arrays(),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda schema: {"allOf": [schema, {}]}, inner),
        st.builds(lambda schema: {"allOf": [schema], "description": "d"}, inner),
        st.builds(lambda schema: {"oneOf": [schema, False]}, inner),
    )


SCHEMAS = st.recursive(LEAVES, _nested, max_leaves=8)
PROMPTS = st.sampled_from(
    ["", "", "customer name 'Zoë', count 7, a=3.5 b: \"x\"", "12 34 56 abc red x y true", "größe 9 'red' on 2025-01-02"]
)


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, PROMPTS)
def test_satisfiable_schemas_are_satisfied(schema: dict[str, Any], prompt: str) -> None:
    value = example(schema, prompt)
    jsonschema.Draft202012Validator(schema).validate(value)
    assert example(schema, prompt) == value


VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, 7, -3, 2.5, "", "x", "abc", "red", "123-4567"]),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, VALUES)
def test_fits_agrees_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    assert fits(value, schema) == jsonschema.Draft202012Validator(schema).is_valid(value)


NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer"},
        "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["value", "next", "children"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"Node": NODE}, "$ref": "#/$defs/Node"},
        {"$defs": {"Node": NODE}, "type": "array", "items": {"$ref": "#/$defs/Node"}, "minItems": 2},
        {"oneOf": [{"type": "number"}, {"type": "integer"}]},
        {"allOf": [{"type": "number", "minimum": 3}, {"type": "integer", "maximum": 4, "multipleOf": 2}]},
        {"allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "type": "integer", "minimum": 1},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "array", "items": {"type": "integer"}, "minItems": 4, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"a": {"type": "boolean"}, "b": {"type": "string"}},
                "required": ["a", "b"],
            },
            "minItems": 3,
            "uniqueItems": True,
        },
        {"type": "array", "contains": {"const": 5}, "minItems": 2},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {
            "type": "object",
            "minProperties": 2,
            "patternProperties": {"^x-[0-9]+$": {"type": "null"}},
            "additionalProperties": False,
        },
        {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^[a-z]{4,9}$"}},
        {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "required": ["a"],
            "dependentRequired": {"a": ["b"]},
        },
        {"type": "integer", "not": {"const": 1}},
        {
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"required": ["x"]},
            "type": "object",
            "properties": {"kind": {"enum": ["a"]}, "x": {"type": "integer"}},
            "required": ["kind"],
        },
        {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        {
            "type": "object",
            "properties": {"kind": {"const": "b"}},
            "oneOf": [{"properties": {"kind": {"const": "a"}}, "required": ["kind", "x"]}, {"required": ["kind", "y"]}],
        },
        True,
    ],
)
def test_hard_schemas(schema: Any) -> None:
    jsonschema.Draft202012Validator(schema).validate(example(schema))


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"enum": [1, 2], "type": "string"},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {
            "$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}},
            "$ref": "#/$defs/N",
        },
        {"$ref": "#/nowhere"},
    ],
)
def test_what_cannot_be_satisfied_is_said(schema: Any) -> None:
    with pytest.raises(Unsatisfiable):
        example(schema)


def test_spellings_of_providers() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "tags": {"type": "ARRAY", "minItems": "2", "items": {"type": "STRING"}},
            "n": {"type": "INTEGER", "nullable": True},
        },
        "required": ["tags", "n"],
    }
    assert example(schema) == {"tags": ["some tags", "some tags"], "n": 1}
    assert fits({"tags": ["a", "b"], "n": None}, schema)
    assert not fits({"tags": ["a"], "n": None}, schema)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


INTEGER, STRING = {"type": "integer"}, {"type": "string"}


@pytest.mark.parametrize("prompt", ["x" * 200_000, "1 " * 50_000, "a.b" * 50_000, '"' * 50_001, "Ab, " * 50_000])
def test_long_prompts_take_no_time(prompt: str) -> None:
    schema = _object(**{f"property_{i}": {"type": "string"} for i in range(30)})
    began = time.perf_counter()
    assert len(example(schema, prompt)) == 30
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("schema", "prompt", "expected"),
    [
        (_object(input=INTEGER), "What is the value of magic_function(3)? Use the tool.", {"input": 3}),
        (
            _object(customer_name=STRING),
            "Create a customer named '你好啊集团' (Hello Group)",
            {"customer_name": "你好啊集团"},
        ),
        (_object(location=STRING), "What is the weather in San Francisco, CA?", {"location": "San Francisco, CA"}),
        (_object(a=INTEGER, b=INTEGER), "What is 3 times 4?", {"a": 3, "b": 4}),
        (_object(a=INTEGER, b=INTEGER), "add b=7, a=-12", {"a": -12, "b": 7}),
        (
            _object(numbers={"type": "array", "items": {"type": "number"}}),
            "Add 1, 2.5 and 1,000.",
            {"numbers": [1, 2.5, 1000]},
        ),
        (_object(unit={"enum": ["celsius", "fahrenheit"]}), "In Fahrenheit, please", {"unit": "fahrenheit"}),
        (_object(day={"type": "string", "format": "date"}), "on 2025-03-04 at noon", {"day": "2025-03-04"}),
        (_object(to={"type": "string", "format": "email"}), "Write to bob@x.org.", {"to": "bob@x.org"}),
        (_object(link={"type": "string", "format": "uri"}), "See https://x.org/a?b=c", {"link": "https://x.org/a?b=c"}),
        (_object(first=STRING, last=STRING), "last name “Łoś”, first name „Ĳ”", {"first": "Ĳ", "last": "Łoś"}),
        (_object(age={"type": "integer", "maximum": 120}), "In 2024 he was 42", {"age": 42}),
        (_object(verbose={"type": "boolean"}), "verbose: false", {"verbose": False}),
        ({"type": "object", "properties": {"limit": INTEGER, "page": INTEGER}}, "with limit 5", {"limit": 5}),
    ],
)
def test_the_prompt_is_heard(schema: dict[str, Any], prompt: str, expected: Any) -> None:
    assert example(schema, prompt) == expected
