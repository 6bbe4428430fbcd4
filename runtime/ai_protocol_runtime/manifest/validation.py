"""Documents against the schema: each error with its file, line and key, in words, with the nearest spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ai_protocol_runtime.types.errors import ManifestError

from .document import Document, Place, dotted
from .schema.base import FORMS, Section

S = TypeVar("S", bound=Section)

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "pattern_type": "a regular expression",
    "date_type": "a date, as 2026-01-31",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
}
_QUOTED = re.compile(r"'([^']+)'")
_PLAIN = (bool, int, float)


def checked(kind: type[S], document: Document) -> S:
    """The document as a manifest of this kind. Raises the first `ManifestError`; `problems` has all of them."""
    try:
        made = kind.model_validate(document.data)
    except ValidationError as error:
        raise next(_told(kind, document, error)) from None
    for path, message in _faults(made):
        raise document.error(path, _about(path, message))
    return made


def problems(kind: type[Section], document: Document) -> list[ManifestError]:
    """Everything that is wrong with the document, in the order of its lines; an empty list if it is right."""
    try:
        made = kind.model_validate(document.data)
    except ValidationError as error:
        return sorted(_told(kind, document, error), key=lambda found: found.line or 0)
    return [document.error(path, _about(path, message)) for path, message in _faults(made)]


def nearest(name: str, known: Iterable[str], *, all_of: bool = False) -> str:
    """``, did you mean `x`?`` with the known name most like this one; else nothing, or with `all_of` the known ones."""
    known = sorted(known)
    close = get_close_matches(name, known, 1)
    if close:
        return f", did you mean `{close[0]}`?"
    return f"; known are {', '.join(known)}" if all_of and known else ""


def _told(kind: type[Section], document: Document, error: ValidationError) -> Iterator[ManifestError]:
    by_place: dict[Place, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        by_place.setdefault(_place(document.data, details), []).append(details)
    for place, several in by_place.items():
        yield document.error(place, _message(kind, place, several))


def _place(data: Any, details: ErrorDetails) -> Place:
    """Where an error is. Pydantic's path also names alternatives of a union, and says when it means a key."""
    place: list[str | int] = []
    for part in details["loc"]:
        if isinstance(data, list) and isinstance(part, int):
            inside = part < len(data)
        else:
            inside = isinstance(data, dict) and part in data
        if inside:
            place.append(part)
            data = data[part]
    if details["type"] == "missing":
        place.append(details["loc"][-1])
    return tuple(place)


def _message(kind: type[Section], place: Place, several: list[ErrorDetails]) -> str:
    first = several[0]
    if first["type"] == "extra_forbidden":
        return f"unknown key `{place[-1]}`{nearest(str(place[-1]), _keys(kind, place[:-1]))}"
    if first["type"] == "missing":
        return f"`{dotted(place)}` is missing"
    if first["type"] in ("too_short", "string_too_short"):
        return f"`{dotted(place)}` must not be empty"
    value = first["input"]
    if first["loc"][-1] == "[key]":
        said = "be text; put it in quotes" if not isinstance(value, str) else _shape(first)
        return _about(place, f"the key `{value}` must {said}")
    wanted = list(dict.fromkeys(text for details in several if (text := _wanted(details))))
    if len(wanted) < len({details["type"] for details in several}):
        return _about(place, "; ".join(dict.fromkeys(d["msg"].removeprefix("Value error, ") for d in several)))
    hint = ""
    if isinstance(value, str):
        words = [word for details in several for word in _words(details)]
        hint = nearest(value, words) if words else ""
    elif "a text" in wanted and value is not None and not isinstance(value, list | dict):
        hint = "; put it in quotes"
    said = f"must be {' or '.join(wanted)}, not {_shown(value)}{hint}"
    return f"`{dotted(place)}` {said}" if place else said


def _about(place: Place, message: str) -> str:
    return f"`{dotted(place)}`: {message}" if place else message


def _wanted(details: ErrorDetails) -> str | None:
    if details["type"] == "literal_error":
        words = _words(details)
        return f"one of {', '.join(words)}" if len(words) > 1 else words[0]
    if details["type"] == "string_pattern_mismatch":
        pattern: str = details["ctx"]["pattern"]
        return FORMS.get(pattern, f"of the form {pattern}")
    text = _WANTED.get(details["type"])
    return text and text.format(**details.get("ctx", {}))


def _shape(details: ErrorDetails) -> str:
    wanted = _wanted(details)
    return f"be {wanted}{nearest(details['input'], _words(details))}" if wanted else details["msg"]


def _words(details: ErrorDetails) -> list[str]:
    return _QUOTED.findall(details["ctx"]["expected"]) if details["type"] == "literal_error" else []


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return text if isinstance(value, _PLAIN) else f'"{text}"'


def _keys(kind: Any, place: Place) -> list[str]:
    """The keys that may stand at `place`; none where they are free."""
    for part in place:
        kind = _inner(kind, part)
    model = _model(kind)
    return list(model.model_fields) if model else []


def _model(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) in (Annotated, Union, UnionType):
        return next((model for arm in get_args(kind) if (model := _model(arm))), None)
    return None


def _inner(kind: Any, part: str | int) -> Any:
    """The type of what stands at a key or an index of a value of this type."""
    model = _model(kind)
    if model is not None:
        field = model.model_fields.get(str(part))
        return None if field is None else field.annotation
    if get_origin(kind) in (dict, list):
        return get_args(kind)[-1]
    return None


def _faults(value: Any, path: Place = ()) -> Iterator[tuple[Place, str]]:
    """What the sections of a manifest find wrong between their keys."""
    if isinstance(value, Section):
        for place, message in value.faults():
            yield (*path, *place), message
        for name in value.model_fields_set:
            yield from _faults(getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _faults(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, (*path, index))
