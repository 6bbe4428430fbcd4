"""Shapes compiled to closures: `match` reads JSON into captures, `build` writes captures as JSON.

A matcher takes a JSON value and a dict to fill, and returns the *complement*: what it read and filled no hole with,
as JSON in the form of what it came from; None where nothing is left, FAIL where the shape does not fit, KEEP where
it fits and says nothing. A builder takes the values for the holes and the complement (None when the thing came from
another wire) and returns JSON, or MISSING. In a complement, the key of an entry of the shape holds that entry's own
complement, any other key what was found there, and ``"$"`` notes: ``as`` (which spelling), ``no`` (which defaults
were absent). ``{"$raw": v}`` is a value kept whole, ``{"$id": v}`` one by which a thing is known, ``{"$alt": n}`` which
alternative fitted, ``{"$was": v, "$now": x}`` a value its operators do not give back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ai_protocol_runtime.types import Loss

from . import notation as n
from .kinds import DERIVED, TYPES
from .operators import FAIL, KEEP, MISSING

if TYPE_CHECKING:
    from .tables import Table

Captures: TypeAlias = dict[str, Any]
Rest: TypeAlias = Any


@dataclass(slots=True)
class Writing:
    """One encoding under way. `answer`: what is written is an answer, not a request; `opening`: a block that
    deltas will fill, so that an empty text stays one; `filled` counts the holes that held
    something; `losses` is what found no place. `item` is the number of the next numbered item, `announced` the ids
    that a stream has given to items already."""

    wire: str
    answer: bool = False
    opening: bool = False
    item: int = 0
    announced: Mapping[int, str] = field(default_factory=dict)
    filled: int = 0
    losses: list[Loss] = field(default_factory=list)

    def lose(self, what: str, value: Any, reason: str | None = None) -> None:
        self.losses.append(Loss(what, value, reason) if reason else Loss(what, value))

    def mark(self) -> tuple[int, int, int]:
        return self.filled, len(self.losses), self.item

    def undo(self, mark: tuple[int, int, int]) -> None:
        self.filled, _, self.item = mark
        del self.losses[mark[1] :]


class Shape(Protocol):
    """A compiled node."""

    def match(self, value: Any, got: Captures) -> Rest: ...
    def build(self, src: Captures, rest: Rest, out: Writing) -> Any: ...
    def holes(self) -> set[str]: ...
    def tables(self) -> list[Table]:
        """Tables of list holes of the thing itself (not of things within)."""
        ...


def equal(a: Any, b: Any) -> bool:
    """JSON equality: 1 is not true."""
    return type(a) is type(b) and a == b


class ConstShape:
    def __init__(self, value: Any) -> None:
        self.value = value

    def match(self, value: Any, got: Captures) -> Rest:
        if equal(value, self.value):
            return None
        return KEEP if value is None else FAIL

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        return list(self.value) if isinstance(self.value, list) else self.value

    def holes(self) -> set[str]:
        return set()

    def tables(self) -> list[Table]:
        return []


class HoleShape:
    """A hole without a table."""

    def __init__(self, hole: n.Hole) -> None:
        self.name, self.optional, self.default = hole.name, hole.optional, hole.default
        self.ops = hole.ops
        self.back = tuple(reversed(hole.ops))
        self.exact = all(op.exact for op in hole.ops)
        self.faithful = self.exact or any(op.restated for op in hole.ops)
        self.types = TYPES.get(hole.name)
        self.read_only = hole.read_only
        self.numbered = hole.numbered
        self.answered = hole.answered

    def match(self, value: Any, got: Captures) -> Rest:
        if not self.name:
            return {"$id": value} if self.numbered and isinstance(value, str) else KEEP
        if value is None:
            return KEEP if self.optional else FAIL
        now = self._decode(value)
        if now is FAIL:
            return FAIL
        if self.types is not None and type(now) not in self.types:
            return FAIL
        got[self.name] = now
        if self.read_only:
            return KEEP
        hollow = value == "" and self.default is not n.ABSENT  # written, it would become the default
        if not hollow and (self.exact or equal(self._encode(now), value)):
            return None
        return {"$was": value, "$now": now}

    def _decode(self, value: Any) -> Any:
        for op in self.ops:
            value = op.decode(value)
            if value is FAIL:
                return FAIL
        return value

    def _encode(self, value: Any) -> Any:
        for op in self.back:
            value = op.encode(value)
            if value is FAIL:
                return MISSING
        return value

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        if self.numbered and out.item in out.announced:
            out.filled += 1
            return out.announced[out.item]
        value = src.get(self.name) if self.name and not self.read_only else None
        if rest is not None and "$was" in rest and equal(rest["$now"], value):
            out.filled += 1
            return rest["$was"]
        if value is None or (value == "" and self.default is not n.ABSENT and not out.opening):
            for kept in ("$raw", "$id") if rest is not None else ():
                if kept in rest:
                    return rest[kept]
            if self.default is n.ABSENT or (self.answered and not out.answer):
                return MISSING
            return self.default.replace("#", str(out.item)) if self.numbered else self.default
        written = self._encode(value)
        if written is MISSING:
            out.lose(self.name, value, "the wire format has other words for it")
        elif not self.faithful and self.name not in DERIVED and self._decode(written) != value:
            out.lose(self.name, value, f"sent as {written!r}")
        out.filled += written is not MISSING and written != self.default  # a default says nothing new
        return written

    def holes(self) -> set[str]:
        return {self.name} if self.name and not self.read_only else set()

    def tables(self) -> list[Table]:
        return []


class ThingShape:
    """A hole with a table: one thing. Of a list (`parts`) it takes exactly one, or with ``+`` several joined as one
    text."""

    def __init__(self, hole: n.Hole, table: Table, is_list: bool) -> None:
        self.name, self.optional, self.joined = hole.name, hole.optional, hole.joined
        self.table, self.is_list = table, is_list
        self.strict = False  # one of several alternatives: rather another than a raw thing, or a field lost

    def match(self, value: Any, got: Captures, used: set[str] | None = None) -> Rest:
        if value is None:
            return KEEP
        if value == "" and self.is_list:
            return KEEP
        thing = self.table.read_one(value, got, used)
        if thing is FAIL or (self.strict and thing.kind == "raw"):
            return FAIL
        if self.is_list:
            got.setdefault(self.name, []).append(thing)
        else:
            got[self.name] = thing
        return None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        value = src.get(self.name)
        if value is None:
            return MISSING
        if not self.is_list:
            written = self.table.write_one(value, src, out)
            if written is MISSING:
                out.lose(self.name, value)
            return written
        if not value or (len(value) > 1 and self.strict and not self.joined):
            return MISSING
        for other in value[1:] if not self.joined else ():
            out.lose(self.name, other, "there is room for one")
        if not self.joined:
            return self.table.write_one(value[0], src, out, self.strict)
        texts = [self.table.write_one(thing, src, out) for thing in value]
        if len(texts) == 1:
            return texts[0]
        return "".join(texts) if all(isinstance(t, str) for t in texts) else MISSING

    def holes(self) -> set[str]:
        return {self.name} | self.table.outer

    def tables(self) -> list[Table]:
        return [self.table] if self.is_list else []


class ElementShape:
    """One element of a list on its own, as stream events give it: a list of its things, and the mark of their group
    if the element is a group (then there may be none)."""

    def __init__(self, name: str, table: Table) -> None:
        self.name, self.table = name, table

    def match(self, value: Any, got: Captures) -> Rest:
        got[self.name] = self.table.read_element(value)
        return None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        things, mark = src[self.name]
        return self.table.write_element(things, mark, out)

    def holes(self) -> set[str]:
        return {self.name}

    def tables(self) -> list[Table]:
        return []


class ItemsShape:
    def __init__(self, hole: n.Hole, table: Table) -> None:
        self.name, self.table = hole.name, table

    def match(self, value: Any, got: Captures) -> Rest:
        if type(value) is not list:
            return FAIL
        things = self.table.read_all(value, got)
        if things is FAIL:
            return FAIL
        if not things:
            return KEEP
        got.setdefault(self.name, []).extend(things)
        return None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        things = src.get(self.name)
        return self.table.write_all(things, src, out) if things else []

    def holes(self) -> set[str]:
        return {self.name} | self.table.outer

    def tables(self) -> list[Table]:
        return [self.table]


class SingleShape:
    def __init__(self, hole: n.Hole) -> None:
        self.inner = HoleShape(hole)

    def match(self, value: Any, got: Captures) -> Rest:
        if type(value) is not list or len(value) != 1:
            return FAIL
        return FAIL if self.inner.match(value[0], got) is not None else None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        value = self.inner.build(src, None, out)
        return MISSING if value is MISSING else [value]

    def holes(self) -> set[str]:
        return self.inner.holes()

    def tables(self) -> list[Table]:
        return []


class TemplateShape:
    def __init__(self, template: n.Template) -> None:
        self.pattern, self.pieces = template.pattern, template.pieces

    def match(self, value: Any, got: Captures) -> Rest:
        found = self.pattern.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return FAIL
        got.update(found.groupdict())
        return None

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        text = ""
        for literal, hole in self.pieces:
            text += literal
            if hole:
                value = src.get(hole)
                if not isinstance(value, str):
                    return MISSING
                text += value
        out.filled += 1
        return text

    def holes(self) -> set[str]:
        return {hole for _, hole in self.pieces if hole}

    def tables(self) -> list[Table]:
        return []


class OneOfShape:
    def __init__(self, options: list[Shape], otherwise: Any) -> None:
        self.options, self.otherwise = options, otherwise
        for option in options:
            if isinstance(option, ThingShape) and option.is_list:
                option.strict = True
        self._things = [o.name if isinstance(o, (ThingShape, ItemsShape)) else "" for o in options]
        self._unsaid: dict[int | None, list[str]] = {}

    def match(self, value: Any, got: Captures) -> Rest:
        for number, option in enumerate(self.options):
            own: Captures = {}
            rest = option.match(value, own)
            if rest is FAIL:
                continue
            pour(own, got)
            if number == 0 or rest is KEEP:
                return rest
            return {"$alt": number} if rest is None else {"$alt": number, "$rest": rest}
        return FAIL

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        first = rest.get("$alt", 0) if isinstance(rest, dict) else self._home(src)
        order = [first, *(i for i in range(len(self.options)) if i != first)]
        unsaid: list[Loss] = []  # values that an option has a hole for, and no words
        for number in order:
            own = None
            if number == first and isinstance(rest, dict):
                own = rest.get("$rest") if "$alt" in rest else rest
            mark = out.mark()
            value = self.options[number].build(src, own, out)
            if value is not MISSING and not (value == [] and self.otherwise is not n.ABSENT):
                self._lose(src, out, number)
                out.losses += unsaid
                return value
            if isinstance(self.options[number], HoleShape):
                unsaid += out.losses[mark[1] :]
            out.undo(mark)
        self._lose(src, out, None)
        out.losses += unsaid
        return MISSING if self.otherwise is n.ABSENT else self.otherwise

    def _lose(self, src: Captures, out: Writing, taken: int | None) -> None:
        """The things that other alternatives would have said."""
        names = self._unsaid.get(taken)
        if names is None:
            said = {""} if taken is None else {"", self._things[taken], *self.options[taken].holes()}
            names = self._unsaid[taken] = sorted(set(self._things) - said)
        for name in names:
            things = src.get(name)
            for thing in things if isinstance(things, list) else [things]:
                if thing is not None:
                    out.lose(name if thing is things else thing.kind, thing)

    def _home(self, src: Captures) -> int:
        """The option whose table the first thing came from."""
        for number, option in enumerate(self.options):
            things = src.get(getattr(option, "name", ""))
            if isinstance(things, list) and things and any(t.is_home(things[0]) for t in option.tables()):
                return number
        return 0

    def holes(self) -> set[str]:
        return set().union(*(o.holes() for o in self.options))

    def tables(self) -> list[Table]:
        return [t for o in self.options for t in o.tables()]


class JoinShape:
    def __init__(self, shape: Shape, name: str, otherwise: Any) -> None:
        self.shape, self.name, self.otherwise = shape, name, otherwise

    def match(self, value: Any, got: Captures) -> Rest:
        if type(value) is not list:
            return FAIL
        if not value:
            return KEEP
        text = ""
        plain = len(value) == 1
        for item in value:
            own: Captures = {}
            rest = self.shape.match(item, own)
            if rest is FAIL or not isinstance(own.get(self.name), str):
                return FAIL
            plain = plain and rest is None
            text += own[self.name]
        got[self.name] = text
        return None if plain and text else {"$was": value, "$now": text}

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        value = src.get(self.name)
        if value:
            out.filled += 1
            if isinstance(rest, dict) and "$was" in rest and rest["$now"] == value:
                return rest["$was"]
            return [self.shape.build(src, None, out)]
        if isinstance(rest, dict) and "$was" in rest and rest["$now"] == value:
            return rest["$was"]
        return MISSING if self.otherwise is n.ABSENT else self.otherwise

    def holes(self) -> set[str]:
        return {self.name}

    def tables(self) -> list[Table]:
        return []


class ReferShape:
    """Things whose parts stand in two lists: each element of one, once for every index it has into the other, with what
    stands there laid beneath it. They are only read; what is written is the complement, which is all of it."""

    def __init__(self, node: n.Refer, items: ItemsShape) -> None:
        self.node, self.items = node, items

    def match(self, value: Any, got: Captures) -> Rest:
        if type(value) is not dict:
            return FAIL
        others = _under(value, self.node.of)
        joined = [
            {**others[index], **element}
            for element in _under(value, self.node.each)
            if isinstance(element, dict)
            for index in _under(element, self.node.by)
            if isinstance(index, int) and 0 <= index < len(others) and isinstance(others[index], dict)
        ]
        self.items.match(joined, got)
        return KEEP

    def build(self, src: Captures, rest: Rest, out: Writing) -> Any:
        return MISSING if rest is None else rest.get("$raw", rest)  # of several pieces, what they had together

    def holes(self) -> set[str]:
        return self.items.holes()

    def tables(self) -> list[Table]:
        return []


def _under(value: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    found = next((value[name] for name in names if name in value), None)
    return found if isinstance(found, list) else []


def pour(own: Captures, got: Captures) -> None:
    """Captures of one shape into those around it; lists are joined."""
    for name, value in own.items():
        if name in got and isinstance(value, list) and isinstance(got[name], list):
            got[name] = got[name] + value
        else:
            got[name] = value


def content_of(rest: Rest) -> Any:
    """What a complement holds apart from how things were spelt: unknown keys, and values that no shape could read."""
    if not isinstance(rest, dict):
        return None
    out = {}
    for key, value in rest.items():
        if key == "$":
            continue
        if isinstance(value, dict):
            if "$raw" in value:
                value = value["$raw"] if isinstance(value["$raw"], (dict, list)) else None
            elif "$id" in value:
                pass  # still a complement: under that id more of the thing may come
            elif "$was" in value:
                value = None
            elif "$alt" in value:
                value = content_of(value.get("$rest"))
            else:
                value = content_of(value)
        if value is not None and value != "" and value != [] and value != {}:
            out[key] = value
    return out or None
