"""Schemas of classes and vendors' dicts, as every adapter has them."""

from __future__ import annotations

import sys
from typing import Any, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict

from ai_protocol_integrations._schemas import (
    class_format,
    closed,
    fault,
    is_pydantic,
    is_recursive,
    is_strict,
    json_format,
    load_json,
    own_schema,
    read_format,
    strict_form,
)
from ai_protocol_runtime.types import ResponseFormat
from ai_protocol_runtime.types.errors import ArgumentError

T = TypeVar("T")


class City(BaseModel):
    """A city."""

    name: str
    people: int | None = None


class Box(BaseModel, Generic[T]):
    model_config = ConfigDict(extra="allow")
    inner: T


class Tree(BaseModel):
    leaves: list[Tree] = []


SCHEMA = City.model_json_schema()


def test_the_format_of_a_class() -> None:
    assert class_format(City) == ResponseFormat("schema", "City", closed(SCHEMA), None, "A city.")
    assert class_format(City, strict=False) == ResponseFormat("schema", "City", SCHEMA, False, "A city.")
    strict = ResponseFormat("schema", "City", strict_form(SCHEMA), True, "A city.")
    assert class_format(City, strict=True) == class_format(City, only_strict=True) == strict
    open_box = class_format(Box[City], only_strict=True)
    assert (open_box.name, open_box.description, open_box.strict) == ("Box_City_", None, None)
    with pytest.raises(ArgumentError, match="no pydantic class"):
        class_format(int)


@pytest.mark.parametrize("how", [{}, {"strict": True}, {"strict": False}, {"only_strict": True}])
@pytest.mark.parametrize("cls", [City, Box[int], Tree])
def test_formats_travel_as_json(cls: type[BaseModel], how: Any) -> None:
    made = class_format(cls, **how)
    assert read_format(json_format(made)) == made


def test_what_is_known_of_a_schema() -> None:
    assert (is_pydantic(City), is_pydantic(City(name="")), is_pydantic(int), is_pydantic(list[int])) == (
        True,
        *[False] * 3,
    )
    assert own_schema(SCHEMA) is None
    assert is_recursive(own_schema(Tree) or {})
    assert not is_recursive(SCHEMA)
    assert is_strict(strict_form(SCHEMA))
    assert not is_strict(closed(SCHEMA))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there is no version 1 of pydantic for it")
def test_a_class_of_version_1_is_one_too() -> None:
    from pydantic.v1 import BaseModel as Old

    class Twig(Old):
        twigs: list[Twig] = []

    Twig.update_forward_refs(Twig=Twig)
    for _ in range(2):  # its schema is its own, and stays as it is
        assert (own_schema(Twig) or {})["properties"].keys() == {"twigs"}


@pytest.mark.parametrize("text", ['{"a": "b\nc"}', '```json\n{"a": "b\nc"}\n```', ' ```\n{"a": "b\nc"}\n\n``` '])
def test_json_may_be_fenced(text: str) -> None:
    assert load_json(text) == {"a": "b\nc"}


@pytest.mark.parametrize("text", ["", "so", "{", "[" * 100_000, "```json\n{}"])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="the answer is not JSON"):
        load_json(text)


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        ({"name": "Oslo"}, SCHEMA, None),
        ({}, SCHEMA, "it lacks name"),
        ({"name": 1}, SCHEMA, "its name is not as the schema has it"),
        ([], None, "[]"),
        ({"any": 1}, None, None),
        (["long" * 40], SCHEMA, '["' + "long" * 18 + "lon..."),
    ],
)
def test_a_fault_is_told(value: Any, schema: Any, said: str | None) -> None:
    assert fault(value, schema) == said
