"""What the schemas of all kinds of manifest are built from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

Path = tuple[str | int, ...]
"""Where something stands in a manifest: keys and list indices from the top."""


class Section(BaseModel):
    """A part of a manifest: unknown keys and lookalike types (`"yes"`, `"3"`) are errors, and nothing changes it later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=False)

    def faults(self) -> Iterator[tuple[Path, str]]:
        """What is wrong between keys that are right by themselves: the place, and a message for it."""
        yield from ()


T = TypeVar("T")


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


OneOrMore = Annotated[list[T] | T, BeforeValidator(_listed), Field(union_mode="left_to_right")]
"""A value, or a list of values: always a list once it is read."""


def _pattern(value: Any) -> Any:
    return re.compile(value, re.IGNORECASE) if isinstance(value, str) else value


Regex = Annotated[re.Pattern[str], BeforeValidator(_pattern), WithJsonSchema({"type": "string", "format": "regex"})]
"""A regular expression, regardless of case."""

_KEY = r"(?:\[\]|[^.\[\]\s]+(?:\[\])?)"
JSONPath = Annotated[str, StringConstraints(pattern=rf"^{_KEY}(?:\.{_KEY})*$")]
"""Keys of a JSON object joined by dots; ``[]`` after a key stands for every element of the list there."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
"""The name of a manifest, which is also that of its file."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Seconds = Annotated[float, Field(gt=0)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class Docs(Section):
    """When a manifest was last held against the provider's own pages, and which."""

    checked: date = Field(description="The day on which the manifest was compared with its sources.")
    pages: list[Url] = Field(min_length=1, description="The pages it was compared with.")
    notes: str | None = Field(None, description="What a reader of the manifest should know.")
