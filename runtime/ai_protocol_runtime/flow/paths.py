"""Paths into JSON, as manifests write them: keys joined by dots, ``[]`` for every element of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""Where a path leads to nothing."""

EACH: Final = "[]"

Steps = tuple[str, ...]


@lru_cache(maxsize=4096)
def steps(path: str) -> Steps:
    """``a.b[].c`` as its steps: a, b, [], c."""
    out: list[str] = []
    for key in path.split("."):
        out += [key[:-2], EACH] if key.endswith(EACH) else [key]
    return tuple(step for step in out if step)


def find(value: Any, way: Steps) -> Iterator[Any]:
    """What stands at the end of `way`: nothing, one value, or several where the way leads through lists."""
    for position, step in enumerate(way):
        if step == EACH:
            if isinstance(value, list):
                for item in value:
                    yield from find(item, way[position + 1 :])
            return
        if not isinstance(value, dict) or step not in value:
            return
        value = value[step]
    yield value


def alter(value: Any, way: Steps, edit: Callable[[Any], Any], *, create: bool = False) -> Any:
    """`value` with what stands at the end of `way` edited.

    `edit` is given what is there, and what it returns is put there; `ABSENT` takes it away. With `create` it is also
    given `ABSENT`, where an object on the way lacks a key. Nothing is changed in place: the parts may be the caller's.
    """
    if not way:
        return edit(value)
    step, rest = way[0], way[1:]
    if step == EACH:
        if not isinstance(value, list):
            return value
        items = [alter(item, rest, edit, create=create) for item in value]
        return [item for item in items if item is not ABSENT]
    if value is ABSENT and create:
        value = {}
    if not isinstance(value, dict) or (step not in value and not create):
        return value
    before = value.get(step, ABSENT)
    after = alter(before, rest, edit, create=create)
    if after is before:
        return value
    if after is ABSENT:
        return {key: item for key, item in value.items() if key != step}
    return {**value, step: after}
