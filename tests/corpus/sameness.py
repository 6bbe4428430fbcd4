"""When two JSON values are the same, and how they differ where they are not."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "(nothing)"})()


def canonical(value: Any) -> str:
    """Equal texts, equal JSON: the order of keys aside, nothing is made alike (1 is not 1.0)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


class Difference(NamedTuple):
    path: Path
    want: Any
    got: Any

    @property
    def verb(self) -> str:
        return "lost" if self.got is MISSING else "added" if self.want is MISSING else "changed"

    @property
    def place(self) -> str:
        """The path with every index left open: what many differences have in common."""
        return "".join("[]" if isinstance(step, int) else f".{step}" for step in self.path).removeprefix(".") or "(all)"

    @property
    def kind(self) -> str:
        return f"{self.verb} {self.place}"

    def __str__(self) -> str:
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).removeprefix(".")
        shown = [f"{label} {_short(value)}" for label, value in (("-", self.want), ("+", self.got))]
        return f"{self.verb:7} {where}\n            {shown[0]}\n            {shown[1]}"


def _short(value: Any, length: int = 240) -> str:
    text = repr(value) if value is MISSING else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= length else f"{text[: length - 20]} ... ({len(text)} characters)"


def differences(want: Any, got: Any, path: Path = ()) -> Iterator[Difference]:
    """Where two values differ, as deep down as can be said. Elements of lists are aligned first."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in {**want, **got}:
            yield from differences(want.get(key, MISSING), got.get(key, MISSING), (*path, key))
    elif isinstance(want, list) and isinstance(got, list):
        yield from _lists(want, got, path)
    elif want is MISSING or got is MISSING or type(want) is not type(got) or want != got:
        yield Difference(path, want, got)


def _lists(want: list[Any], got: list[Any], path: Path) -> Iterator[Difference]:
    texts = [canonical(v) for v in want], [canonical(v) for v in got]
    for _, a, b, c, d in difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        for n in range(max(b - a, d - c)):
            one = want[a + n] if a + n < b else MISSING
            other = got[c + n] if c + n < d else MISSING
            if one is MISSING or other is MISSING or texts[0][a + n] != texts[1][c + n]:
                yield from differences(one, other, (*path, a + n if one is not MISSING else c + n))


_TEXT_TYPES = (None, "text", "input_text", "output_text")
_SNAKE = re.compile("_([a-z])")


def normalised(value: Any, camel: bool = False) -> Any:
    """Two ways to say one thing made one: a list of one text is that text, nulls and empty lists and objects say
    nothing, a developer is the system, types that are the default need not be said; with `camel`, keys in snake case
    are in camel case."""
    if isinstance(value, list):
        items = [normalised(v, camel) for v in value]
        if len(items) == 1 and isinstance(items[0], dict) and set(items[0]) <= {"type", "text"} and "text" in items[0]:
            return items[0]["text"] if items[0].get("type") in _TEXT_TYPES else items
        return items
    if not isinstance(value, dict):
        return value
    out = {}
    for key, inner in value.items():
        name = _SNAKE.sub(lambda m: m[1].upper(), key) if camel else key
        now = normalised(inner, camel)
        if now is None or now == [] or now == {}:
            continue
        if name == "role" and now == "developer":
            now = "system"
        out[name] = now
    default = {"message": "role", "custom": "input_schema", "function": "function"}.get(str(out.get("type")))
    if default in out:
        del out["type"]
    return out
