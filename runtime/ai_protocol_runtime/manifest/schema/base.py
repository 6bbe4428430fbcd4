"""What the schemas of all kinds of manifest are built from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from ai_protocol_runtime.manifest.document import Place


class Section(BaseModel):
    """A part of a manifest: unknown keys and lookalike values (`"yes"`, `"3"`) are errors; it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def faults(self) -> Iterator[tuple[Place, str]]:
        """What is wrong between keys that are right by themselves: the place, and a message for it."""
        yield from ()


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class _ItemsToo:
    """In the JSON Schema: an item of the list stands for the list."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(core)
        return {"anyOf": [many["items"], many]}


T = TypeVar("T")
OneOrMore = Annotated[list[T], BeforeValidator(_listed), _ItemsToo()]
"""A value, or a list of values: always a list once it is read."""


class ShortForm:
    """A simpler way to write a value: `read` makes the full form of it, `schema` is its JSON Schema."""

    def __init__(self, kind: type, read: Callable[[Any], Any], schema: JsonSchemaValue) -> None:
        self.kind, self.read, self.schema = kind, read, schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: self.read(value) if isinstance(value, self.kind) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler(core)
        return {"anyOf": [self.schema, *full.get("anyOf", [full])]}


def _pattern(value: Any) -> Any:
    try:
        return re.compile(value, re.IGNORECASE) if isinstance(value, str) else value
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


Regex = Annotated[re.Pattern[str], BeforeValidator(_pattern), WithJsonSchema({"type": "string", "format": "regex"})]
"""A regular expression, regardless of case."""

_KEY = r"(?:\[\]|[^.\[\]\s]+(?:\[\])?)"
JSON_PATH = rf"^{_KEY}(?:\.{_KEY})*$"
_ID = r"^[a-z0-9][a-z0-9_.-]*$"
_HEADER = r"^[A-Za-z0-9-]+$"
_ENV = r"^[A-Z][A-Z0-9_]*$"
_URL_PATH = r"^/\S*$"
_URL = r"^https?://\S+$"

FORMS = {
    JSON_PATH: "a path such as a.b[].c",
    _ID: "made of small letters, digits and - _ .",
    _HEADER: "the name of a header",
    _ENV: "the name of an environment variable, in capitals",
    _URL_PATH: "a path that begins with /",
    _URL: "an address that begins with http:// or https://",
}
"""What the patterns below mean, for errors."""

JSONPath = Annotated[str, StringConstraints(pattern=JSON_PATH)]
"""Keys of a JSON object joined by dots; ``[]`` after a key stands for every element of the list there."""

Id = Annotated[str, StringConstraints(pattern=_ID)]
"""The name of a manifest, which is also that of its file."""

HeaderName = Annotated[str, StringConstraints(pattern=_HEADER)]
EnvName = Annotated[str, StringConstraints(pattern=_ENV)]
UrlPath = Annotated[str, StringConstraints(pattern=_URL_PATH)]
Url = Annotated[str, StringConstraints(pattern=_URL)]
Seconds = Annotated[float, Field(gt=0)]


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


Day = Annotated[date, BeforeValidator(_day)]


class Docs(Section):
    """When a manifest was last held against the provider's own pages, and which."""

    checked: Day = Field(description="The day on which the manifest was compared with its sources.")
    pages: list[Url] = Field(min_length=1, description="The pages it was compared with.")
    notes: str | None = Field(default=None, description="What a reader of the manifest should know.")
