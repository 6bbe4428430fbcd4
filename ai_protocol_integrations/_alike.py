"""Objects of a framework's classes that do not have to be validated."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def alike(prototype: Model, /, **values: Any) -> Model:
    """A copy of what pydantic has validated, with other values of the same types. Validating those as well costs more
    than all the rest; whatever can be changed in place has to be among them."""
    made = prototype.model_copy()
    made.__dict__.update(values)
    return made
